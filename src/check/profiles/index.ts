import { baseline } from './baseline.js';
import { bcp195Of2022, bcp195Of2026 } from './bcp195.js';
import { bsiOf2023, bsiOf2026 } from './bsi.js';
import { mozillaIntermediate } from './mozilla.js';
import { ncscNl } from './ncsc-nl.js';
import type { Profile } from './profile.js';

/**
 * Every profile. An edition keeps its name when a newer one is added, so that a pinned
 * profile keeps its meaning.
 */
export const profiles: readonly Profile[] = [
  baseline,
  ncscNl,
  mozillaIntermediate,
  bcp195Of2026,
  bcp195Of2022,
  bsiOf2026,
  bsiOf2023,
];

/** Profile names without a date, each for the newest edition whose text was read. */
export const undatedNames: ReadonlyMap<string, Profile> = new Map([
  ['bcp195', bcp195Of2026],
  ['bsi-tr-03108', bsiOf2023],
]);

/** Names that `findProfile` accepts. */
export const profileNames: readonly string[] = [
  ...profiles.map((profile) => profile.name),
  ...undatedNames.keys(),
];

/**
 * Finds a profile by name, with or without the date of its edition; undefined for an
 * unknown name.
 */
export function findProfile(profileName: string): Profile | undefined {
  return undatedNames.get(profileName) ?? profiles.find((profile) => profile.name === profileName);
}
