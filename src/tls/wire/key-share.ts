import type { KeyShare } from './client-hello.js';

/** The hybrid group for which current senders include a key share (RFC 10024). */
export const X25519_MLKEM768 = 0x11ec;

/** Prime modulus of ML-KEM (FIPS 203 §4.1). */
const MODULUS = 3329;
/** Coefficients of an ML-KEM-768 encapsulation key: three polynomials of 256. */
const COEFFICIENTS = 768;
/** Octets of the seed that follows the coefficients. */
const SEED = 32;
/** Octets of an X25519 key; every value of that length is a valid one (RFC 7748 §5). */
const X25519 = 32;

/** Random octets that one {@link keyShareOf} needs. */
export const KEY_SHARE_RANDOM = 2 * COEFFICIENTS + SEED + X25519;

/**
 * Points of the NIST curves in the key shares: the base points. A hello that is never
 * completed needs a valid point and no secret.
 */
const points: Readonly<Record<number, string>> = {
  23:
    '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
    '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  24:
    '04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7' +
    '3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f',
};

/**
 * Returns a share for a group, for a hello whose handshake is never completed; undefined
 * for an unsupported group. `random`: {@link KEY_SHARE_RANDOM} octets. The encapsulation
 * key passes the modulus check of FIPS 203 §7.2, so a server accepts it.
 */
export function keyShareOf(group: number, random: Uint8Array): KeyShare | undefined {
  const point = points[group];
  if (point !== undefined) return { group, key: Uint8Array.from(Buffer.from(point, 'hex')) };
  const x25519 = random.subarray(0, X25519);
  if (group === 29) return { group, key: x25519 };
  if (group === X25519_MLKEM768)
    return { group, key: Uint8Array.of(...encapsulationKey(random.subarray(X25519)), ...x25519) };
  return undefined;
}

/**
 * Encodes an ML-KEM-768 encapsulation key (FIPS 203 §5.1): two coefficients of twelve bits
 * in three octets, then the seed.
 */
function encapsulationKey(random: Uint8Array): number[] {
  const coefficient = (index: number): number =>
    (((random[2 * index] as number) << 8) | (random[2 * index + 1] as number)) % MODULUS;
  const output: number[] = [];
  for (let index = 0; index < COEFFICIENTS; index += 2) {
    const [low, high] = [coefficient(index), coefficient(index + 1)];
    output.push(low & 255, (low >> 8) | ((high & 15) << 4), high >> 4);
  }
  return [...output, ...random.subarray(2 * COEFFICIENTS, 2 * COEFFICIENTS + SEED)];
}
