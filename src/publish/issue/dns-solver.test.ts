import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ok } from '../../base/index.js';
import type { AcmeCaHabits } from '../../lab/index.js';
import type { SetRrset } from '../actions.js';
import type { ActionOutcome } from '../actions.js';
import { locateRecord } from '../dns/locate-record.js';
import { dnsSolver, persistentDnsSolver } from './dns-solver.js';
import { accountHash, persistentRecord } from '../../acme/index.js';
import { acmeWorld } from '../../../test/support/publish/acme-ca.js';
import { FakeClock } from '../../../test/support/fake-clock.js';

const [host, key, day] = ['mta-sts.example.com', 'ecdsa-1', 86_400_000];
const challenge = {
  host,
  token: 't',
  keyAuthorization: 't.k',
  account: 'https://ca.example/a/1',
  thumbprint: 'k',
  issuers: ['ca.example'],
};

async function world(t: TestContext, habits?: Partial<AcmeCaHabits>) {
  const made = await acmeWorld({ challenges: ['dns-persist-01'], ...habits });
  t.after(() => made.close());
  made.ring.make(host, key, 'ecdsa');
  return made;
}

/**
 * Returns a zone on two servers. The second server publishes each change `lagMs`
 * milliseconds later.
 */
function zone(lagMs: number, write?: (action: SetRrset) => ActionOutcome) {
  const clock = new FakeClock(0);
  let [old, set, since]: [readonly string[], readonly string[], number] = [[], [], -Infinity];
  return {
    clock,
    get set() {
      return set;
    },
    records: {
      clock,
      locate: (name: string) => Promise.resolve(ok({ name, dns: 'own' })),
      write(action: SetRrset): Promise<ActionOutcome> {
        const outcome = write?.(action) ?? { status: 'done' };
        if (outcome.status === 'done') [old, set, since] = [set, action.to, clock.at];
        return Promise.resolve(outcome);
      },
      lookup: () => Promise.resolve([set, clock.at >= since + lagMs ? set : old]),
    },
  };
}

test('a challenge starts when every authoritative server shows the record [8555-8.2-1]', async () => {
  const lagging = zone(7000);
  assert.deepEqual(await dnsSolver(lagging.records).show(challenge), { status: 'done' });
  assert.equal(lagging.clock.at, 7000);
  const stuck = zone(Infinity);
  const outcome = await dnsSolver(stuck.records).show(challenge);
  assert.ok(
    outcome.status === 'failed' && outcome.code === 'acme-pending',
    JSON.stringify(outcome),
  );
  assert.equal(stuck.clock.at, 60_000);
});

test('with printed records the order continues once the operator published them', async () => {
  let written = '';
  const byHand = zone(0, ({ to }) => ({ status: 'manual', text: (written = to.join()) }));
  assert.equal((await dnsSolver(byHand.records).show(challenge)).status, 'manual');
  const pasted = zone(0);
  await pasted.records.write({
    kind: 'set-rrset',
    name: '',
    type: 'TXT',
    from: [],
    to: [written],
    ttl: 60,
  });
  const refusing = { ...pasted.records, write: () => assert.fail('it is there already') };
  assert.deepEqual(await dnsSolver(refusing).show(challenge), { status: 'done' });
});

for (const persist of [
  { issuers: ['lab.example'] },
  { issuers: ['lab.example', 'other.example'], hashPrefix: 'https://ca.lab.example/account-hash/' },
])
  test(`dns-persist-01 ${'hashPrefix' in persist ? 'with hashed account URIs' : 'of the first drafts'}: one permanent record`, async (t) => {
    const { ca, certifier, texts, clock } = await world(t, { persist });
    texts.set(`_validation-persist.${host}`, [
      '"another.example; accounturi=https://another.example/1"',
    ]);
    assert.deepEqual(await certifier({ type: 'dns-persist-01' }).certify({ host, key }), {
      status: 'done',
    });
    const records = texts.get(`_validation-persist.${host}`) ?? [];
    assert.equal(records.length, 2, 'the record for another CA stays');
    assert.ok(records.some((text) => /^"lab\.example; accounturi=https:/.test(text)));
    clock.at += 61 * day;
    assert.deepEqual(await certifier({ type: 'dns-persist-01' }).certify({ host, key }), {
      status: 'done',
    });
    assert.deepEqual(texts.get(`_validation-persist.${host}`), records);
    assert.equal(ca.certificates.size, 2);
  });

test('dns-persist-01: names that contradict the directory are not used', async (t) => {
  const persist = { issuers: ['lab.example'], hashPrefix: 'https://ca.lab.example/account-hash/' };
  const { ca, certifier, texts } = await world(t, {
    persist,
    challenges: ['http-01', 'dns-persist-01'],
    caaIdentities: ['other.example'],
  });
  const outcome = await certifier({ type: 'dns-persist-01' }).certify({ host, key });
  assert.ok(
    outcome.status === 'failed' && outcome.code === 'acme-challenge-unknown',
    JSON.stringify(outcome),
  );
  assert.equal(texts.size, 0);
  assert.deepEqual(await certifier({ type: 'http-01' }).certify({ host, key }), { status: 'done' });
  assert.equal(ca.orders.size, 1);
});

test('dns-persist-01: the hash of the account is that of draft -02, §10.2', () => {
  const thumbprint = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';
  const hash = accountHash('example.com', thumbprint, 'https://ca.example/acct/123');
  assert.equal(hash, '5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw');
  assert.equal(
    accountHash('*', thumbprint, 'https://ca.example/acct/123'),
    'NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug',
  );
});

test('dns-persist-01: text from a CA cannot change the meaning of a record', async (t) => {
  const judge = (change: Partial<Parameters<typeof persistentRecord>[0]>): boolean =>
    persistentRecord({ ...challenge, ...change }).ok;
  assert.ok(judge({}));
  for (const issuers of [
    [],
    ['CA.example'],
    ['ca.example.'],
    ['ca.example; policy=wildcard'],
    Array.from({ length: 11 }, () => 'ca.example'),
  ])
    assert.equal(judge({ issuers }), false, issuers.join());
  assert.equal(judge({ account: 'https://ca.example/1; policy=wildcard' }), false);
  assert.equal(judge({ hashPrefix: 'https://ca.example/ ;policy=wildcard' }), false);
  const { certifier, texts } = await world(t, {
    persist: { issuers: ['lab.example; policy=wildcard'] },
  });
  const outcome = await certifier({ type: 'dns-persist-01' }).certify({ host, key });
  assert.equal(outcome.status, 'failed');
  assert.equal(texts.size, 0);
  const refusing = await persistentDnsSolver(zone(0).records).show({
    ...challenge,
    issuers: ['ca..example'],
  });
  assert.equal(refusing.status, 'failed');
});

for (const [type, owner] of [
  ['dns-01', '_acme-challenge'],
  ['dns-persist-01', '_validation-persist'],
] as const)
  test(`${type}: the answer goes to the target of an alias, and the alias stays`, async (t) => {
    const { certifier, texts, aliases } = await world(t, {
      challenges: [type],
      persist: { issuers: ['lab.example'] },
    });
    const [name, between, end] = [
      `${owner}.${host}`,
      'between.elsewhere.example',
      'a1.dynamic.example',
    ];
    aliases.set(name, between).set(between, end);
    assert.deepEqual(await certifier({ type }).certify({ host, key }), { status: 'done' });
    assert.deepEqual([...texts.keys()], [end]);
    assert.equal(texts.get(end)?.length, type === 'dns-01' ? 0 : 1);
    assert.equal(aliases.get(name), between);
  });

test('an alias outside publish.dns or in a loop causes advice and no write', async (t) => {
  const { certifier, texts, aliases } = await world(t, { challenges: ['dns-01'] });
  const name = `_acme-challenge.${host}`;
  for (const [target, back] of [
    ['victim.elsewhere.example', undefined],
    ['notdynamic.example', undefined],
    ['a.dynamic.example', name],
  ] as const) {
    aliases.clear();
    aliases.set(name, target);
    if (back) aliases.set(target, back);
    const outcome = await certifier({ type: 'dns-01' }).certify({ host, key });
    assert.ok(
      outcome.status === 'failed' && outcome.code === 'acme-challenge-elsewhere',
      JSON.stringify(outcome),
    );
    assert.match(outcome.detail, new RegExp(`${name} is an alias of ${target}`));
  }
  aliases.clear();
  let at = name;
  for (let i = 0; i < 9; i++) aliases.set(at, (at = `a${i}.dynamic.example`));
  assert.equal(
    (await certifier({ type: 'dns-01' }).certify({ host, key })).status,
    'failed',
    'nine aliases are too many',
  );
  assert.equal(texts.size, 0);
  aliases.delete('a7.dynamic.example');
  assert.deepEqual(
    await certifier({ type: 'dns-01' }).certify({ host, key }),
    { status: 'done' },
    'eight are followed',
  );
});

test('the entry with the longest zone writes an alias target; print names the target', async () => {
  const hook = (zone?: string) =>
    ({ kind: 'hook', command: ['-'], ...(zone === undefined ? {} : { zone }) }) as const;
  const targets = { long: hook('d.example.net'), short: hook('example.net'), anywhere: hook() };
  const find = async (own: string, target: string) => {
    const place = await locateRecord('_acme-challenge.h.example', own, targets, (name) =>
      Promise.resolve(name === target ? undefined : target),
    );
    return place.ok ? place.value.dns : place.failure.code;
  };
  assert.equal(await find('anywhere', 'x.d.example.net'), 'long');
  assert.equal(await find('long', 'x.example.net'), 'short');
  assert.equal(await find('anywhere', 'x.elsewhere.example'), 'acme-challenge-elsewhere');
  assert.equal(await find('print', 'x.elsewhere.example'), 'print');
  const unlike = await locateRecord('_acme-challenge.h.example', 'long', targets, () =>
    Promise.resolve('unknown'),
  );
  assert.ok(!unlike.ok && unlike.failure.code === 'acme-pending');
});
