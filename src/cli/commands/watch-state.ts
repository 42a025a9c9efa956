import { existsSync } from 'node:fs';
import { emptyState, watchStateSchema, type WatchState } from '../../watch/index.js';
import { readJson } from '../files.js';

/**
 * Reads the saved state of earlier runs; empty if the file does not exist. Throws for a
 * damaged file, so that no command overwrites it.
 */
export function readState(filePath: string): WatchState {
  if (!existsSync(filePath)) return emptyState;
  return readJson(filePath, {
    what: '--state',
    code: 'watch-state-invalid',
    kinds: [{ id: 'hermetic.watch-state/1', schema: watchStateSchema }],
  });
}
