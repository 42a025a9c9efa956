import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { Clock } from '../../../base/index.js';
import { decodeMessage, encodeMessage } from '../../../dns/index.js';
import type { Network } from '../../../net/index.js';
import { decideDomain } from '../../../tls-policy/index.js';
import { startPostfixMap, type PostfixMap } from './postfix-map.js';
import { postfixSection } from './settings.js';
import { FakeClock } from '../../../../test/support/fake-clock.js';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-'));
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
});
after(() => rmSync(folder, { recursive: true }));

/**
 * Returns a name server whose AD bit the test switches, and a clock that the test sets.
 */
function world(): {
  network: Network;
  clock: Clock;
  server: { ad: boolean };
  pass(): Promise<void>;
} {
  const server = { ad: true };
  const clock = new FakeClock(0, 'wait');
  return {
    server,
    network: {
      dial: () => Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } }),
      exchange({ query }) {
        const asked = decodeMessage(query);
        assert.ok(asked.ok);
        return Promise.resolve({
          ok: true,
          bytes: encodeMessage({ ...asked.value, response: true, authenticData: server.ad }),
        });
      },
    },
    clock,
    async pass() {
      clock.move(60_000);
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    },
  };
}

/**
 * Starts a map in front of a policy in which every domain has one host with TLSA records
 * and signed MX records.
 */
async function start(
  { network, clock }: ReturnType<typeof world>,
  asked: string[],
): Promise<PostfixMap> {
  return startPostfixMap({
    settings: postfixSection.parse({
      version: '3.7',
      resolver: { file: join(folder, 'resolv.conf') },
    }),
    network,
    clock,
    decide: async (hop) => {
      const domain = hop.kind === 'address' ? hop.ip : hop.name.toLower();
      asked.push(domain);
      const tlsa = {
        status: 'usable',
        base: domain,
        dnssec: 'secure',
        records: [`3 1 1 ${'ab'.repeat(32)}`],
      } as const;
      const host = {
        name: domain,
        preference: 0,
        addresses: ['192.0.2.1'],
        dnssec: 'secure',
        tlsa,
        until: 600_000,
      } as const;
      return decideDomain({
        domain,
        at: 0,
        route: { kind: 'mx', dnssec: 'secure' },
        canonicalDomain: domain,
        hosts: [host],
        mtaSts: undefined,
        until: 600_000,
        resolverAtFault: false,
      });
    },
  });
}

test("dane is answered only while Postfix's resolver validates", async () => {
  const around = world();
  const map = await start(around, []);
  assert.equal(await map.lookup('example.com'), 'OK dane');
  around.server.ad = false;
  await around.pass();
  assert.equal(map.validates, false);
  assert.match(await map.lookup('example.com'), /^TEMP .*validate/);
  around.server.ad = true;
  await around.pass();
  assert.equal(await map.lookup('example.com'), 'OK dane');
  map.stop();
});

test('parent keys are answered without a lookup and are not cached', async () => {
  const asked: string[] = [];
  const map = await start(world(), asked);
  for (let i = 0; i < 1000; i++) assert.equal(await map.lookup(`.d${i}.example`), 'NOTFOUND ');
  assert.deepEqual([asked.length, map.counts.kept], [0, 0]);
  map.stop();
});

test('concurrent requests for a key cause one lookup', async () => {
  const asked: string[] = [];
  const map = await start(world(), asked);
  await Promise.all(Array.from({ length: 100 }, () => map.lookup('example.com')));
  for (let i = 0; i < 100; i++) await map.lookup('example.com');
  assert.deepEqual(asked, ['example.com']);
  map.stop();
});
