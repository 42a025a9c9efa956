import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startSyntheticInternet, type SyntheticInternet } from '../../src/lab/index.js';
import { runCli } from '../support/run-cli.js';

/**
 * Number of domains in the list. `HERMETIC_SCAN_DOMAINS=10000` follows the guide at its
 * full size.
 */
const DOMAINS = Number(process.env['HERMETIC_SCAN_DOMAINS'] ?? 300);

const folder = mkdtempSync(join(tmpdir(), 'hermetic-scan-guide-'));
let internet: SyntheticInternet;

before(async () => {
  chmodSync(folder, 0o755);
  internet = await startSyntheticInternet({ domains: DOMAINS });
  writeFileSync(join(folder, 'domains.txt'), [...internet.facts.names()].join('\n'));
  writeFileSync(join(folder, 'anchors.txt'), internet.anchorLine);
  writeFileSync(join(folder, 'root.pem'), internet.rootPem);
});
after(async () => {
  await internet.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Returns the arguments of a command of the guide, with its files in the folder of the
 * test.
 */
function commandOf(guide: string, start: string): readonly string[] {
  const line = guide.split('\n').find((one) => one.startsWith(`hermetic ${start}`));
  assert.ok(line, `docs/scan.md has no command ${start}`);
  const inFolder = (word: string): string =>
    ['domains.txt', 'scans'].includes(word) ? join(folder, word) : word;
  return line.trim().split(' ').slice(1).map(inFolder);
}

test('the guide leads from a list of domains to its statistics', async () => {
  const guide = readFileSync('docs/scan.md', 'utf8');
  const { address, port } = internet.resolver;
  // The full guide uses the real pauses between connections. The scan abandons busy
  // servers immediately, because the pause before a retry is 15 minutes.
  const isFull = DOMAINS >= 10_000;
  const place = [
    ...['--smtp-port', String(internet.smtpPort), '--https-port', String(internet.httpsPort)],
    ...['--trust-anchor', join(folder, 'anchors.txt'), '--ca', join(folder, 'root.pem')],
    ...['--max-rests', '0', ...(isFull ? [] : ['--spacing', '0.2'])],
  ];
  const startArgs = commandOf(guide, 'scan start domains.txt --local').map((word) =>
    word === '127.0.0.1' ? `${address}:${port}` : word,
  );
  const began = performance.now();
  const started = await runCli([...startArgs, ...place]);
  const seconds = (performance.now() - began) / 1000;
  assert.equal(started.code, 0, started.err);
  const shown = await runCli([...commandOf(guide, 'scan show 1')]);
  for (const text of [started.out, shown.out]) {
    assert.match(text, /scan 1 .* done/);
    assert.match(text, /that accept mail/);
    assert.match(text, /with TLSA records/);
  }
  const { out } = await runCli(['scan', 'show', '1', '--json', '--local', join(folder, 'scans')]);
  const { graded, verdicts } = JSON.parse(out) as {
    readonly graded: number;
    readonly verdicts: Readonly<Record<string, number>>;
  };
  assert.equal(graded, DOMAINS);
  const inconclusive = verdicts['inconclusive'] ?? 0;
  // Half a percent of the hosting servers answer every connection with 421.
  assert.ok(inconclusive <= DOMAINS * 0.05, `${inconclusive} of ${DOMAINS} inconclusive`);
  const { mostOpen, mailCommands } = internet.counts();
  assert.deepEqual([mostOpen, mailCommands], [1, 0]);
  console.error(`${DOMAINS} domains in ${seconds.toFixed(0)} s`);
});
