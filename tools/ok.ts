import { spawnSync } from 'node:child_process';

/** The one gate: what has to hold before anything lands, cheapest first. */
const steps: readonly { readonly name: string; readonly run: readonly string[] }[] = [
  { name: 'architecture', run: ['dist/tools/architecture.js'] },
  { name: 'clauses', run: ['dist/tools/spec.js'] },
  { name: 'generated files', run: ['dist/tools/generated.js', '--check'] },
  {
    name: 'format',
    run: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  },
  { name: 'lint', run: ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.'] },
  { name: 'tests', run: ['dist/tools/run-tests.js'] },
];

const failed: string[] = [];
for (const { name, run } of steps) {
  const began = performance.now();
  console.log(`\n${name}`);
  const { status } = spawnSync(process.execPath, run, { stdio: 'inherit' });
  console.log(
    `${status === 0 ? 'ok' : 'FAILED'} (${((performance.now() - began) / 1000).toFixed(0)} s)`,
  );
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nnot ok: ${failed.join(', ')}`);
  process.exitCode = 1;
} else console.log('\nall ok');
