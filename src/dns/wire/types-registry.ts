/**
 * RR types used here (IANA "Domain Name System (DNS) Parameters", 2026-11). Other types
 * are plain numbers.
 */
export const RRType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  SIG: 24,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  CDS: 59,
  CDNSKEY: 60,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  NXNAME: 128,
  ANY: 255,
  CAA: 257,
} as const;

/** The mnemonics by number. */
const namesByNumber = new Map<number, string>(
  Object.entries(RRType).map(([name, number]) => [number, name]),
);

/**
 * Returns the mnemonic of a type: `TLSA` for 52, `TYPE65280` for an unknown type
 * (RFC 3597 §5).
 */
export function typeName(recordType: number): string {
  return namesByNumber.get(recordType) ?? `TYPE${recordType}`;
}

/** Returns the number of a mnemonic in any case; undefined for an unknown mnemonic. */
export function typeNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  const known = (RRType as Record<string, number>)[upper];
  if (known !== undefined) return known;
  const generic = /^TYPE(\d{1,5})$/.exec(upper);
  if (generic && Number(generic[1]) < 65536) return Number(generic[1]);
  return undefined;
}

/**
 * Response codes (RFC 1035 §4.1.1, RFC 6895 §2.3).
 *
 * Values from 16 on do not fit the header: BADVERS is in the OPT record, the others are
 * in the error field of TSIG (RFC 8945 §3), where 16 means BADSIG.
 */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADSIG: 16,
  BADKEY: 17,
  BADTIME: 18,
} as const;

/** Classes. NONE and ANY are operators in an UPDATE message (RFC 2136 §2.4, §2.5). */
export const RRClass = { IN: 1, CH: 3, NONE: 254, ANY: 255 } as const;
