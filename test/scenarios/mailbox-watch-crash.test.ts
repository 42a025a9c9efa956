import assert from 'node:assert/strict';
import test from 'node:test';
import { fail, ok, systemClock, type Clock } from '../../src/base/index.js';
import { openStore, verifyStore, type Store } from '../../src/store/index.js';
import {
  createReceiver,
  intakeFailures,
  MailboxReader,
  prepareReports,
  verifyDkim,
  type ReportMailbox,
} from '../../src/tls-rpt-receive/index.js';
import {
  prepareWatch,
  readWatch,
  recordCheck,
  sendAlarms,
  unsentAlarms,
} from '../../src/watch/index.js';
import {
  crashAtEveryStep,
  untilCrash,
  type CrashInjector,
} from '../support/publish/crash-injection.js';
import { FakeMailbox } from '../support/report/fake-mailbox.js';
import { keyResolver, reportJson, reportMail } from '../support/report/mail.js';
import { atHost, healthyResult } from '../support/watch-results.js';

const moments = ['before a step', 'after a step'] as const;
const HOUR = 3_600_000;
const now = Date.parse('2026-05-05T12:00:00Z');
const signed = (id: string): Promise<Buffer> =>
  reportMail({ report: reportJson(3, 1, id), signer: 'sender.example' });
/** Signed reports, one without a signature, and a mail without a report. */
const mails = [
  await signed('a'),
  await signed('b'),
  await reportMail({ report: reportJson(5, 0, 'unsigned') }),
  Buffer.from('From: a@b.example\r\nSubject: offer\r\n\r\nBuy this.\r\n'),
  await signed('c'),
];

/**
 * A mailbox whose mail the daemon moves after it has stored the reports. The mailbox
 * survives the kill of the process.
 */
class MailboxLife {
  readonly mailbox = new FakeMailbox();

  constructor(readonly store: Store) {
    for (const mail of mails) this.mailbox.add(mail, now);
  }

  /** Reads the mailbox in two rounds; in the first round every lookup of a key fails. */
  async live(mortal?: CrashInjector): Promise<void> {
    const store = mortal?.store(this.store) ?? this.store;
    prepareReports(store);
    const stopping = new AbortController();
    let time = now;
    let keys = keyResolver([], 'failed');
    const clock: Clock = {
      ...systemClock,
      now: () => time,
      monotonic: () => time,
      sleep: (milliseconds) => {
        time += milliseconds;
        keys = keyResolver(['sender.example']);
        if (mortal?.dead) stopping.abort(new Error('dead'));
        return new Promise((resolve) => setImmediate(resolve));
      },
    };
    const lost = fail(intakeFailures.make('mailbox-connection-lost', 'the process ended'));
    const { mailbox } = this;
    const connected: ReportMailbox = {
      uidValidity: mailbox.uidValidity,
      list: (from) => mailbox.list(from),
      describe: (uids) => mailbox.describe(uids),
      fetch: async (uids) => (mortal?.dead ? lost : mailbox.fetch(uids)),
      remove: async (uids, to) =>
        mortal ? mortal.step(() => mailbox.remove(uids, to)) : mailbox.remove(uids, to),
      untilMail: (signal) => mailbox.untilMail(signal),
      close: () => mailbox.close(),
    };
    mailbox.rounds = 0;
    mailbox.onRound = (begun) => {
      if (begun > 3) stopping.abort(new Error('stopped'));
    };
    const reader = new MailboxReader({
      name: 'imap:a@b.example/INBOX',
      open: () => Promise.resolve(mortal?.dead ? lost : ok(connected)),
      receiver: createReceiver({
        store,
        clock,
        domains: ['rcpt.example'],
        verify: (text) => verifyDkim(text, keys, now),
      }),
      store,
      clock,
      after: 'move',
      moveTo: 'done',
      trusted: false,
      pollMs: HOUR,
      onFailure: () => undefined,
    });
    await reader.run(stopping.signal);
  }

  rows(sql: string): readonly unknown[] {
    return this.store.prepare(sql).all();
  }

  /** Asserts that every mail that left the folder is in the database. */
  assertNothingLost(where: string): void {
    const moved = this.mailbox.moved.length;
    const table = "SELECT 1 FROM sqlite_master WHERE name = 'report'";
    const stored = this.rows(table).length > 0 ? this.rows('SELECT 1 FROM report').length : 0;
    assert.ok(stored >= moved, `${where}: ${moved} moved, ${stored} stored`);
  }

  summary(): unknown {
    return {
      left: [...this.mailbox.mails.keys()],
      moved: this.mailbox.moved.length,
      reports: this.rows('SELECT report_id, trust, counted, copies FROM report ORDER BY report_id'),
      sums: this.rows(
        "SELECT type, ok, failed, reports FROM report_day WHERE domain = '' ORDER BY type",
      ),
      position: this.rows('SELECT mailbox, next_uid FROM report_mailbox'),
      pending: this.rows('SELECT uid FROM report_mailbox_pending'),
    };
  }
}

for (const moment of moments)
  test(`mailbox: death ${moment} loses no moved mail and stores none twice`, async () => {
    const calm = new MailboxLife(await openStore(':memory:'));
    await calm.live();
    assert.equal(calm.mailbox.moved.length, 4);
    const steps = await crashAtEveryStep(moment, async (mortal, nth) => {
      const where = `death at step ${nth}`;
      const life = new MailboxLife(await openStore(':memory:'));
      await untilCrash(() => life.live(mortal));
      life.assertNothingLost(where);
      await life.live();
      const [expected, found] = [calm, life].map((one) => JSON.stringify(one.summary()));
      // The daemon recognises a repeated batch as copies, so the sums do not change.
      const withoutCopies = (text = ''): string => text.replace(/"copies":\d+/g, '');
      assert.equal(withoutCopies(found), withoutCopies(expected), where);
      assert.deepEqual(verifyStore(life.store), []);
      life.store.close();
    });
    assert.ok(steps >= 6, `only ${steps} steps`);
  });

/** Checks a domain whose fault begins and ends, and sends the alarms. */
class WatchLife {
  readonly received: string[] = [];

  constructor(readonly store: Store) {}

  async live(mortal?: CrashInjector): Promise<void> {
    const store = mortal?.store(this.store) ?? this.store;
    prepareWatch(store);
    const scope = { domains: ['d.example'], channels: ['mail', 'webhook'] };
    const accept = (channel: string) => async (alarms: readonly { readonly id: string }[]) => {
      if (mortal?.dead) return false;
      this.received.push(...alarms.map(({ id }) => `${channel} ${id}`));
      return true;
    };
    const channels = { mail: accept('mail'), webhook: accept('webhook') };
    for (let look = 1; look <= 6; look++) {
      const at = look * HOUR;
      if ((readWatch(store).domains['d.example']?.lookedAt ?? 0) >= at) continue;
      const healthy = healthyResult('d.example');
      const result = look > 1 && look < 5 ? atHost('starttls-absent')(healthy) : healthy;
      await recordCheck(store, { domain: 'd.example', result }, scope, at);
      await sendAlarms(store, channels, () => at);
    }
    await sendAlarms(store, channels, () => 7 * HOUR);
  }
}

for (const moment of moments)
  test(`watch: death ${moment} loses no alarm and reports no fault twice`, async () => {
    const calm = new WatchLife(await openStore(':memory:'));
    await calm.live();
    assert.ok(calm.received.length >= 4, calm.received.join());
    assert.equal(new Set(calm.received).size, calm.received.length);
    const steps = await crashAtEveryStep(moment, async (mortal, nth) => {
      const life = new WatchLife(await openStore(':memory:'));
      await untilCrash(() => life.live(mortal));
      await life.live();
      // A receiver recognises a repeated alarm by its id.
      assert.deepEqual([...new Set(life.received)].sort(), [...calm.received].sort(), `${nth}`);
      assert.ok(life.received.length <= calm.received.length + 2, `death at step ${nth}`);
      for (const channel of ['mail', 'webhook'])
        assert.deepEqual(unsentAlarms(life.store, channel), []);
      assert.deepEqual(readWatch(life.store).domains, readWatch(calm.store).domains);
      life.store.close();
    });
    assert.ok(steps >= 8, `only ${steps} steps`);
  });
