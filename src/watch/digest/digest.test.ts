import assert from 'node:assert/strict';
import test from 'node:test';
import { migrateStore, openStore, type Store } from '../../store/index.js';
import { prepareReports, storeReports } from '../../tls-rpt-receive/index.js';
import { atHost, healthyResult, hidden } from '../../../test/support/watch-results.js';
import {
  digestHtml,
  digestJson,
  digestSubject,
  digestText,
  dueDigest,
  emptyState,
  lastDigestTime,
  markDigest,
  readDigest,
  recordCheck,
  watchDigestSchema,
  watchSection,
  watchTables,
  type Digest,
} from '../index.js';
import { composeDigest, type DigestFacts } from './compose-digest.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const weekly = { every: 'week', day: 'monday', hour: 7 } as const;
const daily = { every: 'day', hour: 7 } as const;
/** A Monday. */
const monday = Date.parse('2027-01-04T07:00:00Z');

async function openTables(): Promise<Store> {
  const store = await openStore(':memory:');
  migrateStore(store, watchTables.job, watchTables.migrations);
  prepareReports(store);
  return store;
}

test('a digest is planned at its hour in UTC, daily or on its day of the week', () => {
  assert.equal(lastDigestTime(weekly, monday), monday);
  assert.equal(lastDigestTime(weekly, monday - 1), monday - 7 * DAY);
  assert.equal(lastDigestTime(weekly, monday + 6 * DAY), monday);
  assert.equal(lastDigestTime({ every: 'week', hour: 7 }, monday + DAY), monday, 'by default');
  assert.equal(lastDigestTime({ ...weekly, day: 'sunday' }, monday), monday - DAY);
  assert.equal(lastDigestTime({ ...weekly, hour: 0 }, monday), monday - 7 * HOUR);
  assert.equal(lastDigestTime(daily, monday + 23 * HOUR), monday);
  assert.equal(lastDigestTime({ ...daily, hour: 23 }, monday), monday - 8 * HOUR);
});

test('missed digests become one, and the first start sends nothing', async () => {
  const store = await openTables();
  const due = (now: number): unknown => dueDigest(store, 'mail', weekly, now);
  assert.deepEqual(due(monday + HOUR), { began: monday });
  await markDigest(store, 'mail', monday);
  assert.equal(due(monday + 7 * DAY - 1), undefined);
  assert.deepEqual(due(monday + 7 * DAY), { from: monday, until: monday + 7 * DAY });
  // The daemon was down for three weeks.
  assert.deepEqual(due(monday + 23 * DAY), { from: monday, until: monday + 21 * DAY });
  await markDigest(store, 'mail', monday + 21 * DAY);
  assert.equal(due(monday + 23 * DAY), undefined);
  // The schedule has changed, and the clock was years ahead.
  assert.deepEqual(dueDigest(store, 'mail', daily, monday + 23 * DAY), {
    from: monday + 21 * DAY,
    until: monday + 23 * DAY,
  });
  await markDigest(store, 'mail', monday + 3000 * DAY);
  assert.deepEqual(due(monday + 23 * DAY), { began: monday + 21 * DAY });
  assert.deepEqual(dueDigest(store, 'webhook', weekly, monday), { began: monday });
  store.close();
});

const quiet: DigestFacts = {
  from: monday - 7 * DAY,
  until: monday,
  domains: ['b.example', 'a.example'],
  state: emptyState,
  changes: [],
  reports: new Map(),
  next: monday + 7 * DAY,
};

/** Returns the digest of a watch after some checks of domains. */
async function digestOf(
  checks: readonly (readonly [domain: string, plant: ReturnType<typeof atHost>])[],
  until = monday,
): Promise<Digest> {
  const store = await openTables();
  const domains = [...new Set(checks.map(([domain]) => domain))];
  let now = until - 2 * DAY;
  for (const [domain, plant] of checks) {
    now += HOUR;
    const check = { domain, result: plant(healthyResult(domain)) };
    await recordCheck(store, check, { domains, channels: [] }, now);
  }
  const period = { from: until - 7 * DAY, until };
  const digest = await readDigest(store, { domains, schedule: weekly, ...period });
  store.close();
  return digest;
}
const healthy = (result: ReturnType<typeof healthyResult>): typeof result => result;

test('a week without faults is one line, and the domains are listed', async () => {
  const digest = await digestOf([
    ['b.example', healthy],
    ['a.example', healthy],
  ]);
  assert.equal(digestSubject(digest), 'Mail TLS: all 2 domains are without faults, no changes');
  assert.equal(
    digestText(digest),
    [
      'All 2 domains are without faults, no changes.',
      'Period: 2026-12-28 to 2027-01-04 (UTC).',
      '',
      'a.example  good       pass            no reports',
      'b.example  good       pass            no reports',
      '',
      'The next digest is due at 2027-01-11 07:00 UTC.',
      '',
    ].join('\n'),
  );
});

test('domains with open faults come first, with their changes', async () => {
  const broken = atHost('dane-mismatch');
  const digest = await digestOf([
    ['a.example', healthy],
    ['z.example', healthy],
    ['z.example', broken],
    ['z.example', broken],
  ]);
  assert.deepEqual(
    digest.domains.map(({ domain, status, changes }) => [domain, status, changes]),
    [
      ['z.example', 'attention', 1],
      ['a.example', 'good', 0],
    ],
  );
  assert.equal(digestSubject(digest), 'Mail TLS: 1 of 2 domains needs attention');
  assert.match(digestText(digest), /^Open faults:\n- mx\.z\.example.*dane-mismatch/m);
  assert.match(digestText(digest), /^NEW z\.example \(since /m);
  const outside = await digestOf([['a.example', healthy]], monday + 30 * DAY);
  assert.equal(outside.changes.length, 0);
});

test('a domain without a certain result is unknown', () => {
  const digest = composeDigest(quiet);
  assert.deepEqual(
    digest.domains.map(({ domain, status }) => `${domain} ${status}`),
    ['a.example unknown', 'b.example unknown'],
  );
  assert.equal(digestSubject(digest), 'Mail TLS: 2 of 2 domains could not be checked');
  assert.match(digestText(digest), /a\.example {2}UNKNOWN {4}not checked/);
});

test('a check that reaches no server leaves the domain unknown', async () => {
  const digest = await digestOf([['a.example', hidden()]]);
  assert.equal(digest.domains[0]?.status, 'unknown');
});

test('certificates and signatures near expiry are listed by date', async () => {
  // The certificate expires on 1 February, and the signature on 15 January.
  const digest = await digestOf([['a.example', healthy]], Date.parse('2027-01-14T07:00:00Z'));
  assert.deepEqual(
    digest.upcoming.map(({ at, kind }) => `${at.slice(0, 10)} ${kind}`),
    ['2027-01-15 signature', '2027-02-01 certificate'],
  );
  assert.match(digestText(digest), /certificate of mx\.a\.example expires in 17 days\./);
  assert.equal((await digestOf([['a.example', healthy]])).upcoming.length, 0);
  const late = await digestOf([['a.example', healthy]], Date.parse('2027-02-03T07:00:00Z'));
  assert.match(digestText(late), /has expired/);
});

test('failures in TLS reports need attention, and sessions are counted', () => {
  const reports = new Map([
    ['a.example', { failing: true, successful: 90, failed: 10, says: 'Mail fails.' }],
    ['b.example', { failing: false, successful: 5, failed: 0, says: 'Well.' }],
  ]);
  const digest = composeDigest({ ...quiet, reports });
  assert.equal(digest.domains[0]?.status, 'attention');
  const text = digestText(digest);
  assert.match(text, /a\.example {2}ATTENTION {2}not checked {5}10 of 100 failed/);
  assert.match(text, /^- a\.example, TLS reports: Mail fails\.$/m);
  assert.doesNotMatch(text, /Well/);
});

test('a digest omits reports of other domains', async () => {
  const store = await openTables();
  assert.deepEqual(storeReports(store, []), []);
  const period = { from: monday - 7 * DAY, until: monday };
  const digest = await readDigest(store, { domains: ['a.example'], schedule: daily, ...period });
  assert.equal(digest.domains[0]?.sessions, undefined);
  store.close();
});

test('foreign text adds no line and no element to a digest', async () => {
  const digest = await digestOf([
    ['a.example', healthy],
    ['a.example', atHost('dane-mismatch')],
    ['a.example', atHost('dane-mismatch')],
  ]);
  const evil = 'x\r\nNEW b.example <script>alert(1)</script>\u202e';
  const planted: Digest = {
    ...digest,
    domains: digest.domains.map((line) => ({ ...line, faults: [evil], reports: evil })),
    changes: digest.changes.map((change) => ({ ...change, says: evil, todo: [evil] })),
  };
  assert.doesNotMatch(digestText(planted), /^NEW b\.example/m);
  assert.doesNotMatch(digestHtml(planted), /<script|\u202e/);
  assert.doesNotMatch(digestSubject(planted), /[\r\n]/);
});

test('the HTML of a digest loads no external resources', async () => {
  const html = digestHtml(await digestOf([['a.example', healthy]]));
  assert.match(html, /^<!doctype html>/);
  assert.doesNotMatch(html, /(src|href|url\(|https?:)/);
});

test('the JSON of a digest follows its schema', async () => {
  const broken = atHost('dane-mismatch');
  for (const digest of [
    composeDigest(quiet),
    await digestOf([
      ['a.example', healthy],
      ['a.example', broken],
      ['a.example', broken],
    ]),
  ])
    watchDigestSchema.parse(JSON.parse(digestJson(digest)));
});

test('the configuration refuses a day for a daily digest', () => {
  const parse = (digest: object): boolean =>
    watchSection.safeParse({ domains: ['a.example'], digest }).success;
  assert.ok(parse({ every: 'week' }));
  assert.ok(parse({ every: 'day', hour: 0 }));
  for (const digest of [{ every: 'day', day: 'monday' }, { every: 'month' }, { hour: 7 }])
    assert.ok(!parse(digest), JSON.stringify(digest));
  assert.ok(!parse({ every: 'day', hour: 24 }));
  assert.equal(watchSection.parse({ domains: ['a.example'] }).digest, undefined);
});
