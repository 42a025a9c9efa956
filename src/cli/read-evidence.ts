import { evidenceSchema, type Evidence } from '../evidence/index.js';
import { readJson } from './read-json.js';

/** Evidence from a file; throws with the first thing in it that does not fit. */
export function readEvidence(file: string): Evidence {
  return readJson(file, 'evidence', 'Give a file written by hermetic check --evidence.', [
    evidenceSchema,
  ]);
}
