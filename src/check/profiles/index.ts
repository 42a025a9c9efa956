import { baseline } from './baseline.js';
import { ncscNl } from './ncsc-nl.js';
import { bcp195, bsi, mozillaIntermediate } from './others.js';
import type { Profile } from './profile.js';

/** Every profile, by its name. */
export const profiles: readonly Profile[] = [baseline, ncscNl, mozillaIntermediate, bcp195, bsi];
