import { caseNames } from '../cases/case-names.js';
import type { CaseTlsa, SenderCase } from '../cases/sender-case.js';

/** One DNS record in presentation form; the owner without a final dot. */
export interface CaseRecord {
  readonly owner: string;
  readonly type: 'A' | 'AAAA' | 'MX' | 'TXT' | 'TLSA';
  /** Names in the data have a final dot. */
  readonly data: string;
}

/** A zone of a case. */
export interface CaseZoneRecords {
  readonly apex: string;
  /** `bogus`: signed, with signatures that do not verify. */
  readonly dnssec: 'secure' | 'insecure' | 'bogus';
  readonly records: readonly CaseRecord[];
}

/** Addresses and certificates that the records of a case name. */
export interface CaseRecordOptions {
  readonly slot: string;
  readonly zone: string;
  /** Addresses of the MX host. */
  readonly addresses: readonly string[];
  /** An address that accepts no connections on port 25. */
  readonly deadAddress: string;
  readonly policyAddresses: readonly string[];
  /** SHA-256 of the public key of the certificate of the MX host, hexadecimal. */
  readonly keyDigest?: string | undefined;
  /** SHA-256 of the public key of the issuer of this certificate, hexadecimal. */
  readonly issuerDigest?: string | undefined;
  /** Address for TLS reports (RFC 8460 §3), such as `mailto:reports@example.com`. */
  readonly rua?: string | undefined;
}

/**
 * Returns the zones of a case: one below `<slot>.<zone>`, and one for the TLSA records of
 * the MX host if only the signature of these records is wrong.
 *
 * Throws TypeError if a TLSA record needs a digest that is not given.
 */
export function caseRecords(
  senderCase: SenderCase,
  options: CaseRecordOptions,
): readonly CaseZoneRecords[] {
  const { slot, zone, addresses, deadAddress } = options;
  const names = caseNames(senderCase.id, slot, zone);
  const { dnssec, deadMx, family } = senderCase.zone;
  const usable = addresses.filter(
    (address) => family === undefined || address.includes(':') === (family === 'ipv6'),
  );
  const main: CaseRecord[] = [
    { owner: names.domain, type: 'MX', data: `10 ${names.mxHost}.` },
    ...addressRecords(names.mxHost, usable),
    ...policyRecords(senderCase, options),
  ];
  if (deadMx) {
    main.unshift({ owner: names.domain, type: 'MX', data: `5 ${names.deadMxHost}.` });
    main.push(...addressRecords(names.deadMxHost, [deadAddress]));
  }
  const tlsa = (senderCase.host.tlsa ?? []).map((kind): CaseRecord => ({
    owner: names.tlsaOwner,
    type: 'TLSA',
    data: tlsaData(kind, options),
  }));
  if (dnssec === 'bogus-tlsa')
    return [
      { apex: names.domain, dnssec: 'secure', records: main },
      { apex: names.tlsaOwner, dnssec: 'bogus', records: tlsa },
    ];
  return [{ apex: names.domain, dnssec, records: [...main, ...tlsa] }];
}

function addressRecords(owner: string, addresses: readonly string[]): CaseRecord[] {
  return addresses.map((address) => ({
    owner,
    type: address.includes(':') ? 'AAAA' : 'A',
    data: address,
  }));
}

function policyRecords(
  { id, policy, report }: SenderCase,
  { slot, zone, policyAddresses, rua }: CaseRecordOptions,
): CaseRecord[] {
  const { policyRecord, policyHost, reportRecord } = caseNames(id, slot, zone);
  const records: CaseRecord[] = [];
  if (policy) {
    for (let version = 1; version <= (policy.records ?? 1); version++)
      records.push({ owner: policyRecord, type: 'TXT', data: `"v=STSv1; id=${version};"` });
    records.push(...addressRecords(policyHost, policyAddresses));
  }
  if (report && rua !== undefined)
    records.push({ owner: reportRecord, type: 'TXT', data: `"v=TLSRPTv1; rua=${rua}"` });
  return records;
}

/**
 * Returns the data of a TLSA record: usage, selector, matching type, digest
 * (RFC 6698 §2.1).
 */
function tlsaData(kind: CaseTlsa, { keyDigest, issuerDigest }: CaseRecordOptions): string {
  switch (kind) {
    case 'key':
      return `3 1 1 ${given(keyDigest)}`;
    case 'issuer':
      return `2 1 1 ${given(issuerDigest)}`;
    case 'other-key':
      return `3 1 1 ${'0d'.repeat(32)}`;
    case 'pkix-usage':
      return `1 1 1 ${'ab'.repeat(32)}`;
  }
}

function given(digest: string | undefined): string {
  if (digest === undefined) throw new TypeError('the case needs the digest of a certificate');
  return digest;
}
