import assert from 'node:assert/strict';
import test from 'node:test';
import { isHermeticError } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import { importReports, openReports, verifyDkim, type ReportRecord } from '../index.js';
import { keyResolver, reportJson, reportMail } from '../../../test/support/report/mail.js';
import { systemClockAt } from '../../../test/support/fake-clock.js';

const clock = systemClockAt(() => Date.parse('2026-05-05T12:00:00Z'));
const signed = await reportMail({ report: reportJson(10, 2), signer: 'sender.example' });
const other = await reportMail({ report: reportJson(3, 0, '2'), signer: 'other.example' });

async function imported(
  store: Store,
  mails: readonly Buffer[],
  options: { keys?: readonly string[]; retryKeys: boolean; domains?: readonly string[] },
): Promise<readonly ReportRecord[]> {
  async function* sources() {
    for (const mail of mails)
      yield {
        name: 'standard input',
        open: async function* () {
          yield mail;
        },
      };
  }
  const { keys = [], ...rest } = options;
  const records: ReportRecord[] = [];
  const verify = (mail: Uint8Array): ReturnType<typeof verifyDkim> =>
    verifyDkim(mail, keyResolver(keys, 'failed'), clock.now());
  for await (const record of importReports(sources(), { clock, store, verify, ...rest }))
    records.push(record);
  return records;
}

const rows = (store: Store): number | undefined =>
  store.prepare<{ n: number }>('SELECT count(*) AS n FROM report').get()?.n;

test('RFC 6376 §6.1.2: a failed key lookup stores no report of a piped mail', async () => {
  const store = await openReports(':memory:');
  for (const mails of [[signed], [other, signed], [signed, Buffer.from(reportJson(1, 0, '3'))]])
    await assert.rejects(
      imported(store, mails, { keys: ['other.example'], retryKeys: true }),
      (error) => isHermeticError(error) && error.code === 'dkim-key-unavailable',
    );
  assert.equal(rows(store), 0);
  const again = await imported(store, [signed], { keys: ['sender.example'], retryKeys: true });
  assert.deepEqual(
    again.map(({ stored, trust }) => [stored, trust?.verdict]),
    [['stored', 'signed']],
  );
});

test('a piped mail is stored once although an earlier attempt met a DNS failure', async () => {
  const store = await openReports(':memory:');
  const pipe = (keys: readonly string[], mails = [signed]): Promise<readonly ReportRecord[]> =>
    imported(store, mails, { keys, retryKeys: true });
  for (const mails of [[signed], [other, other, signed], [signed, signed]])
    await assert.rejects(pipe([], mails), /the mail server sends|could not be looked up/);
  assert.equal(rows(store), 0);
  for (const stored of ['stored', 'repeated'])
    assert.deepEqual(
      (await pipe(['sender.example'])).map((record) => record.stored),
      [stored],
    );
  assert.equal(rows(store), 1);
});

test('a piped report about another domain waits for no key', async () => {
  const store = await openReports(':memory:');
  for (const domains of [['other-rcpt.example'], ['sub.rcpt.example']]) {
    const [record] = await imported(store, [signed], { retryKeys: true, domains });
    assert.equal(record?.trust?.verdict, 'other-domain');
  }
  await assert.rejects(imported(store, [signed], { retryKeys: true, domains: ['rcpt.example'] }));
});

test('an unsigned piped report is stored although no key can be looked up', async () => {
  const store = await openReports(':memory:');
  const unsigned = await reportMail({ report: reportJson(1, 0) });
  const [record] = await imported(store, [unsigned], { retryKeys: true });
  assert.equal(record?.trust?.verdict, 'unsigned');
});

test('an archive is read to its end although a key lookup fails', async () => {
  const store = await openReports(':memory:');
  const records = await imported(store, [signed, other], { retryKeys: false });
  assert.deepEqual(
    records.map(({ trust }) => trust?.verdict),
    ['unverifiable', 'misaligned'],
  );
  const later = await imported(store, [signed], { keys: ['sender.example'], retryKeys: false });
  assert.equal(later[0]?.stored, 'confirmed');
});
