import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect, createServer } from 'node:tls';
import { createCa, createIntermediate, issue } from '../../pki/index.js';
import { importKey } from '../certificates/import-key.js';
import { planAdoption } from '../certificates/import-external.js';
import { nodeDisk } from './durable-file.js';
import { KeyRing } from './key-ring.js';
import { leanContext } from './lean-context.js';
import { LazyContexts } from './lazy-contexts.js';
import { ringContexts } from './ring-contexts.js';

function ringIn(t: TestContext): KeyRing {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return new KeyRing(folder);
}

const ca = createCa({ name: 'test root' });

function certify(ring: KeyRing, host: string): void {
  const key = {
    privateKey: ring.privateKey(host, 'ecdsa-1'),
    publicKey: ring.publicKey(host, 'ecdsa-1'),
  };
  writeFileSync(ring.chainFile(host, 'ecdsa-1'), issue(ca, { names: [host], key }).chainPem);
}

test('a key is created once and returned at later calls', (t) => {
  const ring = ringIn(t);
  ring.make('mx.example.com', 'ecdsa-1', 'ecdsa');
  const [first] = ring.list('mx.example.com', Date.now());
  ring.make('mx.example.com', 'ecdsa-1', 'ecdsa');
  assert.deepEqual(ring.list('mx.example.com', Date.now()), [first]);
  assert.equal(first?.certified, false);
  assert.deepEqual(readdirSync(join(ring.folder, 'mx.example.com')), ['ecdsa-1.key']);
});

test('an ECDSA key is of P-256, an RSA key of 2048 bits [9325-4.5-1]', (t) => {
  const ring = ringIn(t);
  for (const type of ['rsa', 'ecdsa'] as const) ring.make('mx.example.com', type, type);
  assert.equal(ring.publicKey('mx.example.com', 'rsa').asymmetricKeyDetails?.modulusLength, 2048);
  assert.equal(
    ring.publicKey('mx.example.com', 'ecdsa').asymmetricKeyDetails?.namedCurve,
    'prime256v1',
  );
});

test('only the owner can read private keys', (t) => {
  const ring = ringIn(t);
  ring.make('mx.example.com', 'rsa-1', 'rsa');
  assert.equal(statSync(ring.keyFile('mx.example.com', 'rsa-1')).mode & 0o077, 0);
  assert.equal(ring.list('mx.example.com', 0)[0]?.type, 'rsa');
});

test('files that root writes belong to the owner of the folder', (t) => {
  const ring = ringIn(t);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(ring.folder, 4321, 4322);
  const { uid, gid } = statSync(ring.folder);
  ring.make('mx.example.com', 'ecdsa-1', 'ecdsa');
  ring.putChain('mx.example.com', 'ecdsa-1', 'chain');
  const hostFolder = join(ring.folder, 'mx.example.com');
  const written = [hostFolder, ...readdirSync(hostFolder).map((name) => join(hostFolder, name))];
  assert.equal(written.length, 3);
  for (const filePath of written) {
    const stats = statSync(filePath);
    assert.deepEqual([stats.uid, stats.gid], [uid, gid], filePath);
  }
});

test('a symbolic link at the path of a draft is not followed', (t) => {
  const { folder } = ringIn(t);
  const other = join(folder, 'other');
  writeFileSync(other, 'untouched');
  symlinkSync(other, join(folder, 'draft'));
  nodeDisk.write(join(folder, 'draft'), 'text', 0o600);
  assert.equal(readFileSync(other, 'utf8'), 'untouched');
  assert.equal(readFileSync(join(folder, 'draft'), 'utf8'), 'text');
});

test('a key counts as certified only with a chain for that very key, in date', (t) => {
  const ring = ringIn(t);
  ring.make('mx.example.com', 'ecdsa-1', 'ecdsa');
  writeFileSync(
    ring.chainFile('mx.example.com', 'ecdsa-1'),
    issue(ca, { names: ['mx.example.com'] }).chainPem,
  );
  assert.equal(ring.list('mx.example.com', Date.now())[0]?.certified, false);
  certify(ring, 'mx.example.com');
  assert.equal(ring.list('mx.example.com', Date.now())[0]?.certified, true);
  assert.equal(ring.list('mx.example.com', Date.now() + 400 * 86_400_000)[0]?.certified, false);
});

test('a key from a server is imported once', (t) => {
  const ring = ringIn(t);
  const file = join(ring.folder, 'mail.key');
  writeFileSync(file, issue(ca, { names: ['mx.example.com'] }).keyPem);
  const observed = () => planAdoption('mx.example.com', file, { ring, at: 0 });
  const [first] = observed().imports;
  assert.ok(first);
  assert.equal(ring.list('mx.example.com', 0).length, 0);
  for (let i = 0; i < 2; i++) assert.deepEqual(importKey(first.action, ring), { status: 'done' });
  assert.equal(ring.list('mx.example.com', 0).length, 1);
  assert.deepEqual(observed(), { imports: [], alerts: [] });
  writeFileSync(file, 'no key');
  assert.deepEqual(
    observed().alerts.map(({ code, detail }) => [code, /no private key/.test(detail)]),
    [['publish-adopt-unreadable', true]],
  );
});

// [8461-7.1-3]
test('contexts are made on demand, bounded, and replaced with the certificate', (t) => {
  const ring = ringIn(t);
  const hosts = ['a', 'b', 'c'].map((label) => `mta-sts.${label}.example.com`);
  for (const host of hosts) {
    ring.make(host, 'ecdsa-1', 'ecdsa');
    certify(ring, host);
  }
  let now = 0;
  let loads = 0;
  const source = ringContexts(ring);
  const contexts = new LazyContexts({
    source: { ...source, load: (host) => (loads++, source.load(host)) },
    capacity: 2,
    freshMs: 1000,
    monotonic: () => now,
  });
  const [address = '', b = '', c = ''] = hosts;
  const first = contexts.contextFor(address);
  assert.ok(first);
  assert.equal(contexts.contextFor(address), first);
  contexts.contextFor(b);
  contexts.contextFor(address);
  contexts.contextFor(c); // replaces b, the least recently used
  assert.deepEqual([contexts.size, loads], [2, 3]);
  assert.equal(contexts.contextFor(address), first);
  certify(ring, address);
  utimesSync(ring.chainFile(address, 'ecdsa-1'), 1, 1);
  assert.equal(contexts.contextFor(address), first, 'still fresh');
  now = 1000;
  assert.notEqual(contexts.contextFor(address), first);
  rmSync(ring.chainFile(address, 'ecdsa-1'));
  now = 2000;
  assert.equal(contexts.contextFor(address), undefined);
});

test('an invalid host name never reaches the file system', (t) => {
  const ring = ringIn(t);
  writeFileSync(join(ring.folder, 'ecdsa-1.pem'), '');
  const source = ringContexts(ring);
  for (const name of [
    '..',
    '../x',
    'mta-sts.example.com/../../x',
    '',
    '.',
    'a'.repeat(300),
    'mta-sts..example',
    'mta-sts.\0.example',
  ])
    assert.equal(source.version(name), undefined, name);
});

test('a small context has the whole chain and belongs to the requested name', async (t) => {
  const intermediate = createIntermediate(ca, { name: 'test intermediate' });
  const made = new Map(
    ['a.example', 'b.example'].map((name) => [name, issue(intermediate, { names: [name] })]),
  );
  const contexts = new Map(
    [...made].map(([name, { chainPem, keyPem }]) => [name, leanContext(chainPem, keyPem)]),
  );
  const server = createServer(
    { SNICallback: (name, done) => done(null, contexts.get(name)) },
    (socket) => socket.end(),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  for (const [servername, { der }] of made) {
    const socket = connect({
      port: (server.address() as AddressInfo).port,
      servername,
      ca: ca.certPem,
    });
    await once(socket, 'secureConnect');
    const shown = socket.getPeerCertificate(true);
    assert.deepEqual([shown.raw, shown.issuerCertificate.raw], [der, intermediate.der]);
    socket.destroy();
    // The copies were freed. If this assertion fails, Node has changed, and the contexts
    // need a third more memory.
    assert.equal(
      (contexts.get(servername)?.context as { getCertificate(): unknown }).getCertificate(),
      null,
    );
  }
});
