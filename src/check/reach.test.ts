import assert from 'node:assert/strict';
import test from 'node:test';
import type { Network } from '../net/index.js';
import { reachable, reachOf } from './reach.js';

const at = (address: string): { address: string } => ({ address });

test('the named targets decide which addresses are reached', () => {
  assert.equal(reachOf(undefined), 'internet');
  assert.equal(reachOf(undefined, [at('9.9.9.9'), at('2620:fe::fe')]), 'internet');
  assert.equal(reachOf(undefined, [at('127.0.0.1')]), 'any');
  assert.equal(reachOf(undefined, [at('10.0.0.53')]), 'any');
  assert.equal(reachOf(undefined, [at('fd00::53')]), 'any');
  assert.equal(reachOf(undefined, [at('192.0.2.53')]), 'lab');
  assert.equal(reachOf('127.0.0.1', [at('9.9.9.9')]), 'any');
});

test('RFC 6890 [6890-2.2-1]: only permitted addresses are dialled', async () => {
  const dialled: string[] = [];
  const network: Network = {
    dial: ({ address }) => {
      dialled.push(address);
      return Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } });
    },
    exchange: () => Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } }),
  };
  const all = ['127.0.0.1', '203.0.113.5', '2002:7f00:1::1', '8.8.8.8'];
  for (const reach of ['internet', 'lab', 'any'] as const)
    for (const address of all) await reachable(network, reach).dial({ address, port: 25 });
  assert.deepEqual(dialled, ['8.8.8.8', '203.0.113.5', '8.8.8.8', ...all]);
});
