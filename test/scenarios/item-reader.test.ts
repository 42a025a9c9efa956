import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../src/base/index.js';
import {
  createReceiver,
  openReports,
  type LookupKeys,
  type Receiver,
} from '../../src/tls-rpt-receive/index.js';
import type { Store } from '../../src/store/index.js';
import { keyText, reportJson, reportMail } from '../support/report/mail.js';
import { ItemReader } from '../../src/tls-rpt-receive/intake/item-reader.js';
import { judgeItem, type ItemTask } from '../../src/tls-rpt-receive/intake/judge-item.js';

const today = new Date().toISOString().slice(0, 10);
const keys: LookupKeys = async (name) =>
  name === 's1._domainkey.sender.example'
    ? { lookup: 'found', texts: [keyText] }
    : { lookup: 'absent' };

/** Returns a report with many failure details, or with many policies. */
function largeReport(details: number, policies: number, id = 'large'): string {
  const whole = JSON.parse(reportJson(5, details, id, today)) as { policies: object[] };
  const [policy = {}] = whole.policies;
  return JSON.stringify({
    ...whole,
    policies: Array.from({ length: policies }, (_, n) => ({
      ...policy,
      policy: { 'policy-type': 'sts', 'policy-domain': 'rcpt.example', 'policy-string': [`${n}`] },
      'failure-details': Array.from({ length: details / policies }, (_unused, i) => ({
        'result-type': 'certificate-expired',
        'receiving-mx-hostname': `mx${i}.rcpt.example`,
        'sending-mta-ip': `10.${n >> 8}.${i >> 8}.${i & 255}`,
        'failed-session-count': 1,
      })),
    })),
  });
}

const html = (text: string): Buffer =>
  Buffer.from(
    `From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\ntlsrpt ${text}`,
  );
const costly: Readonly<Record<string, Uint8Array>> = {
  'a report of 20,000 failure details': gzipSync(largeReport(20_000, 1)),
  'a report of 10,000 policies': gzipSync(largeReport(10_000, 10_000)),
  'a body of many reports': Buffer.from(
    Array.from({ length: 2000 }, (_, n) => reportJson(1, 0, String(n), today)).join('\n'),
  ),
  'a message of HTML references': html(`${'&quot;'.repeat(12)}\r\n`.repeat(60_000)),
  'a message of flowed lines': Buffer.from(
    `From: a@b.example\r\nSubject: tlsrpt\r\nContent-Type: text/plain; format=flowed\r\n\r\n${`${'a'.repeat(66)} \r\n`.repeat(60_000)}`,
  ),
  'a body of 90,000 objects': Buffer.from('{"a":1}'.repeat(90_000)),
};

function taskOf(bytes: Uint8Array, name = 'item'): ItemTask {
  const mail = Buffer.from(bytes).toString('latin1', 0, 5) === 'From:';
  return {
    bytes,
    name,
    via: mail ? 'mail' : 'https',
    peer: '192.0.2.1',
    at: Date.now(),
    domains: ['rcpt.example'],
    hosts: new Set(),
  };
}

/**
 * Returns the milliseconds of CPU time of the main thread. Other processes do not change
 * this time.
 */
function threadTime(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

/**
 * Returns the longest turn of the event loop during `work`, in milliseconds of CPU time.
 */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let last = threadTime();
  let longest = 0;
  const measure = (): void => {
    const now = threadTime();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(measure, 1);
  await work();
  measure();
  clearInterval(timer);
  return longest;
}

const never = (): Promise<never> => Promise.reject(new Error('no mail is verified here'));

for (const [name, bytes] of Object.entries(costly))
  test(`reading does not block the event loop: ${name}`, async () => {
    const reader = new ItemReader({ keys });
    await reader.read(taskOf(Buffer.alloc(64 * 1024, ' ')));
    const longest = await longestTurn(() => reader.read(taskOf(bytes)));
    await reader.close();
    const whole = await longestTurn(() => judgeItem(taskOf(bytes), never).catch(() => undefined));
    assert.ok(longest < Math.max(60, whole / 2), `${longest} ms of ${whole} ms`);
  });

test('a small item with much content is left to the thread', async () => {
  for (const bytes of [
    Buffer.from('{}'.repeat(16_000)),
    gzipSync(Array.from({ length: 200 }, (_, n) => reportJson(1, 0, String(n), today)).join('\n')),
    gzipSync(largeReport(2000, 1)),
  ]) {
    const reader = new ItemReader({ keys });
    const read = await reader.read(taskOf(bytes));
    await reader.close();
    const parts = await judgeItem(taskOf(bytes), never);
    assert.ok(bytes.length <= 32 * 1024);
    assert.deepEqual(
      read?.map((part) => ('report' in part ? part.entries : part.failure.code)),
      parts.map((part) => ('report' in part ? part.entries : part.failure.code)),
    );
  }
});

test('the thread verifies signatures with keys that this thread looks up', async () => {
  const reader = new ItemReader({ keys });
  const report = largeReport(5000, 1);
  const good = await reportMail({ report, signer: 'sender.example' });
  const foreign = await reportMail({ report, signer: 'other.example' });
  for (const [mail, trust] of [
    [good, 'signed'],
    [foreign, 'broken'],
  ] as const) {
    assert.ok(mail.length > 32 * 1024);
    const [part] = (await reader.read(taskOf(mail))) ?? [];
    assert.equal(part && 'report' in part && part.report.trust, trust);
  }
  await reader.close();
});

test('an item that takes too long is refused, and the next one is read', async () => {
  const patient = new ItemReader({ keys });
  const impatient = new ItemReader({ keys: () => new Promise(() => undefined), deadlineMs: 500 });
  const mail = await reportMail({ report: largeReport(5000, 1), signer: 'sender.example' });
  const [first] = (await impatient.read(taskOf(mail))) ?? [];
  assert.equal(first && 'failure' in first && first.failure.code, 'report-too-complex');
  const [next] = (await patient.read(taskOf(mail))) ?? [];
  assert.ok(next && 'report' in next);
  await Promise.all([patient.close(), impatient.close()]);
});

async function receiving(options: {
  perMinute?: number;
  unauthenticatedPerDay?: { reports?: number; rows?: number; octets?: number };
}): Promise<{
  store: Store;
  receiver: Receiver;
  post(body: string | Uint8Array, peer?: string): Promise<string>;
}> {
  const store = await openReports(':memory:');
  const receiver = createReceiver({
    store,
    clock: systemClock,
    domains: ['rcpt.example'],
    keys,
    ...options,
  });
  return {
    store,
    receiver,
    async post(body, peer = '192.0.2.1') {
      const via = Buffer.from(body).toString('latin1', 0, 5) === 'From:' ? 'mail' : 'https';
      const receipt = await receiver.receive(Buffer.from(body), { via, peer, name: 'body' });
      if (receipt.status === 'stored') return receipt.reports.map((r) => r.outcome).join(' ');
      return receipt.status === 'later' ? `later ${receipt.why}` : receipt.failure.code;
    },
  };
}

test('a report costs its source its octets and entries', async () => {
  for (const body of [
    gzipSync(largeReport(20_000, 1)),
    gzipSync(largeReport(4000, 4000)),
    Array.from({ length: 400 }, (_, n) => reportJson(1, 0, String(n), today)).join('\n'),
  ]) {
    const { receiver, post } = await receiving({ perMinute: 200 });
    assert.match(await post(body), /^stored/);
    assert.equal(await post(reportJson(1, 0, 'next', today)), 'later source');
    assert.equal(await post(reportJson(1, 0, 'other', today), '192.0.2.2'), 'stored');
    await receiver.close();
  }
});

test('concurrent bodies of one source share its budget', async () => {
  const { receiver, post } = await receiving({ perMinute: 100 });
  const body = Buffer.alloc(1_500_000, ' ');
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(body)));
  assert.ok(answers.filter((answer) => answer === 'later source').length >= 4, answers.join());
  await receiver.close();
});

test('the unauthenticated reports of a day are bounded, authenticated ones are not', async () => {
  for (const [limit, stored] of [
    [{ reports: 3 }, 3],
    [{ rows: 5 }, 3],
    [{ octets: 700 }, 2],
  ] as const) {
    const { receiver, post, store } = await receiving({ unauthenticatedPerDay: limit });
    const answers: string[] = [];
    // Each request comes from a different network.
    for (let n = 0; n < 6; n++)
      answers.push(await post(reportJson(1, 1, String(n), today), `192.0.${n}.1`));
    assert.deepEqual(answers, [
      ...Array<string>(stored).fill('stored'),
      ...Array<string>(6 - stored).fill('later room'),
    ]);
    assert.equal(await post(reportJson(1, 1, '0', today), '192.0.9.1'), 'repeated');
    const report = reportJson(1, 1, 'signed', today);
    assert.equal(await post(await reportMail({ report, signer: 'sender.example' })), 'stored');
    const row = store
      .prepare<{ reports: number }>('SELECT reports FROM report_intake WHERE authenticated = 0')
      .get();
    assert.equal(row?.reports, stored);
    await receiver.close();
  }
});

test('one network cannot use up the budget of others', async () => {
  const { receiver, post } = await receiving({ unauthenticatedPerDay: { reports: 20 } });
  const answers: string[] = [];
  for (let n = 0; n < 5; n++)
    answers.push(await post(reportJson(1, 0, String(n), today), `192.0.2.${n}`));
  assert.deepEqual(answers, ['stored', 'stored', 'later room', 'later room', 'later room']);
  assert.equal(await post(reportJson(1, 0, 'v6', today), '2001:db8::1'), 'stored');
  await receiver.close();
});
