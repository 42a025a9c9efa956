import assert from 'node:assert/strict';
import test from 'node:test';
import type { CheckResult } from '../../src/evidence/index.js';
import type { StsEntry } from '../../src/mta-sts/index.js';
import {
  crashAtEveryStep,
  untilCrash,
  type CrashInjector,
} from '../support/publish/crash-injection.js';
import {
  createReceiver,
  prepareReports,
  pruneReports,
  runAlerts,
  storeCheck,
} from '../../src/tls-rpt-receive/index.js';
import { reportJson, reportMail } from '../support/report/mail.js';
import { stsStore } from '../../src/send/index.js';
import { EventBuffer, Outbox, prepareReporting } from '../../src/tls-rpt-send/index.js';
import type { SessionEvent } from '../../src/tls-rpt-send/session-event.js';
import { openStore, verifyStore, type Store } from '../../src/store/index.js';
import { systemClockAt } from '../support/fake-clock.js';

// A queued write is never partial: it is one transaction.
const moments = ['before a step', 'after a step'] as const;
const DAY = 86_400_000;
const now = Date.parse('2026-11-23T12:00:00Z');
const today = new Date(now).toISOString().slice(0, 10);
const clock = systemClockAt(() => now);

const check = (at: number): CheckResult =>
  ({ domain: 'rcpt.example', checkedAt: new Date(at).toISOString() }) as unknown as CheckResult;

/**
 * The daemon receives reports, stores a check, sends alerts and deletes old reports;
 * senders repeat unacknowledged reports.
 */
class ReportLife {
  readonly acknowledged = new Set<string>();
  readonly alerts: string[] = [];

  constructor(readonly store: Store) {}

  async live(mortal?: CrashInjector): Promise<void> {
    const store = mortal?.store(this.store) ?? this.store;
    prepareReports(store);
    const receiver = createReceiver({
      store,
      clock,
      domains: ['rcpt.example'],
      verify: () => Promise.resolve({ result: 'pass', signer: 'sender.example', detail: '' }),
    });
    const from = { via: 'mail', peer: '192.0.2.1', name: 'mail' } as const;
    for (const id of ['a', 'b', 'c', 'd'].filter((one) => !this.acknowledged.has(one))) {
      const report = reportJson(3, 2, id, today);
      const mail = await reportMail({ report, signer: 'sender.example' });
      const receipt = await receiver.receive(mail, from);
      if (receipt.status === 'stored') this.acknowledged.add(id);
    }
    await receiver.receive(Buffer.from('{"no": "report"}'), from);
    for (const at of [now, now + 3_600_000])
      await store.write('report', () => storeCheck(store, check(at)));
    await runAlerts({
      store,
      now,
      domains: ['rcpt.example'],
      channels: {
        mail: (alerts) => {
          if (mortal?.dead) return Promise.resolve(false);
          this.alerts.push(...alerts.map(({ kind, domain }) => `${kind} ${domain}`));
          return Promise.resolve(true);
        },
      },
    });
    await pruneReports(store, { now: now + 500 * DAY, keepDays: 400 });
  }

  rows(sql: string): unknown {
    return this.store.prepare(sql).all();
  }

  /** Returns whether the tables exist and old reports were deleted. */
  isPruned(): boolean {
    const table = "SELECT 1 FROM sqlite_master WHERE name = 'report_pruned'";
    if (!this.store.prepare(table).get()) return false;
    return this.store.prepare('SELECT 1 FROM report_pruned').get() !== undefined;
  }

  assertStored(where: string): void {
    if (this.acknowledged.size === 0) return;
    const rows = this.store.prepare<{ id: string }>('SELECT report_id AS id FROM report').all();
    const stored = new Set(rows.map(({ id }) => id));
    assert.deepEqual(
      [...this.acknowledged].filter((id) => !stored.has(id)),
      [],
      where,
    );
  }

  summary(): unknown {
    return {
      acknowledged: [...this.acknowledged].sort(),
      sums: this.rows(
        'SELECT domain, type, sum(ok) AS ok, sum(failed) AS failed, sum(reports) AS reports FROM report_day GROUP BY domain, type ORDER BY domain, type',
      ),
      reports: this.rows('SELECT report_id FROM report ORDER BY report_id'),
      checks: this.rows('SELECT domain, checked_at FROM report_check ORDER BY checked_at'),
      pruned: this.rows('SELECT count(*) AS n FROM report_pruned'),
    };
  }
}

for (const moment of moments)
  test(`report and check: death ${moment} loses no acknowledged write and repeats none`, async () => {
    const calm = new ReportLife(await openStore(':memory:'));
    await calm.live();
    const steps = await crashAtEveryStep(moment, async (mortal, nth) => {
      const where = `death at step ${nth}`;
      const life = new ReportLife(await openStore(':memory:'));
      await untilCrash(() => life.live(mortal));
      if (!life.isPruned()) life.assertStored(where);
      await life.live();
      assert.deepEqual(life.summary(), calm.summary(), where);
      assert.ok(
        calm.alerts.length > 0 && calm.alerts.every((alert) => life.alerts.includes(alert)),
        where,
      );
      assert.deepEqual(verifyStore(life.store), []);
      life.store.close();
    });
    assert.ok(steps >= 10, `only ${steps} steps`);
  });

const session = (domain: string): SessionEvent => ({
  at: now - DAY,
  domain,
  record: `v=TLSRPTv1; rua=mailto:r@${domain}`,
  policy: {
    policyType: 'sts',
    policyDomain: domain,
    policyString: ['version: STSv1'],
    mxHost: ['mx.rcpt.example'],
    totalSuccessfulSessionCount: 1,
    totalFailureSessionCount: 0,
    failureDetails: [],
  },
});

const policy = (domain: string): StsEntry => ({
  domain,
  policy: {
    id: '1',
    mode: 'enforce',
    maxAge: 604_800,
    mx: ['mx.rcpt.example'],
    body: 'version: STSv1',
    fetchedAt: Date.now(),
  },
  usedAt: Date.now(),
});

/**
 * The daemon caches policies, counts sessions, and builds and delivers the reports of the
 * previous day.
 */
class SendLife {
  /** Bodies that a receiver accepted, by report id. */
  readonly delivered = new Map<string, Set<string>>();
  readonly cached = new Set<string>();
  /** Sessions counted by a write that was acknowledged. */
  counted = 0;

  constructor(readonly store: Store) {}

  async live(mortal?: CrashInjector): Promise<void> {
    const store = mortal?.store(this.store) ?? this.store;
    prepareReporting(store);
    const cache = stsStore(store);
    for (const domain of ['a.example', 'b.example']) {
      await cache.put(policy(domain));
      if (!mortal?.dead) this.cached.add(domain);
    }
    if (mortal?.dead) return;
    const stopped = AbortSignal.abort();
    for (const domain of ['a.example', 'b.example', 'a.example']) {
      const buffer = new EventBuffer({ store, clock, signal: stopped, onError: () => undefined });
      buffer.add([session(domain), session(domain)]);
      await buffer.flush();
      this.counted += buffer.counts.counted;
    }
    const outbox = new Outbox({
      store,
      reporter: { organization: 'Sender', contact: 'tls@sender.example' },
      random: Math.random,
    });
    await outbox.close(now);
    for (const due of outbox.due(Infinity, 100)) {
      const bodies = this.delivered.get(due.id) ?? new Set();
      this.delivered.set(due.id, bodies.add(due.body));
      await outbox.settle(due, { delivered: true }, now);
    }
    await outbox.forget(now);
  }

  /** Returns the sessions in reports, each report once. */
  reported(): number {
    return [...this.delivered.values()]
      .flatMap((bodies) => [...bodies].slice(0, 1))
      .map((body) => Number(/"total-successful-session-count":\s*(\d+)/.exec(body)?.[1]))
      .reduce((sum, sessions) => sum + sessions, 0);
  }
}

for (const moment of moments)
  test(`send: death ${moment} keeps every policy and reports every session once`, async () => {
    const steps = await crashAtEveryStep(moment, async (mortal, nth) => {
      const life = new SendLife(await openStore(':memory:'));
      await untilCrash(() => life.live(mortal));
      const where = `death at step ${nth}`;
      const atDeath = life.counted;
      const cache = stsStore(life.store);
      for (const domain of life.cached)
        assert.equal(cache.get(domain)?.policy?.mode, 'enforce', where);
      await life.live();
      // Two more sessions are counted if a write was durable but its acknowledgement was
      // lost.
      const lost = life.reported() - life.counted;
      assert.ok(lost === 0 || (lost === 2 && moment === 'after a step'), `${where}: ${lost}`);
      assert.ok(life.counted >= atDeath + 6);
      for (const bodies of life.delivered.values())
        assert.equal(bodies.size, 1, `${where}: a report is repeated as it was`);
      assert.deepEqual(verifyStore(life.store), []);
      life.store.close();
    });
    assert.ok(steps >= 8, `only ${steps} steps`);
  });
