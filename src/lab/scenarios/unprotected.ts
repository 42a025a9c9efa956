import { everySender, exposure, rows, stsOnly, unprotected } from './exposure-rows.js';
import type { CertificateTraits } from '../actors/pki.js';
import type { Expectation, Row, Scenario, TlsaTraits } from './scenario.js';

const { clear, clearSigned, hosted, none, signedOnly, unusable } = rows;

/*
 * Domains whose mail is not protected: no policy, a policy without effect, or a server
 * fault that no policy covers. Each domain has one main fault, so that a finding has one
 * cause. Expectations are written manually from the RFCs.
 */

/** No host accepts mail, but an attacker may answer at its address. */
const silent: Row = ['deferred', 'cleartext', 'to-attacker', 'to-attacker', 'cleartext'];
/** The MX hosts have no address, so mail is delivered only with a forged MX record. */
const nowhere: Row = ['deferred', 'deferred', 'deferred', 'to-attacker', 'deferred'];

const onlyThis = (...warn: string[]): Expectation => ({
  verdict: 'warn',
  warn: [...warn, 'no-enforcement'],
  exposure: unprotected,
});

const withCertificate = (
  domain: string,
  certificate: CertificateTraits,
  says: string,
  finding: string,
): Scenario => ({
  domain,
  says,
  hosts: [{ certificate }],
  expect: onlyThis(finding),
});

const staleTlsa = (domain: string, tlsa: readonly TlsaTraits[], says: string): Scenario => ({
  domain,
  says,
  zone: { signed: {} },
  hosts: [{ tlsa }],
  expect: {
    verdict: 'fail',
    fail: ['dane-mismatch'],
    exposure: exposure(rows.open, {
      dane: rows.waits,
      bothFirst: rows.waits,
      bothCached: rows.waits,
    }),
  },
});

/** Domains with opportunistic TLS only. */
export const unprotectedDomains: readonly Scenario[] = [
  {
    domain: 'opportunistic.example',
    says: 'STARTTLS with a good certificate, and no policy that requires it',
    expect: onlyThis(),
  },
  {
    domain: 'legacy.example',
    says: 'TLS 1.0 to 1.2 with RC4, 3DES and better suites',
    hosts: [{ certificate: 'rsa', speaks: 'old-versions' }],
    expect: onlyThis('tls-old-version', 'tls-weak-suite'),
  },
  {
    domain: 'ssl3.example',
    says: 'SSLv3 is still accepted',
    hosts: [{ certificate: 'rsa', speaks: 'ssl3' }],
    expect: { ...onlyThis('tls-old-version'), verdict: 'fail', fail: ['tls-broken-version'] },
  },
  {
    domain: 'short-hellos.example',
    says: 'refuses a hello of more than 64 suites',
    hosts: [{ certificate: 'rsa', speaks: 'short-hellos' }],
    expect: onlyThis('tls-hello-intolerant'),
  },
  {
    domain: 'signed-only.example',
    says: 'DNSSEC without TLSA records and without MTA-STS',
    zone: { signed: {} },
    expect: {
      ...onlyThis(),
      exposure: exposure(rows.open, {
        dane: signedOnly,
        bothFirst: signedOnly,
        bothCached: signedOnly,
      }),
    },
  },
  {
    domain: 'hosted-customer.example',
    says: 'unsigned itself; its MX names a hoster with DANE',
    hosts: [{ name: 'mx.hoster.example.' }],
    expect: {
      ...onlyThis(),
      exposure: exposure(rows.open, { dane: hosted, bothFirst: hosted, bothCached: hosted }),
    },
  },
  {
    domain: 'signed-mx-unsigned-host.example',
    says: 'signed itself; its MX names a hoster without DNSSEC',
    zone: { signed: {} },
    hosts: [{ name: 'mx.unsigned-hoster.example.' }],
    expect: onlyThis(),
  },
  {
    domain: 'plaintext.example',
    says: 'no STARTTLS',
    hosts: [{ habit: 'no-starttls' }],
    expect: {
      verdict: 'fail',
      fail: ['starttls-absent'],
      warn: ['no-enforcement'],
      exposure: everySender(clear),
    },
  },
  {
    domain: 'plaintext-signed.example',
    says: 'no STARTTLS, in a signed zone',
    zone: { signed: {} },
    hosts: [{ habit: 'no-starttls' }],
    expect: {
      verdict: 'fail',
      fail: ['starttls-absent'],
      warn: ['no-enforcement'],
      exposure: exposure(clear, {
        dane: clearSigned,
        bothFirst: clearSigned,
        bothCached: clearSigned,
      }),
    },
  },
  {
    domain: 'refused-tls.example',
    says: 'offers STARTTLS and answers it with 502',
    hosts: [{ habit: 'refuses-tls' }],
    expect: {
      verdict: 'fail',
      fail: ['starttls-refused'],
      warn: ['no-enforcement'],
      exposure: everySender(clear),
    },
  },
  withCertificate('expired.example', 'expired', 'an expired certificate', 'cert-expired'),
  withCertificate(
    'self-signed.example',
    'self-signed',
    'a self-signed certificate',
    'cert-self-signed',
  ),
  withCertificate(
    'wrong-host.example',
    'wrong-name',
    'a certificate for another name',
    'cert-name-mismatch',
  ),
  withCertificate(
    'missing-intermediate.example',
    'no-intermediate',
    'the intermediate certificate is not sent',
    'cert-chain-incomplete',
  ),
  withCertificate(
    'unknown-ca.example',
    'unknown-ca',
    'a certificate of an unknown CA',
    'cert-unknown-ca',
  ),
  withCertificate(
    'sha1-chain.example',
    'sha1-chain',
    'a certificate signed with SHA-1',
    'cert-weak-signature',
  ),
  withCertificate(
    'client-certificate.example',
    'client-purpose',
    'a certificate for clients only',
    'cert-not-acceptable',
  ),
  withCertificate(
    'name-constraints.example',
    'name-constraints',
    'a certificate of a CA that may not certify the name',
    'cert-not-acceptable',
  ),
  withCertificate(
    'common-name-only.example',
    'common-name-only',
    'a certificate without subjectAltName',
    'cert-name-mismatch',
  ),
  withCertificate(
    'expired-intermediate.example',
    'expired-intermediate',
    'the intermediate certificate is expired',
    'cert-chain-outdated',
  ),
  staleTlsa('tlsa-root-not-sent.example', ['root'], 'TLSA for a root that is not sent'),
  staleTlsa('tlsa-wrong-usage.example', ['ta-as-ee'], 'TLSA 3 1 1 of the intermediate'),
  staleTlsa(
    'tlsa-stronger-digest.example',
    ['ee', 'stale-sha512'],
    'a stale SHA-512 record next to the right SHA-256 record',
  ),
  {
    domain: 'tlsa-port-465.example',
    says: 'a TLSA record for port 465 only',
    zone: { signed: {}, records: `_465._tcp.mx TLSA 3 1 1 ${'5e'.repeat(32)}` },
    expect: {
      ...onlyThis(),
      exposure: exposure(rows.open, {
        dane: signedOnly,
        bothFirst: signedOnly,
        bothCached: signedOnly,
      }),
    },
  },
  {
    domain: 'tlsa-sha1.example',
    says: 'a TLSA record with 20 octets of data',
    zone: { signed: {} },
    hosts: [{ tlsa: ['sha1'] }],
    expect: {
      verdict: 'warn',
      warn: ['dane-unusable'],
      exposure: exposure(rows.open, { dane: unusable, bothFirst: unusable, bothCached: unusable }),
    },
  },
  {
    domain: 'tlsa-unusable.example',
    says: 'TLSA records of a kind that mail does not use',
    zone: { signed: {} },
    hosts: [{ tlsa: ['unusable'] }],
    expect: {
      verdict: 'warn',
      warn: ['dane-unusable'],
      exposure: exposure(rows.open, { dane: unusable, bothFirst: unusable, bothCached: unusable }),
    },
  },
  {
    domain: 'insecure-delegation.example',
    says: 'TLSA in a zone whose parent has no DS, so senders ignore the records',
    hosts: [{ tlsa: ['ee'] }],
    expect: { verdict: 'warn', warn: ['dane-inert'], exposure: unprotected },
  },
  {
    domain: 'implicit-mx.example',
    says: 'no MX record: mail goes to the address of the domain',
    zone: { withoutMx: true },
    hosts: [{ name: '@' }],
    expect: onlyThis(),
  },
  {
    domain: 'cname-mx.example',
    says: 'the MX names an alias',
    zone: { withoutMx: true, records: '@ MX 10 mail\nmail CNAME mx' },
    expect: onlyThis('mx-is-cname'),
  },
  {
    domain: 'placeholder-mx.example',
    says: 'MTA-STS enforced; an MX record under .invalid next to the mail host',
    zone: { records: '@ MX 32767 token.invalid.' },
    sts: { mode: 'enforce' },
    expect: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'ghost-mx.example',
    says: 'MTA-STS enforced; the preferred MX host does not exist',
    zone: { records: '@ MX 0 old' },
    sts: { mode: 'enforce' },
    expect: { verdict: 'warn', warn: ['mx-nonexistent'], exposure: stsOnly },
  },
  {
    domain: 'address-mx.example',
    says: 'the MX record holds an address',
    zone: { withoutMx: true, records: '@ MX 10 192.0.2.7.' },
    hosts: [],
    expect: { verdict: 'fail', fail: ['mx-is-address'], exposure: everySender(nowhere) },
  },
  {
    domain: 'no-final-dot.example',
    says: 'the MX record lacks its final dot: mx.no-final-dot.example.no-final-dot.example',
    zone: { withoutMx: true, records: '@ MX 10 mx.no-final-dot.example' },
    expect: { verdict: 'fail', fail: ['mx-nonexistent'], exposure: everySender(nowhere) },
  },
  {
    domain: 'private-address.example',
    says: 'the mail host has a loopback address',
    zone: { withoutMx: true, records: '@ MX 10 mail\nmail A 127.0.0.1' },
    hosts: [],
    expect: {
      verdict: 'fail',
      fail: ['mx-address-unroutable'],
      warn: ['no-enforcement'],
      exposure: everySender(silent),
    },
  },
  {
    domain: 'null-mx-beside.example',
    says: 'a null MX record stands next to a mail host with MTA-STS',
    zone: { records: '@ MX 0 .' },
    sts: { mode: 'enforce' },
    expect: { verdict: 'warn', warn: ['null-mx-beside'], exposure: stsOnly },
  },
  {
    domain: 'null-mx.example',
    says: 'null MX: the domain declares that it accepts no mail',
    zone: { withoutMx: true, records: '@ MX 0 .' },
    hosts: [],
    expect: { verdict: 'not-applicable', exposure: everySender(none) },
  },
  {
    domain: 'no-mail.example',
    says: 'neither MX nor address',
    zone: { withoutMx: true, records: 'www A 203.0.113.80' },
    hosts: [],
    expect: { verdict: 'not-applicable', exposure: everySender(none) },
  },
];
