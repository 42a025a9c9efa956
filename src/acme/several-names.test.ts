import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createCa, createIntermediate } from '../pki/index.js';
import { parseLinks } from './http-headers.js';
import { acmeWorld } from '../../test/support/publish/acme-ca.js';

const [host, other, key] = ['mx1.example.com', 'mail.example.com', 'ecdsa-1'];
const day = 86_400_000;

async function world(
  t: { after(done: () => Promise<void>): void },
  habits?: Parameters<typeof acmeWorld>[0],
) {
  const made = await acmeWorld(habits);
  t.after(() => made.close());
  made.ring.make(host, key, 'ecdsa');
  return made;
}

// [8555-7.4-2, 8555-7.4-3]
test('several names make one order, and the CA may reorder them', async (t) => {
  const { ca, ring, certifier } = await world(t);
  assert.deepEqual(await certifier({ additionalNames: () => [other] }).certify({ host, key }), {
    status: 'done',
  });
  assert.equal(
    new X509Certificate(ring.chain(host, key) ?? '').subjectAltName,
    `DNS:${host}, DNS:${other}`,
  );
  const [order] = [...ca.orders.values()];
  assert.deepEqual(
    [...(order?.authorizations ?? [])],
    [
      [host, 'valid'],
      [other, 'valid'],
    ],
  );
});

test('an added name is certified at the next round, and the old order is dropped', async (t) => {
  const { ca, ring, certifier } = await world(t, { challenges: ['dns-01'] });
  await certifier({ type: 'dns-01' }).certify({ host, key });
  const blind = {
    type: 'dns-01' as const,
    show: () => Promise.resolve({ status: 'manual', text: 'x' } as const),
    hide: () => Promise.resolve(),
  };
  const named = (names: readonly string[]) => ({ additionalNames: () => names });
  assert.equal(await certifier(named([other])).isDue({ host, key }), true);
  assert.deepEqual(
    await certifier({ ...named([other]), solvers: [blind] }).certify({ host, key }),
    { status: 'manual', text: 'x' },
  );
  assert.deepEqual(
    await certifier({ ...named(['imap.example.com']), type: 'dns-01' }).certify({ host, key }),
    { status: 'done' },
  );
  assert.equal(
    new X509Certificate(ring.chain(host, key) ?? '').subjectAltName,
    `DNS:${host}, DNS:imap.example.com`,
  );
  assert.equal(ca.orders.size, 3);
});

test('a validation for a name outside the order gets no answer', async (t) => {
  const { ca, certifier, texts } = await world(t, { challenges: ['dns-01'] });
  const set = ca.orders.set.bind(ca.orders);
  ca.orders.set = (id, order) =>
    set(id, {
      ...order,
      names: ['victim.example'],
      authorizations: new Map([['victim.example', 'pending']]),
    });
  const outcome = await certifier({ type: 'dns-01' }).certify({ host, key });
  assert.ok(
    outcome.status === 'failed' &&
      outcome.code === 'acme-challenge-unknown' &&
      /victim\.example/.test(outcome.detail),
  );
  assert.equal(texts.size, 0);
});

const elsewhere = createIntermediate(createCa({ name: 'Other Root' }), { name: 'Other Issuer' });

// [8555-7.4.2-2]
test('the chain with the preferred root wins, else the CA’s own choice', async (t) => {
  const { ring, certifier, clock } = await world(t, { alternate: elsewhere });
  const issuers = (): string =>
    (ring.chain(host, key) ?? '')
      .split(/(?<=-----END CERTIFICATE-----\n)/)
      .map((pem) => new X509Certificate(pem).issuer)
      .join(' < ');
  for (const [preferredChain, chain] of [
    ['Other Root', 'CN=Lab Issuer < CN=Other Root'],
    ['No Root', 'CN=Lab Issuer < CN=Lab Root'],
    ['Lab Root', 'CN=Lab Issuer < CN=Lab Root'],
    [undefined, 'CN=Lab Issuer < CN=Lab Root'],
  ] as const) {
    assert.deepEqual(await certifier({ preferredChain }).certify({ host, key }), {
      status: 'done',
    });
    assert.equal(issuers(), chain);
    clock.at += 61 * day;
  }
});

test('links are relative to the request, at most ten, and always https', () => {
  const base = 'https://ca.example/cert/1';
  assert.deepEqual(
    parseLinks('</cert/1/1>;rel="alternate", <2>; title="a, b"; rel=alternate', 'alternate', base),
    ['https://ca.example/cert/1/1', 'https://ca.example/cert/2'],
  );
  assert.deepEqual(parseLinks('<https://ca.example/x>;rel="index up"', 'up', base), [
    'https://ca.example/x',
  ]);
  for (const field of [
    undefined,
    '',
    '<http://ca.example/x>;rel="up"',
    '<x>;rel="alternates"',
    '<javascript:1>;rel=up',
    '<x y>;rel=up',
  ])
    assert.deepEqual(parseLinks(field, 'up', base), []);
  assert.equal(parseLinks('<x>;rel=up,'.repeat(1000), 'up', base).length, 10);
});
