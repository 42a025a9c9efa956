import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Name } from '../base/index.js';
import { parseRecord, type Resolver } from '../dns/index.js';
import { lookupMisplaced } from './index.js';

const record = `3 1 1 ${'ab'.repeat(32)}`;

/**
 * Returns the records found if only this owner name has a TLSA record, and the queried
 * names.
 */
async function look(owner: string, host = 'mx.one.example'): Promise<[string[], string[]]> {
  const asked: string[] = [];
  const resolver: Resolver = {
    ask(name, type) {
      asked.push(name.toString());
      const parsed = parseRecord(`${name.toString()}. 300 IN TLSA ${record}`);
      assert.ok(parsed.ok);
      const found = name.toString() === owner;
      return Promise.resolve({
        question: { name, type },
        status: found ? 'found' : 'nxdomain',
        dnssec: 'secure',
        records: found ? [parsed.value] : [],
        canonicalName: name,
        aliases: [],
        ttl: 300,
      });
    },
    health: () => ({ upstreams: [] }),
  };
  const domain = Name.of('one.example');
  return [[...(await lookupMisplaced({ resolver, host: Name.of(host), domain }))], asked];
}

test('TLSA records at other ports, at the host and at the mail domain are found', async () => {
  for (const owner of [
    '_465._tcp.mx.one.example',
    '_587._tcp.mx.one.example',
    '_443._tcp.mx.one.example',
    '_25._udp.mx.one.example',
    '25._tcp.mx.one.example',
    '_25.tcp.mx.one.example',
    '_tcp.mx.one.example',
    '_25._tcp.mx.one.example.one.example',
    'mx.one.example',
    '_25._tcp.one.example',
  ])
    assert.deepEqual((await look(owner))[0], [`${owner} TLSA ${record}`]);
  assert.deepEqual((await look('_993._tcp.mx.one.example'))[0], []);
  const provider = '_25._tcp.mx.host.example.host.example';
  assert.deepEqual((await look(provider, 'mx.host.example'))[0], [`${provider} TLSA ${record}`]);
});

test('at most ten questions, none of them for the correct owner', async () => {
  const [, asked] = await look('nowhere.example');
  assert.equal(asked.length, 10);
  assert.ok(!asked.includes('_25._tcp.mx.one.example'));
  const [, same] = await look('nowhere.example', 'one.example');
  assert.ok(!same.includes('_25._tcp.one.example'));
});
