import type { FindingId } from '../../check/index.js';

/** A kind of misconfiguration that published studies count. */
export interface MisconfigurationClass {
  /** Position in the bit set of a domain. Never reused. */
  readonly bit: number;
  /** The property that all domains of this class have, as text for tables. */
  readonly says: string;
  /** A domain with one of these findings belongs to the class. */
  readonly findings: readonly FindingId[];
}

/**
 * The classes of misconfiguration. Findings determine the classes, so a class never
 * contradicts a report. The groups are those of published measurements: Lee et al.
 * (USENIX Security 2020 and 2022) for DANE, and Ashiq et al. (2025) for MTA-STS: record,
 * retrieval of the policy by layer (DNS, TLS, HTTP), syntax, and mismatch of MX hosts.
 *
 * A domain without a class can still have faults.
 */
export const classRegistry = {
  'no-mail': { bit: 0, says: 'no mail route', findings: ['no-mail', 'domain-nonexistent'] },
  'null-mx': { bit: 1, says: 'null MX', findings: ['null-mx'] },
  'implicit-mx': {
    bit: 2,
    says: 'no MX record, mail to the domain itself',
    findings: ['implicit-mx'],
  },
  'mx-nowhere': {
    bit: 3,
    says: 'MX record with a private, local or missing host',
    findings: ['mx-special-name', 'mx-is-address', 'mx-nonexistent', 'mx-address-unroutable'],
  },
  'mx-unreachable': {
    bit: 4,
    says: 'mail host that does not answer or accepts no mail',
    findings: ['mx-unreachable', 'mx-takes-no-mail'],
  },
  'no-starttls': {
    bit: 5,
    says: 'mail host without STARTTLS',
    findings: ['starttls-absent', 'starttls-mangled', 'starttls-refused'],
  },
  'tls-failed': {
    bit: 6,
    says: 'TLS session that fails',
    findings: ['tls-handshake-failed', 'tls-session-refused'],
  },
  'cert-expired': {
    bit: 7,
    says: 'certificate outside its validity',
    findings: ['cert-expired', 'cert-not-yet-valid'],
  },
  'cert-self-signed': { bit: 8, says: 'self-signed certificate', findings: ['cert-self-signed'] },
  'cert-unknown-ca': {
    bit: 9,
    says: 'certificate of an unknown CA, or one that a CA must not issue',
    findings: ['cert-unknown-ca', 'cert-not-acceptable'],
  },
  'cert-wrong-name': {
    bit: 10,
    says: 'certificate for another name',
    findings: ['cert-name-mismatch'],
  },
  'cert-chain': {
    bit: 11,
    says: 'incomplete or outdated chain',
    findings: ['cert-chain-incomplete', 'cert-chain-outdated'],
  },
  'cert-weak': {
    bit: 12,
    says: 'certificate with a weak key or signature',
    findings: ['cert-weak-key', 'cert-short-key', 'cert-weak-signature'],
  },
  'ssl3-or-older': { bit: 13, says: 'SSLv3 or older', findings: ['tls-broken-version'] },
  'tls-old-only': {
    bit: 14,
    says: 'TLS 1.0 or 1.1',
    findings: ['tls-old-version', 'tls-outdated'],
  },
  'weak-suites': {
    bit: 15,
    says: 'weak cipher suite',
    findings: ['tls-weak-suite', 'tls-broken-suite', 'tls-outdated-suites'],
  },
  'sts-record-invalid': {
    bit: 16,
    says: 'invalid MTA-STS record',
    findings: ['sts-record-invalid', 'sts-record-ignored'],
  },
  'sts-record-multiple': {
    bit: 17,
    says: 'several MTA-STS records',
    findings: ['sts-record-multiple'],
  },
  'sts-policy-dns': { bit: 18, says: 'policy host without an address', findings: [] },
  'sts-policy-tls': {
    bit: 19,
    says: 'policy host without a valid certificate',
    findings: ['sts-policy-webpki-invalid'],
  },
  'sts-policy-http': { bit: 20, says: 'policy not served over HTTPS', findings: [] },
  'sts-policy-redirect': {
    bit: 21,
    says: 'policy behind a redirect',
    findings: ['sts-policy-redirect'],
  },
  'sts-policy-type': {
    bit: 22,
    says: 'policy of another media type',
    findings: ['sts-policy-wrong-type'],
  },
  'sts-policy-syntax': {
    bit: 23,
    says: 'policy with a syntax fault',
    findings: ['sts-policy-invalid'],
  },
  'sts-mode-none': { bit: 24, says: 'policy in mode none', findings: ['sts-mode-none'] },
  'sts-mx-mismatch': {
    bit: 25,
    says: 'policy that omits a mail host',
    findings: ['sts-mx-mismatch', 'sts-no-mx-matches'],
  },
  'sts-enforce-fails': { bit: 26, says: 'enforced policy that defers mail', findings: [] },
  'tlsa-unsigned': { bit: 27, says: 'TLSA records without DNSSEC', findings: ['dane-inert'] },
  'tlsa-bogus': {
    bit: 28,
    says: 'TLSA lookup that fails',
    findings: ['dane-bogus', 'dane-tempfail'],
  },
  'tlsa-unusable': { bit: 29, says: 'unusable TLSA records', findings: ['dane-unusable'] },
  'tlsa-mismatch': {
    bit: 30,
    says: 'TLSA records that match no certificate',
    findings: ['dane-mismatch'],
  },
  'tlsa-partial': { bit: 31, says: 'TLSA records for some hosts only', findings: ['dane-partial'] },
  'dnssec-bogus': { bit: 32, says: 'DNSSEC that does not validate', findings: ['dnssec-bogus'] },
  'tlsrpt-invalid': {
    bit: 33,
    says: 'invalid TLS-RPT record',
    findings: ['tlsrpt-invalid', 'tlsrpt-ignored'],
  },
  'tlsrpt-dead': {
    bit: 34,
    says: 'TLS-RPT address without a mailbox or service',
    findings: ['tlsrpt-target-dead', 'tlsrpt-target-claimable'],
  },
  'could-not-tell': { bit: 35, says: 'verdict unknown', findings: [] },
} as const satisfies Record<string, MisconfigurationClass>;

/** The identifier of a class of misconfiguration; stable. */
export type ClassId = keyof typeof classRegistry;

/** All classes in the order of their bits. */
export const classIds = Object.keys(classRegistry) as ClassId[];
