import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCa, createIntermediate, issue, selfSigned } from '../pki/index.js';
import { runCli } from '../../test/support/run-cli.js';

const root = createCa({ name: 'Test Root' });
const intermediate = createIntermediate(root, { name: 'Test Intermediate' });
const leaf = issue(intermediate, { names: ['mx1.one.example'] });
const ownCa = selfSigned({ names: ['mx1.one.example'], ca: true });

async function tlsa(t: TestContext, pem: string, ...more: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-tlsa-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'given.pem');
  writeFileSync(file, pem);
  return runCli(['tlsa', file, ...more]);
}

const isCa = /this is a CA certificate.*never matches \(RFC 7671 §5\.1\)/;

for (const [what, pem] of [
  ['an intermediate alone', intermediate.certPem],
  ['a root', root.certPem],
  ['a chain with the intermediate first', intermediate.certPem + leaf.certPem],
] as const)
  test(`${what}: a warning and the record`, async (t) => {
    const { code, out, err } = await tlsa(t, pem);
    assert.equal(code, 0);
    assert.match(out, /^3 1 1 [0-9a-f]{64}\n$/);
    assert.match(err, isCa);
  });

for (const [what, pem] of [
  ['a server certificate', leaf.certPem],
  ['its chain', leaf.chainPem],
  ['its private key', leaf.keyPem],
  ['a self-signed server certificate from openssl req -x509', ownCa.certPem],
] as const)
  test(`${what}: no warning about a CA`, async (t) => {
    const { out, err } = await tlsa(t, pem);
    assert.match(out, /^3 1 1 [0-9a-f]{64}\n$/);
    assert.doesNotMatch(err, isCa);
  });

test('a certificate for another host is reported', async (t) => {
  const { err } = await tlsa(t, leaf.certPem, '--host', 'mx2.one.example');
  assert.match(err, /it is for mx1\.one\.example, not for mx2\.one\.example/);
  const own = await tlsa(t, leaf.certPem, '--host', 'MX1.one.example');
  assert.doesNotMatch(own.err, /warning/);
});

test('tlsa --json prints owner, type, TTL and records', async (t) => {
  const { out } = await tlsa(t, leaf.certPem, '--host', 'mx1.one.example', '--json');
  const { name, type, ttl, records } = JSON.parse(out) as Record<string, unknown>;
  assert.deepEqual([name, type, ttl], ['_25._tcp.mx1.one.example', 'TLSA', 3600]);
  assert.match(String(records), /^3 1 1 [0-9a-f]{64}$/);
});
