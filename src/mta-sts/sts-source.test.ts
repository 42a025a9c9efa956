import assert from 'node:assert/strict';
import test from 'node:test';
import { Name, steadyTime } from '../base/index.js';
import { expiresAt, memoryStsCache, reopened, refreshAt, type StsEntry } from './index.js';
import { body, stsWorld } from '../../test/support/sts-source.js';

const domain = Name.of('example.com');
const MINUTE = 60_000;
const DAY = 86_400_000;

// [8461-5.1-1]
test('RFC 8461 §5.1: the first contact fetches, the next one looks up only the id', async () => {
  const world = stsWorld();
  assert.equal((await world.source.lookup(domain)).how, 'live');
  world.time += 2 * MINUTE;
  const state = await world.source.lookup(domain);
  assert.deepEqual(
    [state.how, state.policy?.mode, world.fetches, world.asked.length],
    ['cached', 'enforce', 1, 2],
  );
});

test('RFC 8461 §3, §5.1 [8461-3-1, 8461-5.1-2]: a new id is fetched and used at once', async () => {
  const world = stsWorld();
  await world.source.lookup(domain);
  Object.assign(world, { texts: ['v=STSv1; id=2'], policy: body('none') });
  world.time += 2 * MINUTE;
  const state = await world.source.lookup(domain);
  assert.deepEqual(
    [state.how, state.policy?.mode, state.policy?.id, world.fetches],
    ['live', 'none', '2', 2],
  );
});

// [8461-3.2-9]
test('max_age 0: each message fetches the policy and obeys it, nothing is cached', async () => {
  const world = stsWorld({ policy: body('enforce', 0) });
  for (const fetches of [1, 2]) {
    const { how, policy, until } = await world.source.lookup(domain);
    assert.deepEqual([how, policy?.mode, until], ['live', 'enforce', world.time]);
    assert.deepEqual([world.fetches, world.cache.size], [fetches, 0]);
  }
  world.policy = 'sts-policy-unreachable';
  assert.equal((await world.source.lookup(domain)).policy, undefined);
});

test('max_age 0 ends a policy that was cached, at a new id and at a refresh', async () => {
  for (const refresh of [false, true]) {
    const world = stsWorld();
    await world.source.lookup(domain);
    world.policy = body('enforce', 0);
    world.time += 2 * DAY;
    if (refresh) assert.equal(await world.source.refreshDue(), 1);
    else world.texts = ['v=STSv1; id=2'];
    const { how, policy } = await world.source.lookup(domain);
    assert.deepEqual([how, policy?.maxAge, world.cache.size], ['live', 0, 0]);
    assert.equal(await world.source.refreshDue(), 0);
  }
});

test('a policy that expires within its second binds the mail that fetched it', async () => {
  const world = stsWorld({ policy: body('enforce', 1) });
  assert.equal((await world.source.lookup(domain)).policy?.mode, 'enforce');
  world.time += 1000;
  assert.equal((await world.source.lookup(domain)).how, 'live');
  assert.equal(world.fetches, 2);
});

const failing: readonly (readonly [
  string,
  Partial<{ texts: readonly string[] | 'failed'; policy: string }>,
])[] = [
  ['the record is gone', { texts: [] }],
  ['there are two records', { texts: ['v=STSv1; id=1', 'v=STSv1; id=2'] }],
  ['the record is malformed', { texts: ['v=STSv1; id=!'] }],
  ['DNS fails', { texts: 'failed' }],
  ...[
    'unreachable',
    'host-missing',
    'http-status',
    'redirect',
    'webpki-invalid',
    'wrong-type',
    'invalid',
  ].map(
    (code) =>
      [
        `a new id, and sts-policy-${code}`,
        { texts: ['v=STSv1; id=2'], policy: `sts-policy-${code}` },
      ] as const,
  ),
];

for (const [what, change] of failing)
  test(`RFC 8461 §3.3 [8461-3.3-10, 8461-3.1-10]: the cached policy holds when ${what}`, async () => {
    const world = stsWorld();
    await world.source.lookup(domain);
    Object.assign(world, change);
    for (const later of [2 * MINUTE, 10 * MINUTE, 3 * DAY]) {
      world.time += later;
      const state = await world.source.lookup(domain);
      assert.deepEqual([state.how, state.policy?.mode, state.policy?.id], ['kept', 'enforce', '1']);
      assert.ok(state.failure ?? change.texts === 'failed');
    }
  });

// [8461-3.3-11]
test('RFC 8461 §3.3: a record, no policy, none cached: as if there were no MTA-STS', async () => {
  const state = await stsWorld({ policy: 'sts-policy-http-status' }).source.lookup(domain);
  assert.deepEqual(
    [state.how, state.policy, state.failure?.code],
    ['none', undefined, 'sts-policy-http-status'],
  );
});

// [8461-3.2-9]
test('RFC 8461 §3.2: a policy ends max_age after its last fetch, even with the same id', async () => {
  const world = stsWorld({ policy: body('enforce', 600) });
  await world.source.lookup(domain);
  world.policy = 'sts-policy-http-status';
  world.time += 599_000;
  assert.equal((await world.source.lookup(domain)).how, 'cached');
  world.time += 1_000;
  assert.deepEqual([(await world.source.lookup(domain)).policy, world.fetches], [undefined, 2]);
});

// [8461-3.3-8]
test('RFC 8461 §3.3: after a failure the same id waits for five minutes', async () => {
  const world = stsWorld({ policy: 'sts-policy-unreachable' });
  await world.source.lookup(domain);
  for (let i = 0; i < 3; i++) {
    world.time += MINUTE;
    await world.source.lookup(domain);
  }
  assert.equal(world.fetches, 1);
  world.texts = ['v=STSv1; id=2'];
  world.time += 61_000;
  await world.source.lookup(domain);
  assert.equal(world.fetches, 2);
  world.time += 6 * MINUTE;
  await world.source.lookup(domain);
  assert.equal(world.fetches, 3);
});

test('RFC 8461 §3.4 [8461-3.4-2]: the parent is not asked', async () => {
  const world = stsWorld({ texts: [] });
  await world.source.lookup(Name.of('mail.example.com'));
  assert.deepEqual(world.asked, ['_mta-sts.mail.example.com TXT']);
});

test('concurrent callers share one lookup and one fetch', async () => {
  const world = stsWorld();
  const states = await Promise.all(Array.from({ length: 50 }, () => world.source.lookup(domain)));
  assert.equal(new Set(states).size, 1);
  assert.deepEqual([world.fetches, world.asked.length], [1, 1]);
});

// [8461-3.3-12]
test('RFC 8461 §3.3: refreshed by HTTPS within a day even if the record is gone', async () => {
  for (const texts of [['v=STSv1; id=1'], [] as string[], 'failed' as const]) {
    const world = stsWorld({ policy: body('enforce', 172_800) });
    await world.source.lookup(domain);
    Object.assign(world, { texts });
    assert.equal(await world.source.refreshDue(), 0);
    world.time += DAY;
    assert.equal(await world.source.refreshDue(), 1);
    assert.equal(world.fetches, 2);
    world.time += 1.5 * DAY;
    assert.equal((await world.source.lookup(domain)).policy?.mode, 'enforce');
  }
});

test('a refresh never renews a policy without fetching it', async () => {
  const world = stsWorld({ policy: body('enforce', 172_800) });
  await world.source.lookup(domain);
  world.policy = 'sts-policy-unreachable';
  for (let hours = 0; hours < 49; hours++) {
    world.time += 3_600_000;
    await world.source.refreshDue();
  }
  assert.equal((await world.source.lookup(domain)).policy, undefined);
});

// [8461-3.3-13]
test('RFC 8461 §3.3: failing refreshes are logged less often each time, not for none', async () => {
  for (const [mode, warned] of [
    ['enforce', true],
    ['none', false],
  ] as const) {
    const world = stsWorld({ policy: body(mode, 604_800) });
    await world.source.lookup(domain);
    world.policy = 'sts-policy-webpki-invalid';
    for (let hours = 0; hours < 6 * 24; hours++) {
      world.time += 3_600_000;
      await world.source.refreshDue();
    }
    assert.equal(world.warnings.length > 0, warned, mode);
    assert.ok(world.warnings.length <= 5);
    if (warned)
      assert.deepEqual(
        [world.warnings[0]?.failed?.count, world.warnings[0]?.failed?.failure.code],
        [3, 'sts-policy-webpki-invalid'],
      );
  }
});

const entry = (fetchedAt: number, maxAge = 604_800, name = 'example.com'): StsEntry => ({
  domain: name,
  policy: { id: '1', mode: 'enforce', maxAge, mx: ['mx.example.com'], body: '', fetchedAt },
  usedAt: fetchedAt,
});

test('refreshes are spread: a thousand policies fetched at once are due over hours', () => {
  const times = Array.from(
    { length: 1000 },
    (_, i) => refreshAt(entry(0, 604_800, `d${i}.example`)) as number,
  );
  assert.ok(Math.min(...times) > 0.7 * DAY && Math.max(...times) <= DAY);
  const busiest = Math.max(
    ...Array.from(
      { length: 24 },
      (_, h) => times.filter((t) => Math.floor(t / 3_600_000) === h).length,
    ),
  );
  assert.ok(busiest < 300, `${busiest} in one hour`);
});

test('an unused policy is no longer refreshed after a time', () => {
  assert.equal(refreshAt({ ...entry(200 * DAY), usedAt: 0 }), undefined);
});

test('a wrong clock at the start removes no policy', () => {
  const now = 1000 * DAY;
  const end = (e: StsEntry | undefined): number => (e?.policy ? expiresAt(e.policy) : 0);
  assert.equal(
    end(reopened(entry(now - DAY), now)),
    now + 6 * DAY,
    'an honest one is left as it is',
  );
  // The clock is ten years ahead: the policy stays in force for an hour, in which the
  // clock can be corrected or the policy fetched.
  assert.equal(end(reopened(entry(now - 3650 * DAY), now)), now + 3_600_000);
  // The clock is behind: a fetch time in the future counts as the current time.
  assert.equal(end(reopened(entry(now + 3650 * DAY), now)), now + 7 * DAY);
  assert.equal(
    end(reopened(entry(now - 3650 * DAY, 60), now)),
    now + 60_000,
    'never longer than max_age',
  );
});

test('a full cache drops failures and expired entries before policies in force', () => {
  const now = 100 * DAY;
  const cache = memoryStsCache({ limit: 100, now: () => now });
  for (let i = 0; i < 50; i++)
    void cache.put(entry(now - 50 * DAY + i, 604_800, `enforced${i}.example`));
  for (let i = 0; i < 50; i++)
    void cache.put({ ...entry(now, 31_557_600, `kept${i}.example`), usedAt: i });
  for (let i = 0; i < 1000; i++) void cache.put({ domain: `failed${i}.example`, usedAt: now });
  assert.ok(cache.size <= 101);
  for (let i = 0; i < 50; i++) assert.ok(cache.get(`kept${i}.example`), `kept${i}`);
});

test('lifetimes use the monotonic clock: a change of the time has no effect', async () => {
  let wall = Date.UTC(2026, 0, 1);
  let monotonic = 1000;
  const time = steadyTime({
    now: () => wall,
    monotonic: () => monotonic,
    sleep: () => Promise.resolve(),
  });
  const world = stsWorld();
  world.time = time();
  await world.source.lookup(domain);
  Object.assign(world, { texts: [], policy: 'sts-policy-unreachable' });
  for (const jump of [3650 * DAY, -7300 * DAY, 3650 * DAY]) {
    wall += jump;
    monotonic += 120_000;
    world.time = time();
    assert.equal((await world.source.lookup(domain)).policy?.mode, 'enforce');
  }
  monotonic += 7 * DAY;
  world.time = time();
  assert.equal(
    (await world.source.lookup(domain)).policy,
    undefined,
    'time that really passed does count',
  );
});

test('a policy that expired during a run does not return at the next start', async () => {
  const world = stsWorld({ policy: body('enforce', 600) });
  await world.source.lookup(domain);
  world.policy = 'sts-policy-unreachable';
  world.time += 601_000;
  assert.equal((await world.source.lookup(domain)).how, 'none');
  const left = world.cache.get('example.com');
  assert.equal(left && reopened(left, world.time)?.policy, undefined);
});
