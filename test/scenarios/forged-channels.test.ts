import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { systemClock, type Clock } from '../../src/base/index.js';
import {
  createReceiver,
  importReports,
  openReports,
  pruneReports,
  verifyDkim,
  type DkimVerdict,
  type Source,
  type Via,
} from '../../src/tls-rpt-receive/index.js';
import { testSize } from '../support/test-size.js';
import { conclusions } from '../support/report/conclusions.js';
import { keyResolver, reportJson, reportMail, signMail } from '../support/report/mail.js';

const now = Date.parse('2026-05-05T12:00:00Z');
const clock: Clock = { ...systemClock, now: () => now };
const domains = ['rcpt.example', 'mx1.rcpt.example', 'mx.attacker.example', ''];
const keys = keyResolver(['sender.example', 'post.example', 'attacker.example']);

/** One input of the intake: its octets, and the channel on which it receives them. */
interface Item {
  readonly what: string;
  readonly via: Via;
  readonly bytes: Uint8Array;
  readonly peer?: string;
}

const report = (id: string, failed: number, reporter: string, day = '2026-05-04'): string =>
  reportJson(20, failed, id, day, 'rcpt.example', `tlsrpt@${reporter}`);
const mailOf = (text: string, reporter: string, signer?: string): Promise<Buffer> =>
  reportMail({ report: text, signer, from: `tlsrpt@${reporter}`, submitter: reporter });
const evil = (text: string): string => text.replaceAll('mx1.rcpt.example', 'mx.attacker.example');

const first = report('1', 0, 'sender.example', '2026-05-03');
const second = report('2', 6, 'sender.example');
const third = report('3', 2, 'post.example');
const twice = await signMail(
  await mailOf(third, 'post.example', 'post.example'),
  'attacker.example',
);
const genuine: readonly Item[] = [
  {
    what: 'signed mail',
    via: 'mail',
    bytes: await mailOf(first, 'sender.example', 'sender.example'),
  },
  {
    what: 'signed mail',
    via: 'mail',
    bytes: await mailOf(second, 'sender.example', 'sender.example'),
  },
  { what: 'forwarded mail in a mailbox', via: 'mailbox', bytes: twice },
  { what: 'file', via: 'file', bytes: gzipSync(report('4', 1, 'uni.example')) },
];

const signedSecond = genuine[1]?.bytes ?? Buffer.alloc(0);
const altered = Buffer.from(signedSecond).toString('latin1').replace('This is an', 'This is no');
const invitation = `From: calendar@sender.example\r\nTo: a@rcpt.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar\r\n\r\nDESCRIPTION:${evil(report('7', 9000, 'sender.example'))}\r\n`;
const lie = evil(report('8', 9000, 'sender.example'));
const unsignedMail = await mailOf(lie, 'sender.example');
const forged: readonly Item[] = [
  { what: 'copy of a signed report', via: 'https', bytes: Buffer.from(second) },
  {
    what: 'same id, other content',
    via: 'https',
    bytes: gzipSync(evil(report('2', 900, 'sender.example'))),
  },
  { what: 'same id, well', via: 'https', bytes: Buffer.from(report('2', 0, 'sender.example')) },
  {
    what: 'another reporter',
    via: 'https',
    bytes: Buffer.from(evil(report('9', 900, 'big.example'))),
  },
  { what: 'many at once', via: 'https', bytes: Buffer.from(`${lie}\n${evil(third)}`) },
  { what: 'unsigned mail', via: 'mail', bytes: unsignedMail },
  { what: 'bare JSON by SMTP', via: 'mail', bytes: Buffer.from(lie) },
  {
    what: 'signed by another',
    via: 'mail',
    bytes: await mailOf(lie, 'sender.example', 'attacker.example'),
  },
  { what: 'altered mail', via: 'mail', bytes: Buffer.from(altered, 'latin1') },
  { what: 'reflected text', via: 'mail', bytes: await signMail(invitation, 'sender.example') },
  {
    what: 'key that is not there',
    via: 'mail',
    bytes: await mailOf(lie, 'gone.example', 'gone.example'),
  },
  {
    what: 'replayed after months',
    via: 'mail',
    bytes: await mailOf(
      report('5', 900, 'sender.example', '2026-01-04'),
      'sender.example',
      'sender.example',
    ),
  },
  { what: 'unsigned mail in a mailbox', via: 'mailbox', bytes: unsignedMail },
  { what: 'bare JSON in a mailbox', via: 'mailbox', bytes: gzipSync(lie) },
  { what: 'unsigned mail by HTTPS', via: 'https', bytes: unsignedMail },
  {
    what: 'mbox with unsigned mail',
    via: 'file',
    bytes: Buffer.concat([Buffer.from('From a@b Mon May  4 00:00:00 2026\n'), unsignedMail]),
  },
  { what: 'no report', via: 'mail', bytes: Buffer.from('Subject: hello\r\n\r\nhello\r\n') },
];

async function* sourceOf(bytes: Uint8Array): AsyncGenerator<Source> {
  yield {
    name: 'file',
    open: async function* () {
      yield bytes;
    },
  };
}

/** Passes the items to the intake over their channels, and returns the conclusions. */
async function outcomeOf(
  items: readonly Item[],
  verify = (mail: Uint8Array): Promise<DkimVerdict> => verifyDkim(mail, keys, now),
): Promise<unknown> {
  const store = await openReports(':memory:');
  const receiver = createReceiver({
    store,
    clock,
    domains: ['rcpt.example'],
    verify,
    perMinute: 1e6,
  });
  for (const [n, { via, bytes, peer = `192.0.${n}.1` }] of items.entries()) {
    if (via === 'file') {
      for await (const record of importReports(sourceOf(bytes), {
        clock,
        store,
        domains: ['rcpt.example'],
        verify,
      }))
        assert.ok(record);
      continue;
    }
    const mailbox =
      via === 'mailbox' ? { arrivedAt: now, trusted: false, lastTry: true } : undefined;
    await receiver.receive(bytes, {
      via,
      peer: mailbox ? 'imap:a@b/INBOX' : peer,
      name: 'item',
      mailbox,
    });
  }
  await store.settle();
  const found = await conclusions(store, now, domains);
  store.close();
  return found;
}

/**
 * A random order of genuine and forged items, given by their numbers, so that a
 * counterexample is short.
 */
const mixture = fc.record({
  own: fc.shuffledSubarray([...genuine.keys()]),
  others: fc.shuffledSubarray([...forged.keys()], { minLength: 1 }),
  order: fc.array(fc.nat(20), { minLength: forged.length, maxLength: forged.length }),
});

/** Merges two lists, each in its own order, at the positions in `order`. */
function merged(own: readonly Item[], others: readonly Item[], order: readonly number[]): Item[] {
  const all = [...own];
  others.forEach((item, n) => all.splice((order[n] ?? 0) % (all.length + 1), 0, item));
  return all;
}

test('forged input on any channel changes no conclusion', async () => {
  const known = new Map<string, unknown>();
  await fc.assert(
    fc.asyncProperty(mixture, async ({ own, others, order }) => {
      const kept = own.flatMap((n) => genuine[n] ?? []);
      const expected = known.get(own.join()) ?? (await outcomeOf(kept));
      known.set(own.join(), expected);
      const foreign = others.flatMap((n) => forged[n] ?? []);
      assert.deepEqual(await outcomeOf(merged(kept, foreign, order)), expected);
    }),
    { numRuns: testSize(6, 200), endOnFailure: true },
  );
});

test('each forged input alone changes no conclusion', async () => {
  const expected = await outcomeOf(genuine);
  for (const [n, item] of forged.entries()) {
    const all = n % 2 === 0 ? [item, ...genuine] : [...genuine, item];
    assert.deepEqual(await outcomeOf(all), expected, item.what);
  }
});

test('the test detects an intake that trusts From instead of the signature', async () => {
  const naive = async (): Promise<DkimVerdict> => ({
    result: 'pass',
    signer: 'sender.example',
    detail: '',
    coversStructure: true,
  });
  const expected = await outcomeOf(genuine);
  const inMail = forged.filter(({ what }) => /^(unsigned mail|signed by another)/.test(what));
  const found = await Promise.all(
    inMail.map(async (item) => {
      const changed = await outcomeOf([...genuine, item], async (mail) =>
        genuine.some(({ bytes }) => Buffer.from(bytes).equals(Buffer.from(mail)))
          ? verifyDkim(mail, keys, now)
          : naive(),
      );
      return JSON.stringify(changed) === JSON.stringify(expected) ? [] : [item.what];
    }),
  );
  assert.deepEqual(
    found.flat(),
    inMail.map(({ what }) => what),
  );
  assert.equal(inMail.length, 4);
});

test('a pruned report counts on no channel again', async () => {
  const day = 86_400_000;
  const store = await openReports(':memory:');
  const sums = (): unknown =>
    store.prepare('SELECT * FROM report_day ORDER BY domain, day, type, authenticated').all();
  const bytes = genuine[1]?.bytes ?? Buffer.alloc(0);
  const later = { ...clock, now: () => now + 41 * day };
  const verify = (mail: Uint8Array): Promise<DkimVerdict> => verifyDkim(mail, keys, now);
  const at = (time: Clock): ReturnType<typeof createReceiver> =>
    createReceiver({ store, clock: time, domains: ['rcpt.example'], verify });
  const first = await at(clock).receive(bytes, { via: 'mail', peer: '192.0.2.1', name: 'mail' });
  assert.equal(first.status, 'stored');
  const before = sums();
  assert.equal(await pruneReports(store, { now: now + 40 * day, keepDays: 7 }), 1);
  const receiver = at(later);
  for (const via of ['mail', 'https', 'mailbox'] as const)
    for (const input of via === 'https' ? [bytes, Buffer.from(second)] : [bytes]) {
      const mailbox = { arrivedAt: now, trusted: via === 'mailbox', lastTry: true };
      const origin = { via, peer: '192.0.2.2', name: 'again', mailbox };
      const { status, ...rest } = await receiver.receive(input, origin);
      assert.equal(status, 'stored', JSON.stringify(rest));
      assert.deepEqual(sums(), before, via);
    }
  const options = { clock: later, store, domains: ['rcpt.example'], verify };
  for (const input of [bytes, Buffer.from(second)])
    for await (const record of importReports(sourceOf(input), options))
      assert.equal(record.stored, 'repeated');
  assert.deepEqual(sums(), before);
  store.close();
});
