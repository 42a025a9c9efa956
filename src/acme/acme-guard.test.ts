import assert from 'node:assert/strict';
import test from 'node:test';
import type { Network } from '../net/index.js';
import { AcmeSession } from './session.js';
import { acmeWorld } from '../../test/support/publish/acme-ca.js';

const inside: Readonly<Record<string, string>> = {
  'admin.example': '10.0.0.5',
  'loopback.example': '127.0.0.1',
  'metadata.example': '169.254.169.254',
  'six.example': 'fd00::5',
  'mapped.example': '::ffff:192.168.1.1',
};

/**
 * Returns a session with the lab's CA at `address`, and the addresses to which the
 * session connects.
 */
async function sessionAt(address: string): Promise<{
  session: AcmeSession;
  dialled: string[];
  close(): Promise<void>;
}> {
  const { server, close } = await acmeWorld();
  const dialled: string[] = [];
  const [lab] = await server.addressesOf('');
  const network: Network = {
    ...server.network,
    dial(request) {
      dialled.push(request.address);
      return request.address === address
        ? server.network.dial({ ...request, address: lab ?? '' })
        : Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } });
    },
  };
  const addressesOf = (host: string): Promise<readonly string[]> =>
    Promise.resolve([inside[host] ?? address]);
  return { session: new AcmeSession({ ...server, network, addressesOf }), dialled, close };
}

test('a public CA cannot send the client to private addresses', async () => {
  const { session, dialled, close } = await sessionAt('9.9.9.9');
  assert.ok((await session.directory()).ok);
  for (const host of Object.keys(inside)) {
    const response = await session.get(`https://${host}/order/1`);
    assert.ok(!response.ok);
    const { code, detail } = response.failure;
    assert.match(`${code} ${detail}`, /not-public|net-guarded|local/, host);
  }
  assert.deepEqual(new Set(dialled), new Set(['9.9.9.9']));
  await close();
});

test('a CA in a private network may name other hosts of it', async () => {
  for (const address of ['10.1.1.1', 'fd00::1']) {
    const { session, dialled, close } = await sessionAt(address);
    assert.ok((await session.directory()).ok);
    await session.get('https://admin.example/order/1');
    assert.deepEqual(new Set(dialled), new Set([address, '10.0.0.5']));
    await close();
  }
});
