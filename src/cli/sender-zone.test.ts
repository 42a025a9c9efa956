import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Name } from '../base/index.js';
import { parseZone } from '../dns/index.js';
import type { StaticZone } from '../sender/index.js';
import { runCli } from '../../test/support/run-cli.js';

/** Returns a function that runs the command with a configuration of the test. */
function zoneCommand(
  t: TestContext,
  section: string,
): (...args: string[]) => ReturnType<typeof runCli> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-sender-zone-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'hermetic.yaml');
  writeFileSync(config, section.replace('KEYS', join(folder, 'keys')));
  return (...args) => runCli(['sender', 'zone', '--config', config, ...args]);
}

const section = `senderTest:
  zone: sender.example.net
  nameServers: {ns1.sender.example.net: [192.0.2.53, "2001:db8::53"], ns.elsewhere.example: [192.0.2.54]}
  mailAddresses: [192.0.2.25]
  policyAddresses: [192.0.2.80]
  keys: KEYS
  acme: {directory: https://ca.example/dir, agreed: true}
`;

test('sender zone prints the delegation, the same at every run', async (t) => {
  const run = zoneCommand(t, section);
  const first = await run();
  assert.equal(first.code, 0, first.err);
  const [ns1, ns2, a, aaaa, ds] = first.out.trimEnd().split('\n');
  assert.match(ns1 ?? '', /^sender\.example\.net\.\s+60\s+IN\s+NS\s+ns1\.sender\.example\.net\.$/);
  assert.match(ns2 ?? '', /NS\s+ns\.elsewhere\.example\.$/);
  assert.match(a ?? '', /^ns1\.sender\.example\.net\..*A\s+192\.0\.2\.53$/);
  assert.match(aaaa ?? '', /AAAA\s+2001:db8::53$/);
  assert.match(ds ?? '', /^sender\.example\.net\.\s.*DS\s+\d+ 13 2 [0-9A-Fa-f]{64}$/);
  assert.equal((await run()).out, first.out);
});

test('only the owner can read the keys of a sender test', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-sender-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const keys = join(folder, 'new', 'keys');
  const { out } = await zoneCommand(t, section.replace('KEYS', keys))('--json');
  assert.match(out, /"zone": ?"sender\.example\.net"/);
  assert.deepEqual(readdirSync(keys).sort(), ['host.pem', 'issuer.pem', 'zone.pem']);
  for (const name of readdirSync(keys))
    assert.equal(statSync(join(keys, name)).mode & 0o777, 0o600);
});

test('sender zone --static prints whole zones, each with its signing', async (t) => {
  const run = zoneCommand(t, section);
  const zones = JSON.parse((await run('--static', '--json')).out) as StaticZone[];
  for (const { apex, text } of zones)
    assert.ok(parseZone(text, { origin: Name.of(apex), defaultTtl: 60 }).ok, apex);
  const byApex = new Map(zones.map((zone) => [zone.apex, zone]));
  const own = byApex.get('sender.example.net');
  assert.ok(own);
  const zone = 'me.sender.example.net';
  const expected = {
    [`plain.${zone}`]: 'insecure',
    [`dane.${zone}`]: 'secure',
    [`bogus-mx.${zone}`]: 'bogus',
    [`_25._tcp.mx.dane-bogus-tlsa.${zone}`]: 'bogus',
  };
  for (const [apex, dnssec] of Object.entries(expected))
    assert.equal(byApex.get(apex)?.dnssec, dnssec, apex);
  assert.match(own.text, /^bogus-mx\.me\.sender\.example\.net\..*DS/m);
  assert.doesNotMatch(own.text, /^plain\.me\.sender\.example\.net\..*DS/m);
  const tlsa = `_25._tcp.mx.dane-bogus-tlsa.${zone}`;
  assert.equal(byApex.get(tlsa)?.parent, `dane-bogus-tlsa.${zone}`);
  assert.ok(byApex.get(`dane-bogus-tlsa.${zone}`)?.text.includes(`${tlsa}.`));
  assert.equal(byApex.has(`v6.${zone}`), false);
  const { out } = await run('--static', '--slot', 'abc');
  assert.match(out, /^; zone plain\.abc\.sender\.example\.net, zone above: sender\.example\.net$/m);
});

test('sender zone refuses a configuration without the section, and odd slots', async (t) => {
  const absent = await zoneCommand(t, 'metrics: {listen: 9461}\n')();
  assert.match(absent.err, /sender-test-absent/);
  const odd = await zoneCommand(t, section)('--static', '--slot', 'a.b');
  assert.equal(odd.code, 2);
});
