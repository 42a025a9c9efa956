import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { check } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/commands/lab-options.js';
import { run } from '../../src/cli/run.js';
import { createLab } from '../../src/lab/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import { missingRecords } from '../../src/publish/index.js';
import { parseCertificate, spkiSha256 } from '../../src/x509/index.js';

async function missing(t: { after(done: () => Promise<void>): void }, domain: string): Promise<readonly string[]> {
  const lab = await createLab();
  t.after(() => lab.close());
  return missingRecords(await check(domain, labOptions(lab))).map(({ kind, text }) => `${kind} ${text}`);
}

test('what is missing comes in the safe order: reports, the policy in testing mode, its record, then TLSA', async (t) => {
  const steps = await missing(t, 'signed-only.example');
  assert.deepEqual(
    steps.map((step) =>
      step
        .replace(/id=\w+|[0-9a-f]{64}/, '…')
        .split('\r\n')
        .slice(0, 2)
        .join(' '),
    ),
    [
      'record _smtp._tls.signed-only.example. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tlsrpt@signed-only.example"',
      'file version: STSv1 mode: testing',
      'record _mta-sts.signed-only.example. 3600 IN TXT "v=STSv1; …;"',
      'note mx.signed-only.example: keep its key over renewals, and compare these digests with hermetic tlsa on the server itself; only if it is yours',
      'record _25._tcp.mx.signed-only.example. 3600 IN TLSA 3 1 1 …',
    ],
  );
});

test('nothing is missing of a domain that has it all, and nothing is said of one that receives no mail', async (t) => {
  assert.deepEqual(await missing(t, 'good.example'), []);
  assert.deepEqual(await missing(t, 'null-mx.example'), ['note nothing is missing']);
});

test('no TLSA record is offered for an unsigned zone or a server without STARTTLS', async (t) => {
  for (const domain of ['opportunistic.example', 'plaintext.example'])
    assert.deepEqual(
      (await missing(t, domain)).filter((step) => / TLSA /.test(step) && step.startsWith('record')),
      [],
      domain,
    );
});

test('hermetic tlsa: the record of a certificate, of its key, and what is no PEM is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-tlsa-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const made = issue(createCa({ name: 'test root' }), { names: ['mx.example.com'] });
  const [chain, key, noise] = ['chain.pem', 'key.pem', 'noise'].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(chain, made.chainPem);
  writeFileSync(key, made.keyPem);
  writeFileSync(noise, 'nothing');
  const certificate = parseCertificate(made.der);
  assert.ok(certificate.ok);
  const printed = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    let [out, err] = ['', ''];
    const output = {
      out: (s: string) => void (out += s),
      err: (s: string) => void (err += s),
      width: 80,
      color: false,
      interactive: false,
    };
    return { code: await run(['tlsa', ...args], output, new AbortController().signal), out, err };
  };
  const record = `_25._tcp.mx.example.com. 3600 IN TLSA 3 1 1 ${spkiSha256(certificate.value)}\n`;
  assert.equal((await printed('--host', 'mx.example.com', chain)).out, record);
  assert.equal((await printed('--host', 'mx.example.com', key)).out, record);
  const refused = await printed(noise);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /neither certificate nor key/);
});
