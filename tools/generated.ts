/** Files made from the code: JSON Schemas, the catalogue of errors and the profiles. Without arguments they are written, with `--check` compared. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { format } from 'prettier';
import { nameFailures, type FailureCatalogue } from '../src/base/index.js';
import { catalogue, checkFailures } from '../src/check/index.js';
import { daneFailures } from '../src/dane/index.js';
import { dnssecFailures, transportFailures, updateFailures, wireFailures } from '../src/dns/index.js';
import { jsonSchemas } from '../src/evidence/index.js';
import { httpFailures } from '../src/http/index.js';
import { stsFailures } from '../src/mta-sts/index.js';
import { publishFailures } from '../src/publish/index.js';
import { serverFailures } from '../src/policy/index.js';
import { reportingFailures, sendFailures } from '../src/send/index.js';
import { smtpFailures } from '../src/smtp/index.js';
import { reportSchemas } from '../src/report/index.js';
import { storeFailures } from '../src/store/index.js';
import { builderFailures, reportFailures, reportQuirks, tlsRptFailures } from '../src/tls-rpt/index.js';
import { tlsFailures } from '../src/tls/index.js';
import { x509Failures } from '../src/x509/index.js';
import { withAnswers } from './answers-table.js';
import { profilesPage } from './profiles-page.js';

const parts: readonly (readonly [string, FailureCatalogue<string>])[] = [
  ['Names', nameFailures],
  ['DNS messages', wireFailures],
  ['DNS transport', transportFailures],
  ['DNSSEC', dnssecFailures],
  ['DNS updates', updateFailures],
  ['Certificates', x509Failures],
  ['SMTP', smtpFailures],
  ['TLS', tlsFailures],
  ['HTTPS', httpFailures],
  ['MTA-STS', stsFailures],
  ['DANE', daneFailures],
  ['TLS-RPT records', tlsRptFailures],
  ['TLS-RPT reports refused', reportFailures],
  ['TLS-RPT reports repaired', reportQuirks],
  ['TLS-RPT reports to be written', builderFailures],
  ['Publishing', publishFailures],
  ['What a server shows', serverFailures],
  ['Sending', sendFailures],
  ['Reporting', reportingFailures],
  ['Checking', checkFailures],
  ['Store', storeFailures],
];

async function generated(): Promise<ReadonlyMap<string, string>> {
  const files = new Map([
    ['docs/errors.md', errors()],
    ['docs/profiles.md', profilesPage()],
    ['docs/postfix.md', withAnswers(readFileSync('docs/postfix.md', 'utf8'))],
  ]);
  for (const [file, schema] of Object.entries({ ...jsonSchemas(), ...reportSchemas() }))
    files.set(`schemas/${file}`, await format(JSON.stringify(schema), { parser: 'json', printWidth: 140 }));
  return files;
}

function errors(): string {
  const row = (...cells: string[]): string => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`;
  const lines = [
    '# Errors and findings',
    '',
    'Generated from the catalogues in the code by `node dist/tools/generated.js`.',
    '',
    '## Failures',
    '',
  ];
  lines.push('Codes are stable. Blame says who has to act; a temporary failure may pass by itself.');
  for (const [name, { entries }] of parts) {
    lines.push('', `### ${name}`, '', row('code', 'blame', 'temporary', 'reported as (RFC 8460)', 'what happened', 'what to do', 'clause'));
    lines.push(row('---', '---', '---', '---', '---', '---', '---'));
    for (const [code, e] of Object.entries(entries))
      lines.push(row(`\`${code}\``, e.blame, e.temporary ? 'yes' : 'no', e.resultType ?? '', e.says, e.fix, e.clause ?? ''));
  }
  lines.push('', '## Findings of `hermetic check`', '', row('id', 'who can fix it', 'clause'), row('---', '---', '---'));
  for (const [id, { owner, reference }] of Object.entries(catalogue)) lines.push(row(`\`${id}\``, owner, reference));
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
  console.error(`${file} is not what the code says: run node dist/tools/generated.js`);
  process.exitCode = 1;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
