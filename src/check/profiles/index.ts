import { baseline } from './baseline.js';
import { bcp195Of2022, bcp195Of2026 } from './bcp195.js';
import { bsiOf2023, bsiOf2026 } from './bsi.js';
import { mozillaIntermediate } from './mozilla.js';
import { ncscNl } from './ncsc-nl.js';
import type { Profile } from './profile.js';

/** Every profile, each edition by its own name. */
export const profiles: readonly Profile[] = [
  baseline,
  ncscNl,
  mozillaIntermediate,
  bcp195Of2026,
  bcp195Of2022,
  bsiOf2026,
  bsiOf2023,
];

/** Names without a date: the newest edition whose text was read. */
export const undatedNames: ReadonlyMap<string, Profile> = new Map([
  ['bcp195', bcp195Of2026],
  ['bsi-tr-03108', bsiOf2023],
]);

/** Names that `findProfile` knows. */
export const profileNames: readonly string[] = [
  ...profiles.map((profile) => profile.name),
  ...undatedNames.keys(),
];

/** The profile of that name, with or without the date of its edition. */
export function findProfile(name: string): Profile | undefined {
  return undatedNames.get(name) ?? profiles.find((profile) => profile.name === name);
}
