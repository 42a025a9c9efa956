import { HermeticError, defineFailures, isHermeticError } from '../base/index.js';

/**
 * Failures of the database. These failures are thrown as HermeticError, since their cause
 * is on this machine.
 */
export const storeFailures = defineFailures({
  'store-absent': {
    blame: 'local',
    temporary: false,
    message: 'The database does not exist yet.',
    fix: 'Check the path. hermetic serve and hermetic report import --store create the database.',
  },
  'store-unwritable': {
    blame: 'local',
    temporary: false,
    message: 'Hermetic cannot open or write the database.',
    fix: 'Check that the folder exists, has free space, and belongs to the user of hermetic.',
  },
  'store-full': {
    blame: 'local',
    temporary: true,
    message: 'The disk is full. Hermetic stored nothing.',
    fix: 'Free space on the disk. Hermetic then continues.',
  },
  'store-busy': {
    blame: 'local',
    temporary: true,
    message: 'Another process holds the lock of the database.',
    fix: 'Try again. If the failure persists, look for a second hermetic process with the same file.',
  },
  'store-corrupt': {
    blame: 'local',
    temporary: false,
    message: 'The file is damaged, or is not a database.',
    fix: 'Restore the file from a backup, or move the file away to start with an empty database.',
  },
  'store-foreign': {
    blame: 'local',
    temporary: false,
    message: 'The file is the database of another program.',
    fix: 'Name another file, in the option --store or the key store.file. Hermetic changed nothing.',
  },
  'store-newer': {
    blame: 'local',
    temporary: false,
    message: 'A newer hermetic wrote this database.',
    fix: 'Use that version or a later one. Older versions would damage the database.',
  },
  'store-replaced': {
    blame: 'local',
    temporary: true,
    message: 'Another program removed or replaced the open database file or its log.',
    fix: 'Restore the files, or reload hermetic (SIGHUP) to use the current file.',
  },
  'store-unsynced': {
    blame: 'local',
    temporary: true,
    message: 'The disk did not confirm the last write, so Hermetic trusts no later write.',
    fix: 'Check the disk and the kernel messages, then restart hermetic.',
  },
  'store-driver': {
    blame: 'local',
    temporary: false,
    message: 'No SQLite driver loads on this machine.',
    fix: 'Install the package for your platform, or use Node 24 or newer, which contains a driver.',
  },
});

export type StoreFailureCode = keyof typeof storeFailures.entries;

/** Returns the error to throw for one of the `storeFailures`. */
export function storeError(code: StoreFailureCode, detail: string, cause?: unknown): HermeticError {
  const { message, fix } = storeFailures.entries[code];
  return new HermeticError(code, `${message.replace(/\.$/, '')}: ${detail}`, { cause, fix });
}

/**
 * Returns whether an error is the given failure of the store, or any such failure if
 * `code` is omitted.
 */
export function isStoreFailure(error: unknown, code?: StoreFailureCode): boolean {
  if (!isHermeticError(error)) return false;
  if (code === undefined) return error.code in storeFailures.entries;
  return error.code === code;
}

// Failures by the primary result codes of SQLite, https://sqlite.org/rescode.html
const byResultCode: Readonly<Record<number, StoreFailureCode>> = {
  3: 'store-unwritable', // PERM
  5: 'store-busy',
  6: 'store-busy', // LOCKED
  8: 'store-unwritable', // READONLY
  10: 'store-unwritable', // IOERR
  11: 'store-corrupt',
  13: 'store-full',
  14: 'store-unwritable', // CANTOPEN
  26: 'store-corrupt', // NOTADB
};

/** SQLITE_IOERR_SHMSIZE: the disk has no space for the shared memory of the log. */
const NO_ROOM_FOR_INDEX = 4874;

/**
 * Returns the error to throw for an error of the driver: one of `storeFailures` if the
 * cause is on this machine, otherwise (wrong SQL, a violated constraint) the same error.
 */
export function nameError(filePath: string, error: unknown): unknown {
  const { errcode } = error as { errcode?: number };
  if (errcode === NO_ROOM_FOR_INDEX) return storeError('store-full', filePath, error);
  const code = errcode === undefined ? undefined : byResultCode[errcode & 0xff];
  return code ? storeError(code, filePath, error) : error;
}

/** Runs a call of the driver, and converts its errors to `storeFailures`. */
export function withFileErrors<T>(filePath: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw nameError(filePath, error);
  }
}
