#!/usr/bin/env node
// The entry point of the command. This file has no static imports: an old Node would
// reject an imported module with a syntax error before this file runs. For the same
// reason this file uses no syntax newer than ES2018.

/** The oldest Node that runs this program, as in `engines` of package.json. */
const OLDEST_MAJOR = 20;
const OLDEST_MINOR = 19;

/**
 * Number of open files that loading the program needs, because Node opens the modules of
 * one level together. With a lower limit, Node reports an unopened package as missing.
 */
const MIN_OPEN_FILES = 256;
/**
 * Limits of this process on Linux. Node itself raises the soft limit to the hard limit.
 */
const LIMITS = '/proc/self/limits';

const isDaemon = process.argv[2] === 'serve';
/** Limits the heap of the daemon before loading the program enlarges it. */
const limitHeap = (): Promise<void> =>
  import('../base/index.js').then(({ keepStartSmall }) => keepStartSmall());

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_MAJOR || (major === OLDEST_MAJOR && minor < OLDEST_MINOR)) {
  process.stderr.write(
    `hermetic: Node.js ${process.versions.node} is too old (node-too-old)\n` +
      `  Install Node.js ${OLDEST_MAJOR}.${OLDEST_MINOR} or later.\n`,
  );
  process.exitCode = 2;
} else {
  void import('node:fs').then(({ existsSync, readFileSync }) => {
    const limits = existsSync(LIMITS) ? readFileSync(LIMITS, 'utf8') : '';
    const found = /^Max open files +\d+ +(\d+)/m.exec(limits);
    const openFiles = found ? Number(found[1]) : MIN_OPEN_FILES;
    if (openFiles >= MIN_OPEN_FILES)
      return (isDaemon ? limitHeap() : Promise.resolve())
        .then(() => import('./start.js'))
        .then(({ start }) => start());
    process.stderr.write(
      `hermetic: only ${openFiles} files may be open, and the program needs ${MIN_OPEN_FILES} ` +
        '(descriptors-too-few)\n  Set LimitNOFILE=1024 in the unit, or run ulimit -n 1024 first.\n',
    );
    process.exitCode = 2;
    return undefined;
  });
}
