import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { fail, ok, type Failure, type Result } from '../../base/index.js';
import type { Resolver } from '../../dns/index.js';
import type { Store } from '../../store/index.js';
import {
  createReceiver,
  intakeFailures,
  MailboxReader,
  openReports,
  renderDomain,
  renderReportOverview,
  showDomain,
  showOverview,
  verifyDkim,
  type ReportMailbox,
  type MailboxReaderOptions,
} from '../index.js';
import { FakeClock } from '../../../test/support/fake-clock.js';
import { FakeMailbox } from '../../../test/support/report/fake-mailbox.js';
import { keyResolver, reportJson, reportMail } from '../../../test/support/report/mail.js';

const MINUTE = 60_000;
const arrived = Date.parse('2026-05-05T06:00:00Z');
const now = Date.parse('2026-05-05T12:00:00Z');
const signer = 'sender.example';

interface World {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly mailbox: FakeMailbox;
  readonly failures: (Failure | undefined)[];
  keys: Resolver;
  /** Reads until the given number of rounds has begun, and returns the reader. */
  read(rounds?: number, options?: Partial<MailboxReaderOptions>): Promise<MailboxReader>;
  /** Returns the number of counted sessions about rcpt.example. */
  successful(): number;
}

async function createWorld(): Promise<World> {
  const store = await openReports(':memory:');
  const clock = new FakeClock(now);
  const mailbox = new FakeMailbox();
  const world: World = {
    store,
    clock,
    mailbox,
    failures: [],
    keys: keyResolver([signer]),
    async read(rounds = 1, options = {}) {
      const receiver = createReceiver({
        store,
        clock,
        domains: ['rcpt.example'],
        verify: (text) => verifyDkim(text, world.keys, clock.now()),
      });
      const reader = new MailboxReader({
        name: 'imap:tlsrpt@imap.example/INBOX',
        open: () => Promise.resolve(ok(mailbox as ReportMailbox)),
        receiver,
        store,
        clock,
        after: 'keep',
        trusted: false,
        pollMs: 10 * MINUTE,
        onFailure: (failure) => void world.failures.push(failure),
        ...options,
      });
      const stopping = new AbortController();
      mailbox.rounds = 0;
      mailbox.onRound = (begun) => {
        if (begun > rounds) stopping.abort(new Error('stopped'));
      };
      await reader.run(stopping.signal);
      return reader;
    },
    successful: () => showDomain(store, 'rcpt.example', { now: clock.now() }).sessions.successful,
  };
  return world;
}

function signed(id: number, sessions = 10): Promise<Buffer> {
  return reportMail({ report: reportJson(sessions, 0, String(id)), signer });
}

const dmarc = Buffer.from(
  [
    'From: dmarc@other.example',
    'To: tlsrpt@rcpt.example',
    'Subject: Report domain: rcpt.example Submitter: other.example Report-ID: 7',
    'MIME-Version: 1.0',
    'Content-Type: application/gzip; name="other.example!rcpt.example!1!2.xml.gz"',
    'Content-Transfer-Encoding: base64',
    '',
    gzipSync('<?xml version="1.0"?>\n<feedback><version>1.0</version></feedback>').toString(
      'base64',
    ),
    '',
  ].join('\r\n'),
);
const spam = Buffer.from('From: a@b.example\r\nSubject: offer\r\n\r\nBuy this.\r\n');

test('other mail stays in the mailbox and is counted', async () => {
  const world = await createWorld();
  const { mailbox } = world;
  mailbox.add(await signed(1), arrived);
  const foreign = [
    dmarc,
    spam,
    await reportMail({ report: reportJson(5, 0, '9', '2026-05-04', 'other.example'), signer }),
  ];
  for (const text of foreign) mailbox.add(text, arrived);
  mailbox.add(await reportMail({ report: '{"policies": "none"', signer }), arrived);
  const reader = await world.read(2, { after: 'move', moveTo: 'Read' });
  assert.deepEqual([...reader.status.fates].sort(), [
    ['foreign', 2],
    ['left', 1],
    ['refused', 1],
    ['taken', 1],
  ]);
  assert.equal(mailbox.mails.size, 4);
  assert.equal(mailbox.moved.length, 1);
  assert.equal(mailbox.fetches, 5, 'each mail is fetched once');
  assert.equal(world.successful(), 10);
  const overview = showOverview(world.store, { now });
  assert.deepEqual(overview.refused.map(({ via, code }) => `${via} ${code}`).sort(), [
    'mailbox report-is-dmarc',
    'mailbox report-missing',
    'mailbox report-no-policies',
  ]);
  assert.match(renderReportOverview(overview), /Other mail in mailboxes: 2 messages\./);
  world.store.close();
});

test('a connection that breaks at any step loses no report and counts none twice', async () => {
  const mails = await Promise.all([1, 2, 3, 4].map((id) => signed(id)));
  for (const after of ['keep', 'move', 'delete'] as const)
    for (const afterEffect of [false, true])
      for (let step = 1; step <= 4; step++) {
        const world = await createWorld();
        const { mailbox } = world;
        for (const text of [...mails, spam]) mailbox.add(text, arrived);
        mailbox.breaksAt = { step, afterEffect };
        const options = { after, moveTo: after === 'move' ? 'Read' : undefined };
        await world.read(1, options);
        mailbox.breaksAt = undefined;
        // Another process continues the reading.
        await world.read(2, options);
        const at = `${after}, step ${step}, ${afterEffect ? 'after' : 'before'} its effect`;
        assert.equal(world.successful(), 40, at);
        assert.equal(mailbox.mails.size, after === 'keep' ? 5 : 1, at);
        assert.equal(mailbox.moved.length, after === 'move' ? 4 : 0, at);
        world.store.close();
      }
});

test('another UIDVALIDITY reads the folder again and counts nothing twice', async () => {
  const world = await createWorld();
  const { mailbox } = world;
  for (const id of [1, 2, 3]) mailbox.add(await signed(id), arrived);
  await world.read();
  assert.equal(mailbox.fetches, 3);
  await world.read();
  assert.equal(mailbox.fetches, 3, 'the position is remembered');
  mailbox.uidValidity = '2';
  mailbox.nextUid = 1;
  const before = [...mailbox.mails.values()];
  mailbox.mails.clear();
  // UID 1 now refers to another mail.
  for (const { text } of [{ text: await signed(4) }, ...before]) mailbox.add(text, arrived);
  await world.read();
  assert.equal(mailbox.fetches, 7);
  assert.equal(world.successful(), 40);
  world.store.close();
});

test('a mail with a failed key lookup is retried and delays no other', async () => {
  const world = await createWorld();
  const { mailbox, clock } = world;
  mailbox.add(
    await reportMail({
      report: reportJson(7, 0, '1', '2026-05-04', 'rcpt.example', 'a@late.example'),
      signer: 'late.example',
      from: 'a@late.example',
      submitter: 'late.example',
    }),
    arrived,
  );
  world.keys = keyResolver([], 'failed');
  let reader = await world.read(1, { after: 'move', moveTo: 'Read' });
  assert.deepEqual([...reader.status.fates], [['postponed', 1]]);
  assert.equal(reader.status.pending, 1);
  world.keys = keyResolver([signer]);
  mailbox.add(await signed(2), arrived);
  world.keys = keyResolver([signer], 'failed');
  await world.read(1, { after: 'move', moveTo: 'Read' });
  assert.equal(world.successful(), 10);
  clock.at += 10 * MINUTE;
  world.keys = keyResolver([signer, 'late.example']);
  reader = await world.read(2, { after: 'move', moveTo: 'Read' });
  assert.equal(reader.status.pending, 0);
  assert.equal(world.successful(), 17);
  assert.equal(mailbox.mails.size, 0);
  world.store.close();
});

/** Domains whose keys `keyResolver([signer])` does not have. */
const lateSigners = Array.from({ length: 60 }, (_, n) => `late${n}.example`);
const lateMails = Promise.all(
  lateSigners.map((name) => {
    const report = reportJson(1, 0, name, '2026-05-04', 'rcpt.example', `a@${name}`);
    return reportMail({ report, signer: name, from: `a@${name}`, submitter: name });
  }),
);

for (const after of ['keep', 'move'] as const)
  test(`pending mails beyond the limit are all read in time (${after})`, async () => {
    const world = await createWorld();
    const { mailbox, clock, failures } = world;
    const options = { after, moveTo: after === 'move' ? 'Read' : undefined, maxPending: 10 };
    // A batch is 50 mails, so the reader exceeds the limit by one batch at most.
    for (const text of await lateMails) mailbox.add(text, arrived);
    mailbox.add(await signed(1), arrived);
    world.keys = keyResolver([signer], 'failed');
    let reader = await world.read(3, options);
    assert.equal(world.successful(), 10, 'a mail behind them is read');
    assert.ok(reader.status.pending <= 60, `${reader.status.pending} pending`);
    assert.equal(reader.status.fates.get('given-up'), undefined);
    assert.equal(reader.status.failure?.code, 'mailbox-pending-full');
    assert.deepEqual(
      failures.map((failure) => failure?.code),
      ['mailbox-pending-full'],
    );
    // In three rounds the skipped mails are fetched once, and the pending mails in each
    // round.
    assert.ok(mailbox.fetches <= 61 + 2 * 50, `${mailbox.fetches} fetches`);
    // Another process continues the reading, and the keys are available again.
    world.keys = keyResolver([signer, ...lateSigners]);
    clock.at += 30 * MINUTE;
    reader = await world.read(4, options);
    assert.equal(world.successful(), 70);
    assert.equal(reader.status.pending, 0);
    assert.equal(reader.status.failure, undefined);
    assert.equal(mailbox.mails.size, after === 'keep' ? 61 : 0);
    world.store.close();
  });

test('skipped mails are read again once pending mails are settled', async () => {
  const world = await createWorld();
  const { mailbox, clock } = world;
  for (const text of await lateMails) mailbox.add(text, arrived);
  world.keys = keyResolver([], 'failed');
  const counts: number[] = [];
  clock.at += MINUTE;
  const onFailure = (failure: Failure | undefined): void => {
    counts.push(world.successful());
    // From now on the resolver answers, and the first retries are due.
    if (failure) world.keys = keyResolver(lateSigners);
    clock.at += 10 * MINUTE;
  };
  const reader = await world.read(5, { maxPending: 10, onFailure });
  assert.equal(world.successful(), 60);
  assert.equal(counts[0], 0);
  assert.equal(reader.status.pending, 0);
  world.store.close();
});

test('after three days of failed lookups a report is stored without authentication', async () => {
  const world = await createWorld();
  const { mailbox, clock } = world;
  mailbox.add(await signed(1), arrived);
  world.keys = keyResolver([], 'failed');
  await world.read();
  clock.at += 3 * 1440 * MINUTE;
  const reader = await world.read();
  assert.deepEqual([...reader.status.fates], [['taken', 1]]);
  assert.equal(world.successful(), 0);
  const view = showDomain(world.store, 'rcpt.example', { now: clock.at });
  assert.deepEqual(
    view.doubtful.map(({ trust }) => trust),
    ['unverifiable'],
  );
  world.store.close();
});

test('a trusted mailbox counts reports without a key, and every view shows them', async () => {
  const world = await createWorld();
  const { mailbox } = world;
  world.keys = keyResolver([]);
  const mail = await signed(1);
  mailbox.add(mail, arrived);
  mailbox.add(await reportMail({ report: reportJson(20, 0, '2') }), arrived);
  await world.read();
  assert.equal(world.successful(), 0);
  mailbox.uidValidity = '2';
  await world.read(1, { trusted: true });
  assert.equal(world.successful(), 30);
  const view = showDomain(world.store, 'rcpt.example', { now });
  assert.equal(view.trustedMailbox, 2);
  assert.match(renderDomain(view), /2 reports count only because you trust their mailbox/);
  const overview = showOverview(world.store, { now });
  assert.equal(overview.trustedMailbox, 2);
  assert.match(
    renderReportOverview(overview),
    /2 reports count only because you trust their mailbox/,
  );
  // The key is published again, so the report is now trusted because of its signature.
  world.keys = keyResolver([signer]);
  mailbox.uidValidity = '3';
  await world.read(1, { trusted: true });
  assert.equal(showDomain(world.store, 'rcpt.example', { now }).trustedMailbox, 1);
  assert.equal(world.successful(), 30);
  world.store.close();
});

test('a trusted mailbox does not count changed mails or mails signed by others', async () => {
  const world = await createWorld();
  const { mailbox } = world;
  world.keys = keyResolver([signer, 'evil.example']);
  const changed = (await signed(1)).toString('latin1').replace('aggregate', 'aggregated');
  mailbox.add(Buffer.from(changed, 'latin1'), arrived);
  mailbox.add(await reportMail({ report: reportJson(5, 0, '2'), signer: 'evil.example' }), arrived);
  const inText = `From: tlsrpt@sender.example\r\nSubject: x\r\n\r\n${reportJson(5, 0, '3')}\r\n`;
  mailbox.add(Buffer.from(inText), arrived);
  await world.read(1, { trusted: true });
  assert.equal(world.successful(), 0);
  const { doubtful } = showDomain(world.store, 'rcpt.example', { now });
  assert.deepEqual(doubtful.map(({ trust }) => trust).sort(), ['broken', 'misaligned', 'unsigned']);
  world.store.close();
});

test('an old report is judged by its arrival, and a trusted mailbox accepts any age', async () => {
  const old = reportJson(10, 0, '1', '2026-01-04');
  const mail = await reportMail({ report: old, signer });
  const trustOf = async (arrivedAt: number, trusted: boolean): Promise<unknown> => {
    const world = await createWorld();
    world.mailbox.add(mail, arrivedAt);
    await world.read(1, { trusted });
    const row = world.store.prepare<{ trust: string }>('SELECT trust FROM report').get();
    world.store.close();
    return row?.trust;
  };
  assert.equal(await trustOf(Date.parse('2026-01-05T06:00:00Z'), false), 'signed');
  assert.equal(await trustOf(arrived, false), 'stale');
  assert.equal(await trustOf(arrived, true), 'signed');
  // If the server states no arrival time, the mail counts as received now.
  assert.equal(await trustOf(NaN, false), 'stale');
});

test('a lost connection is not a failure until the next one fails', async () => {
  const world = await createWorld();
  const { mailbox, clock } = world;
  mailbox.breaksAt = { step: 1, afterEffect: false };
  await world.read(1);
  assert.equal(world.failures.length, 0);
  await world.read(3);
  assert.deepEqual(
    world.failures.map((failure) => failure?.code),
    ['mailbox-connection-lost'],
  );
  assert.deepEqual(clock.pauses.slice(-3), [5000, 10_000, 20_000]);
  world.store.close();
});

test('a refused login is reported once and not repeated for a quarter of an hour', async () => {
  const world = await createWorld();
  const { clock, mailbox } = world;
  let tries = 0;
  const open = (): Promise<Result<ReportMailbox>> =>
    Promise.resolve(
      ++tries < 3
        ? fail(intakeFailures.make('mailbox-login-refused', 'wrong password'))
        : ok(mailbox as ReportMailbox),
    );
  const reader = await world.read(1, { open });
  assert.deepEqual(
    world.failures.map((failure) => failure?.code),
    ['mailbox-login-refused', undefined],
  );
  assert.deepEqual(clock.pauses.slice(0, 2), [15 * MINUTE, 15 * MINUTE]);
  assert.equal(reader.status.failure, undefined);
  world.store.close();
});
