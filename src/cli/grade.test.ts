import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import type { CheckResult } from '../evidence/index.js';
import { createCa, issue } from '../pki/index.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
} from '../../test/support/check/planted-evidence.js';
import { runCli } from '../../test/support/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'hermetic-grade-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const root = createCa({ name: 'Company Root', notBefore: 0 });
const { chain } = issue(root, {
  names: ['mx.planted.example'],
  notBefore: Date.UTC(2026, 4, 1),
  notAfter: Date.UTC(2026, 7, 1),
});
const evidence = join(folder, 'seen.json');
const pem = join(folder, 'company.pem');
writeFileSync(pem, root.certPem);
writeFileSync(
  evidence,
  JSON.stringify(
    plantedEvidence({
      hosts: [plantedHost({ addresses: [plantedAddress({ handshake: plantedHandshake(chain) })] })],
    }),
  ),
);

/** Returns the verdict on the certificate chain and the names of the trust stores. */
async function judged(...options: string[]): Promise<string> {
  const { out, err } = await runCli(['grade', evidence, '--json', ...options]);
  assert.equal(err, '');
  const { hosts, provenance } = JSON.parse(out) as CheckResult;
  const stores = provenance?.trustStores?.map(({ name }) => name) ?? [];
  return [hosts[0]?.addresses[0]?.certificates[0]?.chain, ...stores].join(' ');
}

test('grade keeps the verdicts of the check without an option for roots', async () => {
  assert.equal(await judged(), 'trusted');
});

test('grade --builtin-ca judges saved chains by the roots of this version', async () => {
  assert.equal(await judged('--builtin-ca'), 'incomplete mozilla');
});

test('grade --ca judges saved chains by the roots of a file too', async () => {
  assert.equal(await judged('--ca', pem), 'trusted mozilla file');
});

const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/cert.pem'];
const skip = bundles.some(existsSync) ? false : 'this system has no bundle of CA certificates';
test('grade --system-ca judges saved chains by the roots of the system', { skip }, async () => {
  assert.equal(await judged('--system-ca'), 'incomplete system');
  assert.equal(await judged('--system-ca', '--ca', pem), 'trusted system file');
});
