/**
 * `npm run attacks`: measures the outcome of mail under each attack, by the records of
 * the domain. Then the command compares the prediction of a check with the outcome for
 * every domain of the lab. The command fails on any wrong cell. `-- matrix` or
 * `-- predictions` runs one of the two.
 */
import { allScenarios } from '../src/lab/index.js';
import { columns, runMatrix } from './attacks/matrix.js';
import { compare } from './attacks/predicted-equals-observed.js';

const wanted = process.argv[2];
const since = (began: number): string => `${((performance.now() - began) / 1000).toFixed(0)} s`;

if (wanted !== 'predictions') {
  const began = performance.now();
  const { seen, cells, wrong } = await runMatrix();
  const width = Math.max(...seen.map(([says]) => says.length)) + 2;
  console.log('V verified, U under TLS unverified, C in plaintext, A to the attacker, W waits\n');
  console.log(`${''.padEnd(width)}${columns.join('  ')}`);
  for (const [says, letters] of seen)
    console.log(
      `${says.padEnd(width)}${columns.map((column, i) => (letters[i] ?? '').padEnd(column.length)).join('  ')}`.trimEnd(),
    );
  for (const { row, column, what } of wrong) console.error(`WRONG  ${row}, ${column}: ${what}`);
  console.log(`\n${cells} cells, ${wrong.length} faults (${since(began)})`);
  if (wrong.length > 0) process.exitCode = 1;
}

if (wanted !== 'matrix') {
  const began = performance.now();
  const { cells, left, differing } = await compare(allScenarios);
  for (const line of differing) console.error(`DIFFERS  ${line}`);
  console.log(
    `predicted and observed: ${cells - left} cells of ${allScenarios.length} domains compared, ${differing.length} differ (${since(began)});`,
  );
  console.log(
    `${left} left out: a check cannot predict them, the domain accepts no mail, or its server limits connections`,
  );
  if (differing.length > 0) process.exitCode = 1;
}
