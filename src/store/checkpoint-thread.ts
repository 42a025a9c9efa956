import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointResult } from './checkpoint.js';
import { loadDriver, type Driver } from './driver.js';

/**
 * Maximum time in milliseconds that a checkpoint waits for readers and the writer. During
 * this time writers are blocked.
 */
const WAIT = 100;
// https://sqlite.org/rescode.html#ioerr_fsync
const IOERR_FSYNC = 1034;

parentPort?.postMessage(await checkpoint(workerData as string));

async function checkpoint(filePath: string): Promise<CheckpointResult> {
  const Open = await loadDriver();
  // `mode=rw` does not create the file if it was moved away.
  const database = new Open(`${pathToFileURL(realpathSync(filePath)).href}?mode=rw`, {
    timeout: WAIT,
  });
  try {
    // With NORMAL, a checkpoint syncs the log before it changes the database, and the
    // database afterwards.
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
    // A PASSIVE checkpoint copies most frames to the database while other connections
    // write.
    database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    const ended = database.prepare('PRAGMA wal_checkpoint(RESTART)').get() as { busy: number };
    if (ended.busy === 0) restartLog(database);
    return { restarted: ended.busy === 0 };
  } catch (error) {
    const { errcode, message } = error as Error & { errcode?: number };
    return { restarted: false, syncFailed: errcode === IOERR_FSYNC ? message : undefined };
  } finally {
    database.close();
  }
}

/**
 * Writes a first frame without changes to the new log. The first writer syncs the header
 * of the log, which would otherwise block the event loop of the daemon.
 */
function restartLog(database: Driver): void {
  database.exec('BEGIN IMMEDIATE');
  const { user_version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number;
  };
  database.exec(`PRAGMA user_version = ${user_version}; COMMIT`);
}
