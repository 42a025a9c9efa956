#!/usr/bin/env node
// The entry of the command. It imports nothing by itself: an old Node would refuse a module
// below with a syntax error before a line of this file has run. For the same reason this
// file uses no syntax newer than ES2018.

/** The oldest Node that runs this program, as in `engines` of package.json. */
const OLDEST_MAJOR = 20;
const OLDEST_MINOR = 19;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_MAJOR || (major === OLDEST_MAJOR && minor < OLDEST_MINOR)) {
  process.stderr.write(
    `hermetic: Node.js ${process.versions.node} is too old (node-too-old)\n` +
      `  Install Node.js ${OLDEST_MAJOR}.${OLDEST_MINOR} or later.\n`,
  );
  process.exitCode = 2;
} else {
  void import('./start.js').then(({ start }) => start());
}
