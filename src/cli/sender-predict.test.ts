import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { predictionSchema, type SenderPrediction } from '../sender/index.js';
import { runCli } from '../../test/support/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'hermetic-predict-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const dane = 'smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n';
const main = file('main.cf', `${dane}smtp_tls_policy_maps = texthash:tls_policy\n`);
file('tls_policy', 'bank.example secure match=.bank.example\n');
const device = file('device.cf', `${dane}smtp_tls_policy_maps = hash:/dev/zero\n`);
const yaml = file('hermetic.yaml', 'policy: {observe: true}\n');
const served = file('served.cf', `${dane}smtp_tls_policy_maps = socketmap:unix:/x:y\n`);

async function predicted(...args: readonly string[]): Promise<SenderPrediction> {
  const { out, err } = await runCli(['sender', 'predict', ...args, '--json']);
  assert.equal(err, '');
  return predictionSchema.parse(JSON.parse(out));
}

test('tables next to the configuration are read', async () => {
  const { destinations } = await predicted('postfix', main);
  assert.deepEqual(
    destinations.map(({ destination, tls }) => `${destination} ${tls}`),
    ['bank.example required'],
  );
  const bank = await predicted('postfix', main, '--domain', 'bank.example');
  assert.equal(
    bank.mechanisms.find(({ mechanism }) => mechanism === 'dane')?.verdict,
    'does-not-use',
  );
});

test('only regular files are read as tables', async () => {
  const { mechanisms } = await predicted('postfix', device);
  assert.ok(mechanisms.some(({ reason }) => reason.includes('/dev/zero is not a regular file')));
});

test('--set shows the effect of a change', async () => {
  const { cases } = await predicted('postfix', main, '--set', 'smtp_tls_security_level = encrypt');
  assert.equal(cases.find((one) => one.case === 'clear')?.verdict, 'refused');
});

test('the exit status shows whether DANE and MTA-STS are enforced', async () => {
  const status = async (...args: readonly string[]): Promise<number> =>
    (await runCli(['sender', 'predict', ...args])).code;
  const roots = ['--set', 'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt'];
  assert.equal(await status('postfix', served, '--policy-server', 'hermetic', ...roots), 0);
  assert.equal(await status('postfix', main), 1);
  assert.equal(await status('postfix', served), 3);
  assert.equal(await status('postfix', join(folder, 'absent')), 2);
  assert.equal(await status('sendmail', main), 2);
});

test('hermetic.yaml is the configuration of the senders of the daemon', async () => {
  const { mechanisms } = await predicted('hermetic', yaml);
  assert.equal(mechanisms.find(({ mechanism }) => mechanism === 'dane')?.verdict, 'observes-only');
  const broken = await runCli(['sender', 'predict', 'hermetic', file('bad.yaml', 'policy: 1\n')]);
  assert.equal(broken.code, 2);
  assert.match(broken.err, /config-invalid/);
});

test('the text fits the width, and text from tables is neutralised', async () => {
  const hostile = file(
    'hostile.cf',
    `${dane}smtp_tls_policy_maps = inline:{ a.example=\u001b[31mmay }\n`,
  );
  for (const width of [60, 80, 120]) {
    const { out } = await runCli(['sender', 'predict', 'postfix', hostile], width);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(out, /\u001b/);
    for (const line of out.split('\n'))
      assert.ok(line.length <= width || /^ {4}\S+ = \S+/.test(line), `${width}: ${line}`);
  }
});
