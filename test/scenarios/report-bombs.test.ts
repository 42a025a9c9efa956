import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { systemClock } from '../../src/base/index.js';
import { createReceiver, httpsHandler, openReports } from '../../src/tls-rpt-receive/index.js';
import { readItem } from '../../src/tls-rpt-receive/read/read-item.js';
import { reportJson, reportMail } from '../support/report/mail.js';

const today = new Date().toISOString().slice(0, 10);
const zeros = gzipSync(Buffer.alloc(100_000_000));
/** The archive states a small size, but its content is large. */
const liar = Buffer.from(zeros);
liar.writeUInt32LE(1000, liar.length - 4);
const keys = `{${Array.from({ length: 600_000 }, (_, n) => `"k${n}":1`).join()},"policies":[]}`;
const bombs: Readonly<Record<string, Uint8Array>> = {
  'a thousand to one': zeros,
  'a thousand to one, with a false size': liar,
  nested: gzipSync(gzipSync(zeros)),
  '10 MB of blanks': Buffer.alloc(10_000_001, ' '),
  'packed: just within the cap, and no report': gzipSync(Buffer.alloc(9_999_999, ' ')),
  'deep JSON': gzipSync(`{"policies":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
  'deep JSON in a string': Buffer.from(
    JSON.stringify({ policies: `${'['.repeat(200_000)}${']'.repeat(200_000)}` }),
  ),
  'deep JSON in a string of JSON': Buffer.from(
    JSON.stringify(`{"policies":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
  ),
  'objects in objects that name policies': Buffer.from(
    `${'{"policies":1,"a":{'.repeat(20)}${'}'.repeat(40)}`.repeat(2_000),
  ),
  'a million envelope lines': Buffer.from('From \n'.repeat(1_000_000)),
  'control characters in malformed JSON': Buffer.from(`{"${'\u0001'.repeat(9_000_000)}`),
  'a million keys': gzipSync(keys),
  'millions of empty objects': gzipSync(`{"policies":[${'{},'.repeat(3_000_000)}{}]}`),
  'a line for each of many reports': gzipSync('{"policies":[]}\n'.repeat(100_000)),
  'blanks that might be base64': Buffer.from(`ey${' '.repeat(1_000_000)}!`),
  'zip of zeros': zip('report.json', Buffer.alloc(50_000_000)),
  'zip that names one file a thousand times': zip('report.json', Buffer.alloc(900_000), 1000),
  'zip that names one file more often': zip(
    'report.json',
    Buffer.from(reportJson(1, 0, '1', today)),
    60_000,
  ),
  'zip with a path': zip('../../../../etc/cron.d/x', Buffer.from('no report')),
};

/** Returns a zip archive whose directory names one file `times` times. */
function zip(name: string, content: Buffer, times = 1): Buffer {
  const packed = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(content.length, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(times, 10);
  end.writeUInt32LE((central.length + name.length) * times, 12);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  const directory = Array<Buffer>(times).fill(Buffer.concat([central, Buffer.from(name)]));
  return Buffer.concat([local, Buffer.from(name), packed, ...directory, end]);
}

async function bench(): Promise<(body: Uint8Array | string, address: string) => Promise<number>> {
  const receiver = createReceiver({
    store: await openReports(':memory:'),
    clock: systemClock,
    domains: ['rcpt.example'],
    verify: async () => ({ result: 'none', detail: '' }),
  });
  const handle = httpsHandler({ receiver });
  return async (body, address) =>
    (
      await handle(new Request('https://r.example/', { method: 'POST', body: Buffer.from(body) }), {
        address,
      })
    ).status;
}

for (const [name, body] of Object.entries(bombs))
  test(`refused: ${name}`, async () => {
    const post = await bench();
    const before = process.memoryUsage().arrayBuffers;
    const status = await post(body, '192.0.2.1');
    assert.ok(status === 400 || status === 413, String(status));
    // Decompression stops at the limit. While pieces are joined, the output and the body
    // are in memory twice. Newer versions of Node free the memory of an archive's files
    // later.
    assert.ok(
      process.memoryUsage().arrayBuffers - before <
        2 * (10_000_000 + 65_536) + 2_000_000 + 3 * body.length,
    );
  });

test('a bomb in a message is refused in the session', async () => {
  const receiver = createReceiver({
    store: await openReports(':memory:'),
    clock: systemClock,
    domains: ['rcpt.example'],
    verify: async () => ({ result: 'pass', signer: 'sender.example', detail: '' }),
  });
  const mail = await reportMail({ report: ' '.repeat(20_000_000) });
  const receipt = await receiver.receive(mail, { via: 'mail', peer: '192.0.2.1', name: 'mail' });
  assert.equal(receipt.status === 'refused' && receipt.failure.code, 'report-too-large');
});

const boundary = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n';
const part = `--x\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n`;
const dear: Readonly<Record<string, string>> = {
  'a message in a message in a message, two thousand deep': `A: b\n${'Content-Type: message/rfc822\n\n'.repeat(2000)}x`,
  'three hundred attachments, each of 10 MB once opened': `${boundary}${`${part}${gzipSync(Buffer.alloc(9_999_999, ' ')).toString('base64')}\n`.repeat(300)}--x--\n`,
};
for (const [name, mail] of Object.entries(dear))
  test(`a message costs at most the maximum of one report: ${name}`, async () => {
    const before = process.cpuUsage();
    const [reading] = await readItem(Buffer.from(mail), { name: 'mail', via: 'mail' });
    const { user, system } = process.cpuUsage(before);
    assert.equal(reading?.parsed.ok, false);
    assert.ok(user + system < 2_000_000, `${(user + system) / 1000} ms`);
  });

test('reports in one body cost their source the same as single reports', async () => {
  const post = await bench();
  const body = Array.from({ length: 600 }, (_, n) => reportJson(n, 0, String(n), today)).join('\n');
  assert.equal(await post(body, '192.0.2.1'), 201);
  assert.equal(await post(reportJson(1, 1, 'more', today), '192.0.2.1'), 429);
});

test('a large body that is not a report costs its source by its size', async () => {
  const post = await bench();
  for (const status of [400, 400, 429])
    assert.equal(await post(Buffer.alloc(9_500_000, ' '), '192.0.2.1'), status);
  assert.equal(await post(reportJson(1, 0, 'other', today), '192.0.2.2'), 201);
});

test('a message of only quoting signs is refused', async () => {
  const post = await bench();
  assert.equal(await post(`A: b\n\n${'>'.repeat(9_900_000)}`, '192.0.2.1'), 400);
});

test('a thousand bombs from many networks do not delay a valid report', async () => {
  const post = await bench();
  const slow = ['packed: just within the cap, and no report', 'a million keys', 'zip of zeros'];
  const fast = ['a thousand to one', 'nested', 'deep JSON'];
  const order: string[] = [];
  const all = Array.from({ length: 1000 }, async (_, n) => {
    const kinds = n % 10 === 0 ? slow : fast;
    assert.ok(
      (await post(bombs[kinds[n % 3] ?? ''] as Uint8Array, `198.51.${n >> 8}.${n & 255}`)) >= 400,
    );
    order.push('bomb');
  });
  assert.equal(await post(gzipSync(reportJson(1, 0, '1', today)), '192.0.2.1'), 201);
  const before = order.length;
  await Promise.all(all);
  // The reader takes expensive invalid items (a large stated size, a zip) one by one, and
  // does not delay the valid report.
  assert.ok(before < 950, `${before} bombs went first`);
});
