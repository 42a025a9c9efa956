/**
 * Files generated from the code: JSON Schemas, the catalogue of errors, the profiles, and
 * tables within pages. Without arguments the command writes them; with `--check` it
 * compares them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { format } from 'prettier';
import { catalogue } from '../src/check/index.js';
import { allFailures } from '../src/catalogue/index.js';
import { jsonSchemas } from '../src/evidence/index.js';
import { reportSchemas } from '../src/tls-rpt-receive/index.js';
import { configJsonSchema } from '../src/server/index.js';
import { predictionSchemas, senderSchemas } from '../src/sender/index.js';
import { scanSchemas } from '../src/scan/index.js';
import { watchSchemas } from '../src/watch/index.js';
import { accessPage } from './access-page.js';
import { apiReport } from './api-report.js';
import { withAnswers } from './answers-table.js';
import { profilesPage } from './profiles-page.js';
import { withRules } from './rules-table.js';
import { scanDataPage } from './scan-data-page.js';
import { readClauses, standardsPage } from './spec.js';

async function generated(): Promise<ReadonlyMap<string, string>> {
  const files = new Map([
    ['docs/errors.md', errors()],
    ['docs/profiles.md', profilesPage()],
    ['docs/web-access.md', accessPage()],
    ['docs/scan-data.md', await scanDataPage()],
    ['docs/standards.md', standardsPage(readClauses().registers)],
    ['docs/api/report.md', apiReport()],
    ['docs/postfix.md', withAnswers(readFileSync('docs/postfix.md', 'utf8'))],
    ['docs/receive-reports.md', withRules(readFileSync('docs/receive-reports.md', 'utf8'))],
  ]);
  for (const [file, schema] of Object.entries({
    ...jsonSchemas(),
    ...reportSchemas(),
    ...watchSchemas(),
    ...senderSchemas(),
    ...predictionSchemas(),
    ...scanSchemas(),
    'hermetic.yaml.json': configJsonSchema(),
  }))
    files.set(
      `schemas/${file}`,
      await format(JSON.stringify(schema), { parser: 'json', printWidth: 140 }),
    );
  return files;
}

function errors(): string {
  const row = (...cells: string[]): string =>
    `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`;
  const lines = [
    '# Errors and findings',
    '',
    'Generated from the catalogues in the code by `node dist/tools/generated.js`.',
    '',
    '## Failures',
    '',
  ];
  lines.push(
    'Codes are stable. Blame names the party that must act. A temporary failure may end by itself.',
  );
  for (const [name, { entries }] of allFailures) {
    lines.push(
      '',
      `### ${name}`,
      '',
      row('code', 'blame', 'temporary', 'reported as (RFC 8460)', 'failure', 'fix', 'clause'),
    );
    lines.push(row('---', '---', '---', '---', '---', '---', '---'));
    for (const [code, e] of Object.entries(entries))
      lines.push(
        row(
          `\`${code}\``,
          e.blame,
          e.temporary ? 'yes' : 'no',
          e.resultType ?? '',
          e.message,
          e.fix,
          e.clause ?? '',
        ),
      );
  }
  lines.push(
    '',
    '## Findings of `hermetic check`',
    '',
    row('id', 'responsible', 'clause'),
    row('---', '---', '---'),
  );
  for (const [id, { owner, reference }] of Object.entries(catalogue))
    lines.push(row(`\`${id}\``, owner, reference));
  return `${lines.join('\n')}\n`;
}

const check = process.argv.includes('--check');
for (const [file, text] of await generated()) {
  if (!check) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    continue;
  }
  if (read(file) === text) continue;
  console.error(`${file} differs from the code: run node dist/tools/generated.js`);
  process.exitCode = 1;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
