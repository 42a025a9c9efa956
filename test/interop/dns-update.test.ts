import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Name } from '../../src/base/index.js';
import { sendUpdate, type TsigKey } from '../../src/dns/index.js';
import { nodeNetwork } from '../../src/net/index.js';
import { txtRdata } from '../../src/publish/index.js';
import { freePort } from '../support/free-port.js';
import { runProgram, until } from './process.js';
import { bind, knot } from './update-servers.js';

const zone = 'mail.example';
const [tlsaName, txtName] = [`_25._tcp.mx.${zone}`, `_mta-sts.${zone}`];
const [current, next] = [`3 1 1 ${'aa'.repeat(32)}`, `3 1 1 ${'bb'.repeat(32)}`];
const secret = Buffer.alloc(32, 9);
const right: TsigKey = { name: Name.of('hermetic'), algorithm: 'hmac-sha256', secret };

for (const program of [bind, knot])
  // [2136-2.4-1, 8945-5.3-1]
  test(`${program.name}: compare and set, signed both ways, only with the right key`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'hermetic-update-'));
    const port = await freePort();
    const daemon = await program.start(
      folder,
      { address: '127.0.0.1', port },
      {
        zone,
        records: '@ NS ns\n@ MX 10 mx\nns A 127.0.0.1\nmx A 127.0.0.1',
        key: 'hermetic',
        secret: secret.toString('base64'),
        grants: [
          { owner: tlsaName, types: ['TLSA'] },
          { owner: txtName, types: ['TXT'] },
        ],
      },
    );
    t.after(async () => {
      await daemon.stop();
      rmSync(folder, { recursive: true });
    });
    const server = { address: '127.0.0.1', port, label: `127.0.0.1:${port}` };
    const set = async (
      from: readonly string[],
      to: readonly string[],
      {
        name = tlsaName,
        type = 'TLSA',
        key = right,
        ahead = 0,
      }: { name?: string; type?: string; key?: TsigKey; ahead?: number } = {},
    ): Promise<string> => {
      const change = { zone: Name.of(zone), name: Name.of(name), type, from, to, ttl: 60 };
      const sent = await sendUpdate(change, {
        network: nodeNetwork(),
        server,
        key,
        now: () => Date.now() + ahead,
      });
      return sent.ok ? sent.value : sent.failure.code;
    };
    const dig = async (name: string, type: string): Promise<readonly string[]> =>
      (
        await runProgram('dig', ['+short', '+dnssec', '@127.0.0.1', '-p', String(port), name, type])
      ).out
        .trim()
        .split('\n')
        .filter(Boolean);
    const tlsa = async (): Promise<readonly string[]> =>
      (await dig(tlsaName, 'TLSA'))
        .filter((line) => line.startsWith('3 1 1'))
        .map((line) =>
          line
            .toLowerCase()
            .replace(/^(3 1 1 )(.*)$/, (_, a: string, b: string) => a + b.replace(/ /g, '')),
        )
        .sort();
    // BIND answers the update before its inline signer publishes the change.
    const served = (expected: readonly string[]): Promise<void> =>
      until(
        'the TLSA records',
        async () => isDeepStrictEqual(await tlsa(), expected),
        () => daemon.log,
      );

    assert.equal(await set([], [current]), 'changed');
    await served([current]);
    assert.equal(await set([], [current]), 'same', 'it is there already');
    assert.equal(await set([current], [current, next]), 'changed');
    await served([current, next]);
    assert.ok(
      (await dig(tlsaName, 'TLSA')).some((line) => line.startsWith('TLSA ')),
      'the server signs what changed',
    );
    assert.equal(
      await set([current], [next]),
      'dns-update-conflict',
      'planned from what is no longer there',
    );
    assert.equal(await set([current, next], [next]), 'changed');
    await served([next]);
    assert.equal(await set([next], []), 'changed');
    await served([]);

    const long = txtRdata(`v=STSv1; id=${'x'.repeat(300)}`);
    assert.equal(await set([], [long], { name: txtName, type: 'TXT' }), 'changed');
    await until(
      'the chunks of a long text',
      async () => (await dig(txtName, 'TXT')).includes(long),
      () => daemon.log,
    );

    assert.equal(
      await set([], [current], { key: { ...right, secret: Buffer.alloc(32, 1) } }),
      'dns-update-key',
    );
    assert.equal(
      await set([], [current], { key: { ...right, name: Name.of('nobody') } }),
      'dns-update-key',
    );
    assert.equal(await set([], [current], { ahead: 3_600_000 }), 'dns-update-time');
    // One of the two servers signs its REFUSED reply. The other does not know the key.
    assert.match(await set([], [current], { name: `other.${zone}` }), /^dns-update-(refused|key)$/);
    assert.match(
      await set([], ['10 evil.example.'], { name: tlsaName, type: 'MX' }),
      /^dns-update-(refused|key)$/,
    );
    assert.match(
      await set([], [current], { name: txtName }),
      /^dns-update-(refused|key)$/,
      'a type that is granted for another name',
    );
    assert.deepEqual(await tlsa(), []);
    assert.deepEqual(
      await dig(`other.${zone}`, 'TLSA').then((lines) => lines.filter((l) => l.startsWith('3'))),
      [],
    );
  });
