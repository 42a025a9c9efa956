import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { Name } from '../base/index.js';
import { createResolver, typeNumber, type Proof } from '../dns/index.js';
import { createLab, LabDns, type Lab } from '../lab/index.js';
import { runCli } from '../../test/support/run-cli.js';

let folder: string;
let lab: Lab;
let anchorFile: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-'));
  const zones = [
    { apex: '.', signed: { algorithm: 8 as const } },
    { apex: 'example', signed: {} },
    {
      apex: 'good.example',
      signed: {},
      records:
        '_25._tcp.mx TLSA 3 1 1 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
    },
  ];
  lab = await createLab({ scenarios: [] });
  const dns = new LabDns(zones, Date.now());
  const resolver = createResolver({
    network: {
      dial: lab.network.dial.bind(lab.network),
      exchange: ({ query }) => Promise.resolve({ ok: true, bytes: dns.serve(query) as Uint8Array }),
    },
    upstreams: lab.upstreams,
    anchors: dns.anchors,
  });
  anchorFile = join(folder, 'anchor');
  writeFileSync(anchorFile, dns.anchorLine);
  for (const [file, name, type] of [
    ['found.json', '_25._tcp.mx.good.example', 'TLSA'],
    ['nxdomain.json', 'nothing.good.example', 'A'],
  ] as const) {
    const { proof } = await resolver.ask(Name.of(name), typeNumber(type) ?? 0);
    writeFileSync(join(folder, file), JSON.stringify(proof));
  }
});

after(async () => {
  await lab.close();
  rmSync(folder, { recursive: true });
});

const cli = (...args: string[]) => runCli(['dnssec', ...args]);

test('the chain is shown as a tree, no line wider than the terminal', async () => {
  const { code, out } = await cli('--lab', '_25._tcp.mx.good.example', 'TLSA');
  assert.equal(code, 0);
  assert.match(out, /TLSA: found, secure/);
  assert.match(out, /^\.\n {2}DNSKEY \d+ RSASHA256 {2}by \d+ until \d{4}-\d\d-\d\d$/m);
  assert.match(out, /^ {4}good\.example\n {6}DNSKEY/m);
  for (const line of out.split('\n').slice(2)) assert.ok(line.length <= 80, line);
});

test('an unsigned answer shows its proof; a bogus one shows the cause and exits with 1', async () => {
  const plain = await cli('--lab', 'mx.opportunistic.example', 'A');
  assert.equal(plain.code, 0);
  assert.match(plain.out, /found, insecure/);
  assert.match(plain.out, /not signed/);
  const bogus = await cli('--lab', 'bogus.example', 'MX');
  assert.equal(bogus.code, 1);
  assert.match(bogus.out, /dnssec-signature-expired/);
});

test('a stored proof is valid again, offline', async () => {
  for (const file of ['found.json', 'nxdomain.json']) {
    const { code, out } = await cli('verify', join(folder, file), '--trust-anchor', anchorFile);
    assert.equal(code, 0, out);
    assert.match(out, /The proof is valid/);
  }
});

test('it is not valid under other anchors, at another date, or when changed', async () => {
  const file = join(folder, 'found.json');
  const strange = await cli('verify', file);
  assert.equal(strange.code, 1);
  assert.match(strange.out, /dnssec-anchor-stale/);
  assert.equal(
    (await cli('verify', file, '--trust-anchor', anchorFile, '--at', '2030-01-01T00:00:00Z')).code,
    1,
  );
  const proof = JSON.parse(readFileSync(file, 'utf8')) as Proof;
  const changed = join(folder, 'changed.json');
  writeFileSync(changed, JSON.stringify(proof).replaceAll('0102030405', '0102030406'));
  assert.equal((await cli('verify', changed, '--trust-anchor', anchorFile)).code, 1);
});

test('bad input exits with 2 and states the expected form', async () => {
  const garbage = join(folder, 'garbage.json');
  writeFileSync(garbage, '{"schema":"hermetic.proof/1"}');
  for (const args of [
    ['example.com'],
    ['example.com', 'NOPE'],
    ['a..b', 'MX'],
    ['verify', garbage],
    ['verify', '/nonexistent'],
    ['verify', join(folder, 'found.json'), '--at', 'soon'],
    ['example.com', 'MX', '--clock-skew', '3601'],
    ['example.com', 'MX', '--clock-skew', '-1'],
  ]) {
    const { code, err } = await cli(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(err, /^hermetic: .+ \([a-z-]+\)\n {2}\S/);
  }
});
