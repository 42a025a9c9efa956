import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import type { AcmeCaHabits } from '../../lab/index.js';
import type { ChallengeType } from '../../acme/index.js';
import { selfSigned } from '../../pki/index.js';
import { openAcmeStore } from './acme-store.js';
import type { IssuanceRequest } from './issuance-blocker.js';
import { acmeWorld, type AcmeWorld } from '../../../test/support/publish/acme-ca.js';
import { WebSolver } from './web-solver.js';

const host = 'mta-sts.example.com';
const key = 'ecdsa-1';
const day = 86_400_000;

async function world(t: TestContext, habits?: Partial<AcmeCaHabits>): Promise<AcmeWorld> {
  const made = await acmeWorld(habits);
  t.after(() => made.close());
  made.ring.make(host, key, 'ecdsa');
  return made;
}

for (const type of ['http-01', 'tls-alpn-01', 'dns-01'] satisfies ChallengeType[])
  // [8555-8.3-1, 8555-8.3-2, 8555-8.4-1, 8555-8.4-2, 8737-3-1, 8555-7.5.1-1, 8555-6.1-1]
  test(`${type}: from no account to a certificate, without leftover answers`, async (t) => {
    const { ca, ring, certifier, texts } = await world(t, { challenges: [type] });
    assert.deepEqual(await certifier({ type }).certify({ host, key }), { status: 'done' });
    const leaf = new X509Certificate(ring.chain(host, key) ?? '');
    assert.ok(leaf.publicKey.equals(ring.publicKey(host, key)));
    assert.equal(leaf.subjectAltName, `DNS:${host}`);
    assert.equal(ca.orders.size, 1);
    assert.ok([...texts.values()].every((value) => value.length === 0));
  });

test('an RSA key is certified as well', async (t) => {
  const { ring, certifier } = await world(t);
  ring.make(host, 'rsa-1', 'rsa');
  assert.deepEqual(await certifier().certify({ host, key: 'rsa-1' }), { status: 'done' });
  assert.equal(
    new X509Certificate(ring.chain(host, 'rsa-1') ?? '').publicKey.asymmetricKeyType,
    'rsa',
  );
});

// [8555-6.5-1, 8555-6.5-2, 8555-7.1.1-1]
test('a CA with few resources that refuses nonces only costs more requests', async (t) => {
  const { ca, ring, certifier } = await world(t, { refuseNonce: 5 });
  const others = ['mta-sts.example.net', 'mta-sts.example.org'];
  for (const other of others) ring.make(other, key, 'ecdsa');
  const works = certifier();
  const outcomes = await Promise.all(
    [host, ...others].map((one) => works.certify({ host: one, key })),
  );
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['done', 'done', 'done'],
  );
  assert.ok(ca.refusedNonces >= 2);
  assert.equal(ca.wrongRetries, 0);
  assert.equal(ca.orders.size, 3);
});

test('an invalid nonce of a CA is replaced by another [8555-6.5.1-1]', async (t) => {
  const { ca, certifier } = await world(t, { garbleNonce: 3 });
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  assert.equal(ca.refusedNonces, 0);
});

test('requests to a CA that refuses every nonce are bounded', async (t) => {
  const { ca, certifier } = await world(t, { refuseNonce: 1 });
  const outcome = await certifier().certify({ host, key });
  assert.ok(
    outcome.status === 'failed' && outcome.code === 'acme-refused',
    JSON.stringify(outcome),
  );
  assert.ok(ca.refusedNonces <= 5);
});

// [8555-7.3.4-1, 8555-6.7-1]
test('an external account binding is used, and the refusal of a wrong one is shown', async (t) => {
  const macKey = Buffer.from('a secret of the CA').toString('base64url');
  const { ca, certifier, clock } = await world(t, { external: { customer: macKey } });
  const wrong = await certifier({
    external: { keyId: 'customer', macKey: Buffer.from('guess').toString('base64url') },
  }).certify({
    host,
    key,
  });
  assert.ok(
    wrong.status === 'failed' &&
      /externalAccountRequired.*the binding is not valid/.test(wrong.detail),
  );
  assert.equal(ca.accounts.size, 0);
  clock.at += day;
  assert.deepEqual(
    await certifier({ external: { keyId: 'customer', macKey } }).certify({ host, key }),
    { status: 'done' },
  );
  assert.equal(ca.accounts.size, 1);
});

test('an unknown profile is reported with the offered ones, and no order is placed', async (t) => {
  const { ca, certifier } = await world(t, {
    profiles: { '': 90 * day, shortlived: 160 * 3_600_000 },
  });
  const wrong = await certifier({ profile: 'tlsserver' }).certify({ host, key });
  assert.ok(wrong.status === 'failed' && /offers shortlived/.test(wrong.detail));
  assert.equal(ca.orders.size, 0);
});

// [8555-6.6-1]
test('no request is sent before the time from the CA', async (t) => {
  const { ca, ring, certifier, clock } = await world(t, {
    orders: { most: 1, withinMs: 3 * 3_600_000 },
  });
  const other = 'mta-sts.example.net';
  ring.make(other, key, 'ecdsa');
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  const limited = await certifier().certify({ host: other, key });
  assert.ok(limited.status === 'failed' && limited.code === 'acme-limited');
  assert.equal(ca.limited, 1);
  clock.at += 3 * 3_600_000 - 10_000;
  assert.equal((await certifier().certify({ host: other, key })).status, 'failed');
  assert.equal(ca.limited, 1, 'the CA was asked before the time it named');
  clock.at += 10_000;
  assert.deepEqual(await certifier().certify({ host: other, key }), { status: 'done' });
});

for (const [ahead, days] of [
  ['a fortnight', 14],
  ['a year', 365],
  ['thirty years', 10_950],
] as const)
  test(`a pause and a query time saved while the clock was ${ahead} ahead do not count`, async (t) => {
    const {
      ca,
      ring,
      certifier,
      clock,
      store: database,
    } = await world(t, {
      window: ({ notAfter }) => ({ start: notAfter - 20 * day, end: notAfter - 19 * day }),
    });
    const store = openAcmeStore(database);
    assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
    const other = 'mta-sts.example.net';
    ring.make(other, key, 'ecdsa');
    const { directory } = store.renewal(host, key) ?? { directory: '' };
    await store.pause(directory, '*', clock.at + days * day);
    await store.pause(directory, other, clock.at + days * day);
    assert.deepEqual(await certifier().certify({ host: other, key }), { status: 'done' });
    const renewal = store.renewal(host, key);
    assert.ok(renewal);
    await store.saveRenewal(host, key, { ...renewal, askAgain: clock.at + days * day });
    const before = ca.informed;
    assert.equal(await certifier().isDue({ host, key }), false);
    assert.equal(ca.informed, before + 1);
  });

test('failed validations are retried with growing pauses, below five an hour', async (t) => {
  const { ca, certifier, clock } = await world(t, { challenges: ['http-01'] });
  const start = clock.at;
  const tries: number[] = [];
  const blind = {
    type: 'http-01' as const,
    show: () => Promise.resolve({ status: 'done' } as const),
    hide: () => Promise.resolve(),
  };
  for (let minute = 0; minute < 600; minute++) {
    const before = ca.orders.size;
    const outcome = await certifier({ solvers: [blind] }).certify({ host, key });
    assert.equal(outcome.status, 'failed');
    if (ca.orders.size > before) tries.push((clock.at - start) / 60_000);
    clock.at += 60_000;
  }
  assert.ok(tries.length >= 4, `${tries.length} tries`);
  for (const at of tries)
    assert.ok(tries.filter((other) => other >= at && other < at + 60).length < 5);
});

// [9773-5-1]
test('a renewal certifies the same key and names the replaced certificate', async (t) => {
  const { ca, ring, certifier, clock } = await world(t, {
    window: ({ notAfter }) => ({ start: notAfter - 31 * day, end: notAfter - 29 * day }),
    orders: { most: 1, withinMs: 365 * day },
  });
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  const first = ring.chain(host, key);
  assert.equal(await certifier().isDue({ host, key }), false);
  clock.at += 60 * day + 1;
  assert.equal(await certifier().isDue({ host, key }), true);
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  assert.notEqual(ring.chain(host, key), first);
  const [old, fresh] = [...ca.certificates.values()];
  assert.equal(fresh?.replaces, old?.id);
  assert.equal(fresh?.spki, old?.spki);
  assert.equal(await certifier().isDue({ host, key }), false);
});

// [9773-5-1]
test('a certificate replaced by another order is renewed without naming it', async (t) => {
  const { ca, certifier, clock } = await world(t, {
    window: ({ notAfter }) => ({ start: notAfter - 31 * day, end: notAfter - 29 * day }),
  });
  await certifier().certify({ host, key });
  const [old] = [...ca.certificates.values()];
  const [order] = [...ca.orders.values()];
  if (order && old) ca.orders.set('another', { ...order, id: 'another', replaces: old.id });
  clock.at += 61 * day;
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  assert.equal([...ca.certificates.values()][1]?.replaces, undefined);
});

// [8555-7.4.2-1]
test('a certificate for another key is not used, and the one in use stays', async (t) => {
  const { ca, ring, certifier, clock } = await world(t);
  await certifier().certify({ host, key });
  const before = ring.chain(host, key);
  ring.make(host, 'ecdsa-2', 'ecdsa');
  await certifier().certify({ host, key: 'ecdsa-2' });
  const stranger = [...ca.certificates.values()][1];
  ca.certificates.get = () => stranger;
  clock.at += 61 * day;
  const outcome = await certifier().certify({ host, key });
  assert.ok(
    outcome.status === 'failed' && outcome.code === 'acme-certificate-wrong',
    JSON.stringify(outcome),
  );
  assert.equal(ring.chain(host, key), before);
});

test('a certificate of an unknown CA is renewed by its lifetime', async (t) => {
  const { ca, ring, certifier, clock } = await world(t);
  const pair = { privateKey: ring.privateKey(host, key), publicKey: ring.publicKey(host, key) };
  const own = selfSigned({
    names: [host],
    key: pair,
    notBefore: clock.at,
    notAfter: clock.at + 90 * day,
  });
  ring.putChain(host, key, own.certPem);
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  clock.at += 59 * day;
  assert.equal(await certifier().isDue({ host, key }), false);
  clock.at += 2 * day;
  assert.equal(await certifier().isDue({ host, key }), true);
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  assert.equal([...ca.certificates.values()][0]?.replaces, undefined);
  assert.equal(await certifier().isDue({ host, key }), false);
});

test('certificates without an authority key identifier are renewed', async (t) => {
  const { ca, ring, certifier, clock } = await world(t);
  await certifier().certify({ host, key });
  const pair = { privateKey: ring.privateKey(host, key), publicKey: ring.publicKey(host, key) };
  for (const [id, one] of ca.certificates) {
    const { notBefore, notAfter } = one;
    ca.certificates.set(id, {
      ...one,
      pem: selfSigned({ names: [host], key: pair, notBefore, notAfter }).certPem,
    });
  }
  const [only] = [...ca.certificates.values()];
  clock.at += 61 * day;
  ca.certificates.get = () =>
    only && {
      ...only,
      pem: selfSigned({
        names: [host],
        key: pair,
        notBefore: clock.at,
        notAfter: clock.at + 90 * day,
      }).certPem,
    };
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  assert.equal(await certifier().isDue({ host, key }), false);
  clock.at += 61 * day;
  assert.equal(await certifier().isDue({ host, key }), true);
});

test('a key with a valid certificate causes no order', async (t) => {
  const { ca, certifier } = await world(t);
  for (let i = 0; i < 3; i++)
    assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  assert.equal(ca.orders.size, 1);
});

test('only one of two processes renews a due certificate', async (t) => {
  const { ca, certifier, clock } = await world(t);
  await certifier().certify({ host, key });
  clock.at += 61 * day;
  const [one, two] = [certifier(), certifier()];
  assert.deepEqual([await one.isDue({ host, key }), await two.isDue({ host, key })], [true, true]);
  const outcomes = await Promise.all([one.certify({ host, key }), two.certify({ host, key })]);
  assert.deepEqual(outcomes[0], { status: 'done' });
  assert.ok(
    outcomes[1].status === 'failed' &&
      outcomes[1].code === 'acme-pending' &&
      /another process/.test(outcomes[1].detail),
  );
  assert.deepEqual(await two.certify({ host, key }), { status: 'done' });
  assert.equal(ca.orders.size, 2);
});

test('the lock of a dead process expires after ten minutes despite clock changes', async (t) => {
  const { ca, certifier, clock, store } = await world(t);
  const claim = (until: number): Promise<boolean> =>
    openAcmeStore(store).claim({ host, key, holder: 'crashed', until }, clock.at);
  await claim(clock.at + 10 * 60_000);
  assert.equal((await certifier().certify({ host, key })).status, 'failed');
  clock.at += 10 * 60_000;
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  clock.at += 61 * day;
  await claim(clock.at + 365 * day);
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  assert.equal(ca.orders.size, 2);
});

test('the certificate of a challenge is created once', () => {
  const answers = new WebSolver('tls-alpn-01');
  void answers.show({
    host,
    token: 't',
    keyAuthorization: 't.k',
    account: '',
    thumbprint: 'k',
    issuers: [],
  });
  assert.ok(answers.contextFor(host) !== undefined);
  assert.equal(answers.contextFor(host), answers.contextFor(host));
  void answers.hide({ host });
  assert.equal(answers.contextFor(host), undefined);
});

test('an order that CAA would refuse is not placed', async (t) => {
  const identities = { caaIdentities: ['CA.lab.example'] };
  const { ca, server, store, certifier } = await world(t, identities);
  const requests: IssuanceRequest[] = [];
  let detail: string | undefined = 'CAA at example.com permits other.example only';
  const issuer = certifier({
    additionalNames: () => ['autoconfig.example.com'],
    findBlocker(request) {
      requests.push(request);
      const blocker = { code: 'publish-caa-refuses', subject: host, detail: detail ?? '' };
      return Promise.resolve(detail === undefined ? undefined : blocker);
    },
  });
  assert.deepEqual(await issuer.certify({ host, key }), {
    status: 'failed',
    code: 'publish-caa-refuses',
    detail: `${host}: ${detail}`,
  });
  assert.equal(ca.orders.size, 0);
  assert.deepEqual(requests, [
    {
      names: [host, 'autoconfig.example.com'],
      issuers: ['ca.lab.example'],
      accountUri: undefined,
      methods: ['http-01'],
    },
  ]);
  detail = undefined;
  assert.deepEqual(await issuer.certify({ host, key }), { status: 'done' });
  await issuer.findBlocker(host);
  assert.equal(requests.at(-1)?.accountUri, openAcmeStore(store).account(server.directory)?.url);
});

test('near the expiry of a certificate the order is still placed', async (t) => {
  const { ca, ring, clock, certifier } = await world(t);
  await certifier().certify({ host, key });
  const leaf = new X509Certificate(ring.chain(host, key) ?? '');
  const blocked = certifier({
    findBlocker: () =>
      Promise.resolve({ code: 'publish-issuance-bogus', subject: host, detail: 'bogus' }),
  });
  clock.at = Date.parse(leaf.validTo) - 4 * day;
  const early = await blocked.certify({ host, key });
  assert.equal(early.status === 'failed' && early.code, 'publish-issuance-bogus');
  assert.equal(ca.orders.size, 1);
  clock.at = Date.parse(leaf.validTo) - 2 * day;
  assert.deepEqual(await blocked.certify({ host, key }), { status: 'done' });
  assert.equal(ca.orders.size, 2);
});
