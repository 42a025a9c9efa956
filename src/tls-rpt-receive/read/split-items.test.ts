import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { splitItems } from './split-items.js';
import { walkSources } from './walk-sources.js';

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function split(text: string | Buffer, size: number): Promise<readonly string[]> {
  const items: string[] = [];
  for await (const { bytes } of splitItems(cut(Buffer.from(text), size)))
    items.push(Buffer.from(bytes).toString());
  return items;
}

const mail = readFileSync('test/vectors/tls-rpt/mail.eml', 'latin1').replaceAll('\r\n', '\n');
const json = readFileSync('test/vectors/tls-rpt/plain.json', 'utf8');
const line = JSON.stringify(JSON.parse(json));

test('an mbox yields its mails unchanged, with any segmentation', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(mail, 'A: b\n\n', 'A: b\n\nFrom here on\n')),
      fc.integer({ min: 1, max: 4000 }),
      async (mails, size) => {
        const mbox = mails
          .map((m) => `From a@b Mon May  4 00:00:00 2026\n${m.replace(/^(>*From )/gm, '>$1')}`)
          .join('');
        assert.deepEqual(await split(mbox, size), mails.length === 0 ? [''] : mails);
      },
    ),
    { numRuns: 30 },
  );
});

test('JSON lines yield one report each; a report over several lines is one', async () => {
  for (const size of [7, 100, 100_000]) {
    assert.deepEqual(await split(`${line}\n${line}\n${line}`, size), [
      `${line}\n`,
      `${line}\n`,
      line,
    ]);
    assert.deepEqual(await split(json, size), [json]);
    assert.deepEqual(await split(line, size), [line]);
    assert.deepEqual(await split('', size), ['']);
  }
});

test('a folder is read in order, without hidden and incomplete files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-maildir-'));
  try {
    for (const name of ['cur', 'new', 'tmp', '.hidden']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, '1'), mail);
    }
    writeFileSync(join(folder, '.uidlist'), '');
    const names: string[] = [];
    for await (const { name } of walkSources(folder)) names.push(name.slice(folder.length));
    assert.deepEqual(names, ['/.hidden/1', '/cur/1', '/new/1']);
    await assert.rejects(walkSources(join(folder, 'none')).next(), /no such file/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a message of only line ends takes memory by its size', async () => {
  const mail = Buffer.from(`From a\n${'\n'.repeat(5_000_000)}`);
  const before = process.memoryUsage().heapUsed;
  let most = 0;
  for await (const { bytes } of splitItems(
    (async function* () {
      for (let at = 0; at < mail.length; at += 65_536) {
        yield mail.subarray(at, at + 65_536);
        most = Math.max(most, process.memoryUsage().heapUsed - before);
      }
    })(),
  ))
    assert.equal(bytes.length, 5_000_000);
  assert.ok(most < 50_000_000, `${most} octets`);
});
