import assert from 'node:assert/strict';
import test from 'node:test';
import { fail, ok, type Failure, type Result } from '../../base/index.js';
import type { Resolver } from '../../dns/index.js';
import type { Store } from '../../store/index.js';
import {
  importMailbox,
  intakeFailures,
  lookupKeys,
  openReports,
  showDomain,
  type ImportMailboxOptions,
  type ReportMailbox,
  type MailboxImport,
} from '../index.js';
import { FakeClock } from '../../../test/support/fake-clock.js';
import { FakeMailbox } from '../../../test/support/report/fake-mailbox.js';
import { keyResolver, reportJson, reportMail } from '../../../test/support/report/mail.js';

const MINUTE = 60_000;
const arrived = Date.parse('2026-05-05T06:00:00Z');
const now = Date.parse('2026-05-05T12:00:00Z');
const signer = 'sender.example';
const spam = Buffer.from('From: a@b.example\r\nSubject: offer\r\n\r\nBuy this.\r\n');
const signed = (id: number): Promise<Buffer> =>
  reportMail({ report: reportJson(10, 0, String(id)), signer });

class World {
  readonly clock = new FakeClock(now);
  readonly mailbox = new FakeMailbox();
  keys: Resolver = keyResolver([signer]);
  opened = 0;

  private constructor(readonly store: Store) {}

  static async open(): Promise<World> {
    return new World(await openReports(':memory:'));
  }

  import(options: Partial<ImportMailboxOptions> = {}): Promise<MailboxImport> {
    return importMailbox({
      name: 'imap:tlsrpt@imap.example/INBOX',
      open: () => {
        this.opened++;
        return Promise.resolve(ok(this.mailbox as ReportMailbox));
      },
      store: this.store,
      clock: this.clock,
      domains: ['rcpt.example'],
      keys: (name) => lookupKeys(this.keys, name),
      after: 'move',
      moveTo: 'Read',
      trusted: false,
      signal: new AbortController().signal,
      isDryRun: false,
      ...options,
    });
  }

  successful(): number {
    return showDomain(this.store, 'rcpt.example', { now }).sessions.successful;
  }

  /** Returns the contents of every table. */
  rows(): unknown {
    const tables = this.store
      .prepare<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all();
    return tables.map(({ name }) => [name, this.store.prepare(`SELECT * FROM ${name}`).all()]);
  }
}

test('an import reads the mailbox once and ends, and the next continues there', async () => {
  const world = await World.open();
  const { mailbox } = world;
  for (const text of [await signed(1), spam, await signed(2)]) mailbox.add(text, arrived);
  const first = await world.import();
  assert.equal(first.result.ok, true);
  assert.deepEqual([...first.fates].sort(), [
    ['foreign', 1],
    ['taken', 2],
  ]);
  assert.deepEqual([first.fresh, first.known], [2, 0]);
  assert.equal(mailbox.moved.length, 2);
  assert.equal(mailbox.mails.size, 1);
  mailbox.add(await signed(2), arrived);
  const second = await world.import();
  assert.deepEqual([second.fresh, second.known], [0, 1]);
  assert.deepEqual([...second.fates], [['taken', 1]], 'the spam is not read again');
  assert.equal(world.successful(), 20);
  world.store.close();
});

test('a dry run changes neither database nor mailbox, and predicts the import', async () => {
  const world = await World.open();
  const { mailbox } = world;
  mailbox.add(await signed(1), arrived);
  await world.import({ after: 'keep', moveTo: undefined });
  for (const text of [await signed(1), await signed(2), spam, await signed(3), await signed(3)])
    mailbox.add(text, arrived);
  mailbox.add(await reportMail({ report: reportJson(9, 0, '9') }), arrived);
  const rows = world.rows();
  for (const after of ['move', 'delete', 'keep'] as const) {
    const moveTo = after === 'move' ? 'Read' : undefined;
    const predicted = await world.import({ isDryRun: true, after, moveTo });
    assert.deepEqual(world.rows(), rows, after);
    assert.equal(mailbox.mails.size, 7, after);
    assert.equal(mailbox.moved.length, 0, after);
    assert.deepEqual([predicted.fresh, predicted.known], [3, 2], after);
    assert.deepEqual([...predicted.uncounted], [['unsigned', 1]], after);
  }
  const predicted = await world.import({ isDryRun: true });
  const imported = await world.import();
  assert.deepEqual(imported, predicted);
  assert.equal(mailbox.moved.length, 5);
  world.store.close();
});

test('the next import completes one that failed at any step', async () => {
  const mails = await Promise.all([1, 2, 3, 4].map((id) => signed(id)));
  for (const afterEffect of [false, true])
    for (let step = 1; step <= 4; step++) {
      const world = await World.open();
      const { mailbox } = world;
      for (const text of [...mails, spam]) mailbox.add(text, arrived);
      mailbox.breaksAt = { step, afterEffect };
      const broken = await world.import();
      mailbox.breaksAt = undefined;
      if (!broken.result.ok) assert.equal(broken.result.failure.code, 'mailbox-connection-lost');
      const at = `step ${step}, ${afterEffect ? 'after' : 'before'} its effect`;
      assert.equal((await world.import()).result.ok, true, at);
      assert.equal(world.successful(), 40, at);
      assert.equal(mailbox.moved.length, 4, at);
      assert.equal(mailbox.mails.size, 1, at);
      world.store.close();
    }
});

const refusing = (failure: Failure) => (): Promise<Result<ReportMailbox>> =>
  Promise.resolve(fail(failure));

test('an import ends at a refused login, and after a few failed connections', async () => {
  const world = await World.open();
  const login = intakeFailures.make('mailbox-login-refused', 'wrong password');
  const refused = await world.import({ open: refusing(login) });
  assert.deepEqual(refused.result, fail(login));
  assert.deepEqual(world.clock.pauses, [], 'a second try could lock the account');
  const gone = intakeFailures.make('mailbox-unreachable', 'no route');
  const unreachable = await world.import({ open: refusing(gone) });
  assert.deepEqual(unreachable.result, fail(gone));
  assert.equal(world.clock.pauses.length, 3);
  world.store.close();
});

test('an import into an unwritable store ends and moves no mail', async () => {
  const world = await World.open();
  const { mailbox } = world;
  mailbox.add(await signed(1), arrived);
  world.store.prepare('DROP TABLE report_failure').run();
  world.store.prepare('DROP TABLE report_policy').run();
  const blocked = await world.import();
  assert.equal(blocked.result.ok ? '' : blocked.result.failure.code, 'mailbox-not-stored');
  assert.equal(mailbox.mails.size, 1);
  assert.ok(world.clock.pauses.length <= 4);
  world.store.close();
});

test('a mail with a failed key lookup is left to the next import', async () => {
  const world = await World.open();
  const { mailbox, clock } = world;
  mailbox.add(await signed(1), arrived);
  mailbox.add(spam, arrived);
  world.keys = keyResolver([], 'failed');
  const first = await world.import();
  assert.equal(first.result.ok, true);
  assert.equal(first.pending, 1);
  world.keys = keyResolver([signer]);
  clock.at += 6 * MINUTE;
  const second = await world.import();
  assert.deepEqual([second.pending, second.fresh], [0, 1]);
  assert.equal(world.successful(), 10);
  world.store.close();
});

test('an interrupted import rejects, and the next one completes it', async () => {
  const world = await World.open();
  const { mailbox } = world;
  mailbox.add(await signed(1), arrived);
  const stopping = new AbortController();
  mailbox.onRound = () => stopping.abort(new Error('stopped'));
  await assert.rejects(world.import({ signal: stopping.signal }), /stopped/);
  mailbox.onRound = () => undefined;
  assert.equal((await world.import()).fresh, 1);
  world.store.close();
});
