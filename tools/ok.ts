import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * The gate: what must hold before a change lands. The checks of the sources run one after
 * another beside the tests, which wait for sockets and processes part of their time.
 */
interface Step {
  readonly name: string;
  readonly run: readonly string[];
}

const checks: readonly Step[] = [
  { name: 'architecture', run: ['dist/tools/architecture.js'] },
  { name: 'clauses', run: ['dist/tools/spec.js'] },
  { name: 'generated files', run: ['dist/tools/generated.js', '--check'] },
  { name: 'words', run: ['dist/tools/words.js'] },
  { name: 'measure', run: ['dist/tools/measure.js'] },
  {
    name: 'format',
    run: [
      'node_modules/prettier/bin/prettier.cjs',
      '--check',
      ...['--log-level', 'warn', '--cache', '--cache-strategy', 'content'],
      ...['--cache-location', 'node_modules/.cache/prettier', '.'],
    ],
  },
  // Without a cache: a rule that uses types can fail in a file that did not change.
  { name: 'lint', run: ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.'] },
];
const tests: readonly Step[] = [{ name: 'tests', run: ['dist/tools/run-tests.js'] }];

const failed: string[] = [];

/** Prints the output of a step as a whole at its end; with `live` as it comes. */
async function inTurn(steps: readonly Step[], live = false): Promise<void> {
  for (const { name, run } of steps) {
    const began = performance.now();
    const pipe = live ? 'inherit' : 'pipe';
    const child = spawn(process.execPath, run, { stdio: ['ignore', pipe, pipe] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [status] = (await once(child, 'close')) as [number | null];
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`\n${name}\n${output}${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
    if (status !== 0) failed.push(name);
  }
}

await Promise.all([inTurn(checks), inTurn(tests, true)]);
if (failed.length > 0) {
  console.error(`\nnot ok: ${failed.join(', ')}`);
  process.exitCode = 1;
} else console.log('\nall ok');
