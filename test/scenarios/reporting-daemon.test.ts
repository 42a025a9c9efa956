import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { runCli } from '../support/run-cli.js';
import { createLog, parseConfig, startDaemon } from '../../src/server/index.js';
import { newKeyPair } from '../../src/base/index.js';

const folder = mkdtempSync(join(tmpdir(), 'hermetic-reporting-'));
test.after(() => rmSync(folder, { recursive: true }));
const keyFile = join(folder, 'dkim.pem');
writeFileSync(
  keyFile,
  newKeyPair({ type: 'ed25519' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  { mode: 0o600 },
);

const configText = (dkimDomain = 'sender.example', more = ''): string => `
resolver: {addresses: ['127.0.0.1:9']}
store: {file: ${join(folder, 'hermetic.db')}}
reporting:
  organization: Sender Example
  contact: tls@mail.sender.example
  dkim: {domain: ${dkimDomain}, selector: s1, key: ${keyFile}}
  feed: 127.0.0.1:0
${more}`;

async function started(
  text: string,
): Promise<Awaited<ReturnType<typeof startDaemon>> & { lines: string[] }> {
  const config = parseConfig(text);
  assert.ok(config.ok, JSON.stringify(config));
  const lines: string[] = [];
  const daemon = await startDaemon(
    config.value,
    createLog({ format: 'plain', write: (line) => void lines.push(line), now: Date.now }),
  );
  return Object.assign(daemon, { lines });
}

test('sessions of the feed survive a restart; other input is logged', async () => {
  const daemon = await started(configText());
  const at = daemon.listening.find((l) => l.what === 'reporting-feed')?.at;
  assert.ok(at && 'port' in at);
  const socket = connect(at.port, '127.0.0.1');
  const line =
    '{"d":"rcpt.example","pr":"v=TLSRPTv1; rua=mailto:r@rcpt.example","policies":[{"policy-type":9,"t":0,"f":0}]}\n';
  socket.end(`${line.repeat(3)}no event\n${line}`);
  await once(socket, 'close');
  await daemon.stop();
  assert.ok(daemon.lines.some((l) => /warn reporting-event-malformed/.test(l)));

  const file = join(folder, 'hermetic.yaml');
  writeFileSync(file, configText());
  const shown = await runCli(['report', 'preview', '--config', file]);
  assert.equal(shown.code, 0, shown.err);
  assert.match(
    shown.out,
    /^rcpt\.example {2}\d{4}-\d\d-\d\d {2}still counting\n {2}to mailto:r@rcpt\.example\n/,
  );
  assert.match(shown.out, /"total-successful-session-count": 4/);
  const json = await runCli(['report', 'preview', 'rcpt.example', '--json', '--config', file]);
  assert.deepEqual((JSON.parse(json.out) as { destinations: unknown }).destinations, [
    { uri: 'mailto:r@rcpt.example' },
  ]);
  assert.equal(
    (await runCli(['report', 'preview', 'other.example', '--config', file])).out,
    'No session is counted, and no report was sent.\n',
  );
});

test('a foreign DKIM domain and a missing socket stop the start', async () => {
  await assert.rejects(started(configText('other.example')), { code: 'config-dkim-domain' });
  await assert.rejects(started(configText('sender.example', '  datagrams: true')), {
    code: 'reporting-no-descriptor',
  });
});

test('a preview without the section says where to find one', async () => {
  const file = join(folder, 'without.yaml');
  writeFileSync(file, `store: {file: ${join(folder, 'x.db')}}\n`);
  const shown = await runCli(['report', 'preview', '--config', file]);
  assert.equal(shown.code, 2);
  assert.match(shown.err, /no section reporting/);
});
