import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from '@photostructure/sqlite';
import { hookWriter } from '../../src/publish/dns/hook-writer.js';
import { freePort } from '../support/free-port.js';
import { Daemon, runProgram, until } from './process.js';

const zone = 'one.example';
const tlsaName = `_25._tcp.mx1.${zone}`;
const [current, next] = [`3 1 1 ${'aa'.repeat(32)}`, `3 1 1 ${'bb'.repeat(32)}`];

test('PowerDNS: the hook changes, verifies and removes TXT and TLSA in a signed zone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-pdns-'));
  const [port, apiPort] = [await freePort(), await freePort()];
  const database = new DatabaseSync(join(folder, 'zones.db'));
  database.exec(readFileSync('/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql', 'utf8'));
  database.close();
  writeFileSync(
    join(folder, 'pdns.conf'),
    `launch=gsqlite3
gsqlite3-database=${folder}/zones.db
gsqlite3-dnssec=yes
local-address=127.0.0.1
local-port=${port}
socket-dir=${folder}
api=yes
api-key=pdns-token
webserver=yes
webserver-address=127.0.0.1
webserver-port=${apiPort}
query-cache-ttl=0
cache-ttl=0
zone-cache-refresh-interval=0
`,
  );
  const daemon = new Daemon('pdns_server', [`--config-dir=${folder}`, '--guardian=no'], folder);
  t.after(async () => {
    await daemon.stop();
    rmSync(folder, { recursive: true });
  });
  const api = `http://127.0.0.1:${apiPort}`;
  const headers = { 'x-api-key': 'pdns-token', 'content-type': 'application/json' };
  const body = JSON.stringify({
    name: `${zone}.`,
    kind: 'Native',
    dnssec: true,
    api_rectify: true,
    nameservers: [`ns.${zone}.`],
  });
  await until(
    'the zone',
    async () =>
      (await fetch(`${api}/api/v1/servers/localhost/zones`, { method: 'POST', headers, body }))
        .status === 201,
    () => daemon.log,
  );
  writeFileSync(join(folder, 'token'), 'pdns-token\n', { mode: 0o600 });
  const script = resolve('examples/hooks/change-record.mjs');
  const options = ['--zone', zone, '--token-file', join(folder, 'token'), '--api', api];
  const write = hookWriter([process.execPath, script, 'powerdns', ...options]);
  const set = async (
    type: 'TXT' | 'TLSA' | 'CNAME',
    name: string,
    from: readonly string[],
    to: readonly string[],
  ): Promise<string> => {
    const result = await write({ kind: 'set-rrset', name, type, from, to, ttl: 60 });
    return result.status === 'failed' ? result.detail : result.status;
  };
  const dig = async (name: string, type: string): Promise<readonly string[]> => {
    const asked = ['+short', '+dnssec', '@127.0.0.1', '-p', String(port), name, type];
    return (await runProgram('dig', asked)).out.trim().split('\n').filter(Boolean);
  };
  const tlsa = async (): Promise<readonly string[]> =>
    (await dig(tlsaName, 'TLSA'))
      .filter((line) => line.startsWith('3 1 1'))
      .map((line) => `3 1 1 ${line.slice(6).replaceAll(' ', '').toLowerCase()}`)
      .sort();

  assert.equal(await set('TLSA', tlsaName, [], [current]), 'done', daemon.log);
  assert.equal(await set('TLSA', tlsaName, [], [current]), 'done', 'again');
  assert.equal(await set('TLSA', tlsaName, [current], [current, next]), 'done');
  assert.deepEqual(await tlsa(), [current, next]);
  assert.ok(
    (await dig(tlsaName, 'TLSA')).some((line) => line.startsWith('TLSA ')),
    'signed',
  );
  assert.match(await set('TLSA', tlsaName, [current], [next]), /changed by another program/);
  assert.deepEqual(await tlsa(), [current, next]);
  assert.equal(await set('TLSA', tlsaName, [next, current], [next]), 'done');
  assert.deepEqual(await tlsa(), [next]);
  assert.equal(await set('TLSA', tlsaName, [next], []), 'done');
  assert.deepEqual(await tlsa(), []);

  const long = `"${'x'.repeat(255)}" "${'y'.repeat(40)}"`;
  const policy = '"v=STSv1; id=20270101;"';
  assert.equal(await set('TXT', `_mta-sts.${zone}`, [], [policy]), 'done');
  assert.ok((await dig(`_mta-sts.${zone}`, 'TXT')).includes(policy));
  assert.equal(await set('TXT', `_mta-sts.${zone}`, [policy], [long]), 'done');
  assert.ok((await dig(`_mta-sts.${zone}`, 'TXT')).includes(long));
  assert.equal(await set('TXT', `_mta-sts.${zone}`, [long], []), 'done');
  assert.deepEqual(
    (await dig(`_mta-sts.${zone}`, 'TXT')).filter((line) => line.startsWith('"')),
    [],
  );
  assert.equal(await set('CNAME', `mta-sts.${zone}`, [], ['policy.two.example.']), 'done');
  assert.ok((await dig(`mta-sts.${zone}`, 'CNAME')).includes('policy.two.example.'));
  // The hook sends no request for a name outside the configured zone.
  assert.match(await set('TXT', '_mta-sts.two.example', [], [policy]), /not in the zone/);

  writeFileSync(join(folder, 'token'), 'wrong\n');
  assert.match(await set('TXT', `_mta-sts.${zone}`, [], [policy]), /401/);
});
