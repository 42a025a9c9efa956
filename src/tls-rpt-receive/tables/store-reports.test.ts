import assert from 'node:assert/strict';
import test from 'node:test';
import { migrateStore, openStore, type Store } from '../../store/index.js';
import { parseReport } from '../../tls-rpt/index.js';
import {
  openReports,
  prepareReports,
  pruneReports,
  reportEvidence,
  showDomain,
  showOverview,
  storeReports,
  type StoreOutcome,
  type ReportTrust,
} from '../index.js';
import { reportJson } from '../../../test/support/report/mail.js';
import { reportMigrations } from './migrations.js';

const day = 86_400_000;
const at = Date.parse('2026-05-05T12:00:00Z');

function bring(
  store: Store,
  trust: ReportTrust,
  text: string,
  { receivedAt = at, reporter = 'sender.example' } = {},
): StoreOutcome | undefined {
  const parsed = parseReport(text);
  assert.ok(parsed.ok);
  const via = trust === 'posted' ? 'https' : 'mail';
  const raw = Buffer.from(text);
  const reading = { name: 'x', via, raw, parsed, trust, detail: '', reporter } as const;
  return storeReports(store, [{ reading, parsed: parsed.value, receivedAt }])[0];
}

/**
 * Returns the sums over all domains: sessions and reports, separately for authenticated
 * and unauthenticated reports.
 */
function sums(store: Store): readonly string[] {
  return store
    .prepare<{ line: string }>(
      `SELECT CASE authenticated WHEN 1 THEN 'authenticated ' ELSE 'anonymous ' END || sum(ok) || ' ' || sum(failed)
         || ' ' || sum(CASE WHEN type = '' THEN reports ELSE 0 END) AS line
       FROM report_day WHERE domain = '' GROUP BY authenticated ORDER BY authenticated DESC`,
    )
    .all()
    .map(({ line }) => line);
}

function kept(store: Store): readonly unknown[] {
  return store
    .prepare<{ trust: string; counted: number; copies: number }>(
      'SELECT trust, counted, copies FROM report ORDER BY id',
    )
    .all()
    .map(({ trust, counted, copies }) => [trust, counted, copies]);
}

const ranked: readonly ReportTrust[] = ['broken', 'unsigned', 'posted', 'given', 'signed'];

test('the trust of a report is the best trust of its copies, in any order', async () => {
  for (const first of ranked)
    for (const second of ranked) {
      const store = await openReports(':memory:');
      bring(store, first, reportJson(10, 2));
      bring(store, second, reportJson(10, 2));
      const best = [first, second].find((t) => t === 'signed' || t === 'given' || t === 'posted')
        ? ranked[Math.max(ranked.indexOf(first), ranked.indexOf(second))]
        : first;
      assert.equal((kept(store)[0] as unknown[])[0], best, `${first}, then ${second}`);
      const line = `${best === 'posted' ? 'anonymous' : 'authenticated'} 10 2 1`;
      const counted = best !== 'broken' && best !== 'unsigned';
      assert.deepEqual(sums(store), counted ? [line] : [], `${first}, then ${second}`);
      const rows = store
        .prepare<{ n: number }>(
          'SELECT count(*) AS n FROM report_failure WHERE counted = ? AND authenticated = ?',
        )
        .get(counted ? 1 : 0, best === 'signed' || best === 'given' ? 1 : 0);
      assert.equal(rows?.n, 1);
      store.close();
    }
});

test('a forged copy does not count as a copy of the genuine report', async () => {
  const store = await openReports(':memory:');
  bring(store, 'unsigned', reportJson(10, 2));
  bring(store, 'posted', reportJson(10, 2));
  bring(store, 'signed', reportJson(10, 2));
  bring(store, 'posted', reportJson(10, 2));
  bring(store, 'broken', reportJson(10, 2));
  assert.deepEqual(kept(store), [['signed', 1, 1]]);
  bring(store, 'signed', reportJson(10, 2));
  assert.deepEqual(kept(store), [['signed', 1, 2]]);
});

test('an anonymous report with the id of an authenticated one does not count', async () => {
  for (const order of [
    ['posted', 'signed'],
    ['signed', 'posted'],
  ] as const) {
    const store = await openReports(':memory:');
    const text = { posted: reportJson(1, 900), signed: reportJson(10, 2) };
    for (const trust of order) bring(store, trust, text[trust]);
    assert.deepEqual(sums(store), ['authenticated 10 2 1'], order.join(', then '));
    bring(store, 'posted', reportJson(1, 900));
    bring(store, 'signed', reportJson(10, 2));
    assert.deepEqual(sums(store), ['authenticated 10 2 1']);
    assert.ok(kept(store).some((row) => (row as unknown[])[0] === 'superseded'));
    store.close();
  }
});

test('many forged reports under one id are deleted, and those of other ids stay', async () => {
  const store = await openReports(':memory:');
  for (let n = 1; n <= 5; n++) bring(store, 'posted', reportJson(n, 100));
  bring(store, 'posted', reportJson(7, 1, '2'));
  bring(store, 'posted', reportJson(8, 1, '1'), { reporter: 'other.example' });
  bring(store, 'signed', reportJson(10, 2));
  assert.deepEqual(sums(store), ['authenticated 10 2 1', 'anonymous 15 2 2']);
});

test('two authenticated reports under one id both count: reporters reuse their ids', async () => {
  const store = await openReports(':memory:');
  bring(store, 'signed', reportJson(10, 2));
  bring(store, 'signed', reportJson(3, 1));
  assert.deepEqual(sums(store), ['authenticated 13 3 2']);
});

test('a report that was pruned does not count again', async () => {
  const store = await openReports(':memory:');
  bring(store, 'signed', reportJson(100, 0));
  bring(store, 'posted', reportJson(5, 0, '2'));
  bring(store, 'unsigned', reportJson(7, 0, '3'));
  const before = sums(store);
  assert.equal(await pruneReports(store, { now: at + 40 * day, keepDays: 7 }), 3);
  const later = { receivedAt: at + 41 * day };
  assert.equal(bring(store, 'signed', reportJson(100, 0), later), 'repeated');
  assert.equal(bring(store, 'posted', reportJson(100, 0), later), 'repeated');
  assert.equal(bring(store, 'posted', reportJson(5, 0, '2'), later), 'repeated');
  assert.deepEqual(sums(store), before);
  assert.equal(bring(store, 'signed', reportJson(5, 0, '2'), later), 'confirmed');
  assert.equal(bring(store, 'signed', reportJson(5, 0, '2'), later), 'repeated');
  assert.deepEqual(sums(store), ['authenticated 105 0 2']);
  assert.equal(bring(store, 'signed', reportJson(7, 0, '3'), later), 'stored');
});

test('a report without dates keeps the day of its first copy', async () => {
  const store = await openReports(':memory:');
  const undated = JSON.stringify({ ...JSON.parse(reportJson(10, 2)), 'date-range': undefined });
  bring(store, 'posted', undated);
  bring(store, 'signed', undated, { receivedAt: at + 3 * day });
  assert.deepEqual(sums(store), ['authenticated 10 2 1']);
});

/**
 * Returns a database of the first version, with large numbers that only this version
 * accepted.
 */
async function oldStore(): Promise<Store> {
  const store = await openStore(':memory:');
  migrateStore(store, 'report', reportMigrations.slice(0, 1));
  const report = store.prepare(
    `INSERT INTO report (id, digest, received_at, day, reporter, via, trust, trust_detail, counted, ok, failed, raw)
     VALUES (?, ?, ?, ?, 'sender.example', ?, ?, '', 1, ?, ?, ?)`,
  );
  const policy = store.prepare(
    `INSERT INTO report_policy (id, report, domain, day, reporter, type, mode, text, counted, ok, failed)
     VALUES (?, ?, 'rcpt.example', ?, 'sender.example', 'sts', '', 0, 1, ?, ?)`,
  );
  const sum = store.prepare(
    'INSERT INTO report_day (domain, day, type, ok, failed, reports) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const today = Math.floor(at / day) - 1;
  const raw = Buffer.from('{}');
  report.run(1, Buffer.of(1), at, today, 'https', 'posted', 9_100_000_000_000_000n, 0, raw);
  report.run(2, Buffer.of(2), at, today, 'mail', 'signed', 90, 10, raw);
  for (let n = 0; n < 9100; n++) policy.run(1_000_000 + n, 1, today, 1e12, 0);
  policy.run(2_000_000, 2, today, 90, 10);
  store
    .prepare(
      `INSERT INTO report_failure (id, domain, day, reporter, type, mode, counted, result, mx, ip, sender_ip, reason, info, failed)
       VALUES (2000000, 'rcpt.example', ?, 'sender.example', 'sts', '', 1, 'certificate-expired', '', '', '', '', '', 4)`,
    )
    .run(today);
  for (const domain of ['', 'rcpt.example'])
    sum.run(domain, today, 'sts', 9_223_372_036_854_775_807n, 10, 9101);
  sum.run('', today, '', 0, 0, 2);
  return store;
}

test('a store with impossible numbers is readable after the migration', async () => {
  const store = await oldStore();
  prepareReports(store);
  assert.deepEqual(sums(store), ['authenticated 90 10 1', 'anonymous 1000000000000000 0 1']);
  const view = showDomain(store, 'rcpt.example', { now: at });
  assert.equal(view.reports, 1);
  assert.equal(view.unauthenticated.length, 1);
  assert.equal(showOverview(store, { now: at }).reports, 1);
  assert.equal(reportEvidence(store, 'rcpt.example', at - 7 * day).length, 2);
  const rows = store
    .prepare<{ id: number; undescribed: number }>(
      'SELECT id, undescribed FROM report_policy WHERE authenticated = 1',
    )
    .all();
  assert.deepEqual(
    rows.map(({ id, undescribed }) => [id, undescribed]),
    [[2_000_000, 6]],
  );
});

test('no stored number makes a read throw', async () => {
  const store = await openReports(':memory:');
  const insert = store.prepare(
    "INSERT INTO report_day VALUES ('rcpt.example', ?, 'sts', 1, ?, ?, 1)",
  );
  const today = Math.floor(at / day) - 1;
  insert.run(today, 9_000_000_000_000_000_000n, 9_100_000_000_000_000n);
  insert.run(today - 1, 100_000_000_000_000_000n, 9_100_000_000_000_000n);
  assert.equal(showOverview(store, { now: at }).failing[0]?.domain, 'rcpt.example');
  const rows = store.iterate<{ ok: number }>('SELECT ok FROM report_day ORDER BY ok');
  assert.deepEqual(
    [...rows].map(({ ok }) => ok),
    [1e17, 9e18],
  );
  // Later statements again return plain numbers.
  assert.equal(store.prepare<{ n: number }>('SELECT 1 AS n').get()?.n, 1);
});

test('the sums of a day saturate', async () => {
  const store = await openReports(':memory:');
  store
    .prepare(
      `INSERT INTO report_day VALUES ('rcpt.example', ?, 'sts', 0, 999999999999999, 0, 1),
         ('', ?, 'sts', 0, 999999999999999, 0, 1)`,
    )
    .run(20577, 20577);
  bring(store, 'posted', reportJson(10_000_000_000, 0));
  const row = store
    .prepare<{ ok: number }>("SELECT ok FROM report_day WHERE domain = '' AND type = 'sts'")
    .get();
  assert.equal(row?.ok, 1e15);
});

test('the rows of one report are bounded, and its counts are kept', async () => {
  const detail = (n: number): object => ({
    'result-type': `type ${n}`,
    'receiving-mx-hostname': `mx${n}.rcpt.example`,
    'sending-mta-ip': `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
    'failed-session-count': 1,
  });
  const policy = (n: number, count: number): object => ({
    policy: {
      'policy-type': `t${n}`,
      'policy-string': [`${n}`],
      'policy-domain': 'rcpt.example',
    },
    summary: { 'total-successful-session-count': 1, 'total-failure-session-count': count + 1 },
    'failure-details': Array.from({ length: count }, (_, i) => detail(i)),
  });
  for (const policies of [
    [policy(0, 30_000)],
    Array.from({ length: 15_000 }, (_, n) => policy(n, 0)),
    Array.from({ length: 300 }, (_, n) => policy(n, 50)),
  ]) {
    const store = await openReports(':memory:');
    const whole = JSON.parse(reportJson(0, 0)) as object;
    bring(store, 'signed', JSON.stringify({ ...whole, policies }));
    const count = (table: string, of: string): { n: number; sum: number } =>
      store
        .prepare<{ n: number; sum: number }>(
          `SELECT count(*) AS n, sum(${of}) AS sum FROM ${table}`,
        )
        .get() ?? { n: 0, sum: 0 };
    const [rows, failures] = [count('report_policy', 'failed'), count('report_failure', 'failed')];
    assert.ok(rows.n <= 500 && failures.n <= 500, `${rows.n} and ${failures.n} rows`);
    const days = count('report_day', "CASE WHEN domain = '' THEN failed ELSE 0 END");
    assert.ok(days.n < 1100);
    assert.equal(rows.sum, failures.sum + policies.length);
    assert.equal(days.sum, rows.sum);
    assert.equal(count('report_policy', 'undescribed').sum, policies.length);
    store.close();
  }
});
