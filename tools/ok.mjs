import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * The steps that must succeed before a change is merged. This script is plain JavaScript,
 * because it runs the build as its first step. Type checks use the other core at the same
 * time.
 *
 * @typedef {{ readonly name: string, readonly run: readonly string[] }} Step
 */

/** @type {Step} */
const build = { name: 'build', run: ['node_modules/typescript/bin/tsc', '-p', '.', '--noCheck'] };

/** @type {Step} */
const types = {
  name: 'types',
  run: ['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit', '--incremental', 'false'],
};

/** @type {readonly Step[]} */
const builtChecks = [
  { name: 'architecture', run: ['dist/tools/architecture.js'] },
  { name: 'clauses', run: ['dist/tools/spec.js'] },
  { name: 'generated files', run: ['dist/tools/generated.js', '--check'] },
  { name: 'words', run: ['dist/tools/words.js'] },
  { name: 'measure', run: ['dist/tools/measure.js'] },
];

/** @type {Step} */
const tests = { name: 'tests', run: ['dist/tools/run-tests.js'] };

/** @type {string[]} */
const failed = [];

/**
 * Runs a step and prints its output at the end of the step; with `live` immediately.
 *
 * @param {Step} step
 * @param {boolean} live
 * @returns {Promise<boolean>} whether it succeeded
 */
async function runStep({ name, run }, live = false) {
  const began = performance.now();
  const pipe = live ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, run, {
    stdio: ['ignore', pipe, pipe],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const [status] = await once(child, 'close');
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`\n${name}\n${output}${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (status !== 0) failed.push(name);
  return status === 0;
}

const built = runStep(build);

async function runTests() {
  if (await built) await runStep(tests, true);
}

async function runChecks() {
  await runStep(types);
  if (await built) for (const step of builtChecks) await runStep(step);
}

await Promise.all([runTests(), runChecks()]);
if (failed.length > 0) {
  console.error(`\nnot ok: ${failed.join(', ')}`);
  process.exitCode = 1;
} else console.log('\nall ok');
