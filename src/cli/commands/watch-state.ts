import { existsSync } from 'node:fs';
import { emptyState, watchStateSchema, type WatchState } from '../../watch/index.js';
import { readJson } from '../files.js';

/** The saved state of earlier runs. A damaged file is refused and never overwritten. */
export function readState(filePath: string): WatchState {
  if (!existsSync(filePath)) return emptyState;
  return readJson(filePath, {
    what: '--state',
    code: 'watch-state-invalid',
    kinds: [{ id: 'hermetic.watch-state/1', schema: watchStateSchema }],
  });
}
