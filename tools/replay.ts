import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseRpl } from './replay/parse-rpl.js';
import { runScenario } from './replay/run-scenario.js';

const folder = process.argv[2];
if (!folder || !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
  process.stderr.write('replay: give a folder of .rpl files: npm run replay -- FOLDER\n');
  process.exit(2);
}
const files = readdirSync(folder)
  .filter((f) => f.endsWith('.rpl'))
  .sort();
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const file of files) {
  const outcome = await runScenario(parseRpl(readFileSync(join(folder, file), 'latin1')));
  counts[outcome.kind]++;
  if (outcome.kind === 'skipped') process.stdout.write(`skipped ${file}: ${outcome.why}\n`);
  if (outcome.kind === 'failed') process.stdout.write(`FAILED  ${file}: ${outcome.why}\n`);
}
process.stdout.write(
  `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`,
);
process.exitCode = counts.failed > 0 || files.length === 0 ? 1 : 0;
