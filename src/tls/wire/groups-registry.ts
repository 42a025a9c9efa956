/**
 * Key-exchange groups (IANA "TLS Supported Groups", 2026-11; RFC 9846, 8422, 7919, 8734,
 * 10024; `_DRAFT` code points were used before assignment).
 */
export interface Group {
  readonly codePoint: number;
  readonly name: string;
  readonly kind: 'ec' | 'ffdhe' | 'hybrid' | 'kem';
  /**
   * Strength of the classical part: field size for curves, modulus size for finite
   * fields; 0 for a pure KEM.
   */
  readonly bits: number;
  /** Whether TLS 1.2 and earlier can use the group (a named curve or RFC 7919 group). */
  readonly tls12: boolean;
}

/** Elliptic curves that are defined for TLS 1.3 only (RFC 8734, RFC 8998). */
const tls13Curves: ReadonlySet<string> = new Set([
  'brainpoolP256r1tls13',
  'brainpoolP384r1tls13',
  'brainpoolP512r1tls13',
  'curveSM2',
]);

const group = (codePoint: number, name: string, kind: Group['kind'], bits: number): Group => ({
  codePoint,
  name,
  kind,
  bits,
  tls12: (kind === 'ec' || kind === 'ffdhe') && !tls13Curves.has(name),
});

/** Every group of the registry, in the order of the code points. */

export const groupTable: readonly Group[] = [
  group(1, 'sect163k1', 'ec', 163),
  group(2, 'sect163r1', 'ec', 163),
  group(3, 'sect163r2', 'ec', 163),
  group(4, 'sect193r1', 'ec', 193),
  group(5, 'sect193r2', 'ec', 193),
  group(6, 'sect233k1', 'ec', 233),
  group(7, 'sect233r1', 'ec', 233),
  group(8, 'sect239k1', 'ec', 239),
  group(9, 'sect283k1', 'ec', 283),
  group(10, 'sect283r1', 'ec', 283),
  group(11, 'sect409k1', 'ec', 409),
  group(12, 'sect409r1', 'ec', 409),
  group(13, 'sect571k1', 'ec', 571),
  group(14, 'sect571r1', 'ec', 571),
  group(15, 'secp160k1', 'ec', 160),
  group(16, 'secp160r1', 'ec', 160),
  group(17, 'secp160r2', 'ec', 160),
  group(18, 'secp192k1', 'ec', 192),
  group(19, 'secp192r1', 'ec', 192),
  group(20, 'secp224k1', 'ec', 224),
  group(21, 'secp224r1', 'ec', 224),
  group(22, 'secp256k1', 'ec', 256),
  group(23, 'secp256r1', 'ec', 256),
  group(24, 'secp384r1', 'ec', 384),
  group(25, 'secp521r1', 'ec', 521),
  group(26, 'brainpoolP256r1', 'ec', 256),
  group(27, 'brainpoolP384r1', 'ec', 384),
  group(28, 'brainpoolP512r1', 'ec', 512),
  group(29, 'x25519', 'ec', 255),
  group(30, 'x448', 'ec', 448),
  group(31, 'brainpoolP256r1tls13', 'ec', 256),
  group(32, 'brainpoolP384r1tls13', 'ec', 384),
  group(33, 'brainpoolP512r1tls13', 'ec', 512),
  group(34, 'GC256A', 'ec', 256),
  group(35, 'GC256B', 'ec', 256),
  group(36, 'GC256C', 'ec', 256),
  group(37, 'GC256D', 'ec', 256),
  group(38, 'GC512A', 'ec', 512),
  group(39, 'GC512B', 'ec', 512),
  group(40, 'GC512C', 'ec', 512),
  group(41, 'curveSM2', 'ec', 256),
  group(256, 'ffdhe2048', 'ffdhe', 2048),
  group(257, 'ffdhe3072', 'ffdhe', 3072),
  group(258, 'ffdhe4096', 'ffdhe', 4096),
  group(259, 'ffdhe6144', 'ffdhe', 6144),
  group(260, 'ffdhe8192', 'ffdhe', 8192),
  group(0x0200, 'MLKEM512', 'kem', 0),
  group(0x0201, 'MLKEM768', 'kem', 0),
  group(0x0202, 'MLKEM1024', 'kem', 0),
  group(0x11eb, 'SecP256r1MLKEM768', 'hybrid', 256),
  group(0x11ec, 'X25519MLKEM768', 'hybrid', 255),
  group(0x11ed, 'SecP384r1MLKEM1024', 'hybrid', 384),
  group(0x6399, 'X25519Kyber768_DRAFT', 'hybrid', 255),
  group(0x639a, 'SecP256r1Kyber768_DRAFT', 'hybrid', 256),
];

/** Groups by code point. */
export const groups: ReadonlyMap<number, Group> = new Map(
  groupTable.map((group) => [group.codePoint, group]),
);

/** Returns the IANA name; `0xNNNN` for a code point that is not in the table. */
export function groupName(codePoint: number): string {
  return (
    groups.get(codePoint)?.name ?? `0x${codePoint.toString(16).padStart(4, '0').toUpperCase()}`
  );
}

/**
 * Returns whether an IANA name belongs to a group with a post-quantum part, alone or in a
 * hybrid.
 */
export function isPostQuantum(name: string): boolean {
  return groupTable.some(
    (group) => group.name === name && (group.kind === 'hybrid' || group.kind === 'kem'),
  );
}
