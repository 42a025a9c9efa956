import {
  groups12,
  groups13,
  groupTable,
  only,
  suites12,
  suites13,
  suites as known,
  type Suite,
} from '../../tls/index.js';
import type { Rule, TlsSet } from './profile.js';

/** A rule that needs the questions of depth verdict. */
export const asked = (severity: Rule['severity'], clause: string): Rule => ({
  severity,
  clause,
  depth: 'verdict',
});

/** Code points of the suites of TLS 1.2 and earlier that satisfy a condition. */
export const where12 = (wanted: (cipherSuite: Suite) => boolean): readonly number[] =>
  only(suites12, wanted);

/**
 * Returns the code points of suites by their IANA names. Throws a TypeError for an
 * unknown name, since that is a fault of the profile.
 */
export function suitesNamed(...names: readonly string[]): readonly number[] {
  return names.map((profileName) => {
    const found = [...known.values()].find(
      (cipherSuite) =>
        cipherSuite.name === profileName || cipherSuite.name === `TLS_${profileName}`,
    );
    if (!found) throw new TypeError(`no suite is called ${profileName}`);
    return found.codePoint;
  });
}

/**
 * Every suite before TLS 1.3 that is on none of the lists. Profiles with closed lists ask
 * for the complement, so that a suite that is defined later is included.
 */
export const allBut12 = (...lists: readonly (readonly number[])[]): readonly number[] =>
  suites12.filter((id) => !lists.some((list) => list.includes(id)));
/** Every suite of TLS 1.3 except the allowed suites. */
export const allBut13 = (...allowed: readonly number[]): readonly number[] =>
  suites13.filter((id) => !allowed.includes(id));

/**
 * Returns the code points of groups by name, as far as the version can use them; with
 * `but`, of all other groups. TLS 1.3 reserves separate code points for the Brainpool
 * curves.
 */
export function groupsNamed(
  version: 'TLSv1.2' | 'TLSv1.3',
  names: readonly string[],
  but = false,
): readonly number[] {
  const usable = version === 'TLSv1.2' ? groups12 : groups13;
  const wanted = new Set(
    groupTable.filter((group) => names.includes(group.name)).map((group) => group.codePoint),
  );
  return usable.filter((id) => wanted.has(id) !== but);
}

/** A suite without protection: no encryption, or an export key of 40 or 56 bits. */
export const isBroken = (cipherSuite: Suite): boolean =>
  cipherSuite.cipher === 'NULL' || cipherSuite.export;
/** A suite that an attacker with large resources can break. */
export const isWeak = (cipherSuite: Suite): boolean =>
  !isBroken(cipherSuite) && (/RC4|RC2|DES|IDEA/.test(cipherSuite.cipher) || cipherSuite.bits < 112);
/** SHA-1 and older hashes in the signature of a key exchange. */
export const sha1Schemes: readonly number[] = [0x0101, 0x0201, 0x0202, 0x0203];
/** The hybrid groups of RFC 10024. */
const standardPqGroups = ['X25519MLKEM768', 'SecP256r1MLKEM768', 'SecP384r1MLKEM1024'];
/** Groups with a post-quantum part, alone or in a hybrid. */
const pqGroups = groupTable.filter((group) => group.kind === 'hybrid' || group.kind === 'kem');

/**
 * Asks for post-quantum key exchange. ML-KEM alone and the groups with Kyber are defined
 * in Internet-Drafts and raise a separate finding.
 */
export const pqSet: TlsSet = {
  finding: 'tls-pq-good',
  groups: pqGroups.map((pqGroup) => pqGroup.codePoint),
  version: 'TLSv1.3',
  apart: {
    finding: 'tls-pq-draft-good',
    groups: pqGroups
      .filter((pqGroup) => !standardPqGroups.includes(pqGroup.name))
      .map((pqGroup) => pqGroup.codePoint),
  },
};
