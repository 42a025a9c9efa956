import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isHermeticError, systemClock } from '../../src/base/index.js';
import type { StsEntry } from '../../src/mta-sts/index.js';
import type { Log } from '../../src/server/log.js';
import { SharedStore, type StoreLease } from '../../src/server/shared-store.js';
import { stsStore } from '../../src/send/index.js';
import { openReports } from '../../src/tls-rpt-receive/index.js';
import type { Store } from '../../src/store/index.js';

/** Returns an intact database with reports and policies, as a daemon leaves it. */
async function soundDatabase(t: TestContext): Promise<{ folder: string; bytes: Buffer }> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-damaged-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'sound.db');
  const store = await openReports(file);
  stsStore(store);
  for (let n = 0; n < 200; n++) addReport(store, `sound ${n}`);
  store.close();
  return { folder, bytes: readFileSync(file) };
}

function addReport(store: Store, digest: string): void {
  store
    .prepare(
      `INSERT INTO report (digest, received_at, reporter, via, trust, trust_detail, counted, ok, failed, raw)
       VALUES (?, 1, 'a.example', 'mail', 'signed', '', 1, 1, 0, ?)`,
    )
    .run(Buffer.from(digest), Buffer.alloc(500, 1));
}

/** A daemon's store on a file with these octets, and its log lines. */
class Start {
  readonly #lines: string[] = [];
  readonly stores: SharedStore;
  readonly file: string;

  constructor(folder: string, name: string, octets: Uint8Array) {
    this.file = join(folder, `${name.replaceAll(' ', '-')}.db`);
    writeFileSync(this.file, octets);
    const note = (event: string, fields: object = {}): void =>
      void this.#lines.push(`${event} ${JSON.stringify(fields)}`);
    this.stores = new SharedStore(systemClock, { info: note, warn: note, error: note });
  }

  get logged(): string {
    return this.#lines.join('\n');
  }

  lease(): Promise<StoreLease> {
    return this.stores.lease(this.file);
  }
}

const noise = (bytes: Buffer, from: number, to = bytes.length): Buffer =>
  Buffer.concat([bytes.subarray(0, from), Buffer.alloc(to - from, 0xa5), bytes.subarray(to)]);

const unreadable: Readonly<Record<string, (bytes: Buffer, page: number) => Buffer>> = {
  'a text file': () => Buffer.from('store: {file: hermetic.db}\n'),
  'three octets': () => Buffer.from('a\r\n'),
  'a packed backup': (bytes) => gzipSync(bytes),
  'nothing but zeros': (bytes) => Buffer.alloc(bytes.length),
  'noise instead of the header': (bytes) => noise(bytes, 0, 100),
  'noise instead of the schema': (bytes, page) => noise(bytes, 100, page),
  'half of the file': (bytes) => bytes.subarray(0, bytes.length / 2),
  'the first page alone': (bytes, page) => bytes.subarray(0, page),
};

test('a file that is not a database is reported at the start and stays unchanged', async (t) => {
  const { folder, bytes } = await soundDatabase(t);
  for (const [what, make] of Object.entries(unreadable)) {
    const octets = make(bytes, bytes.readUInt16BE(16));
    const start = new Start(folder, what, octets);
    await assert.rejects(
      start.lease(),
      (error) =>
        isHermeticError(error) &&
        error.code === 'store-corrupt' &&
        error.message.includes(start.file) &&
        /Restore the file from a backup, or move the file away/.test(error.fix ?? ''),
      what,
    );
    assert.deepEqual(readFileSync(start.file), octets, what);
  }
  mkdirSync(join(folder, 'folder.db'));
  const stores = new SharedStore(systemClock, {} as Log);
  await assert.rejects(stores.lease(join(folder, 'folder.db')), /it is not a regular file/);
});

const damaged: Readonly<Record<string, (bytes: Buffer, page: number) => Buffer>> = {
  'noise in the tables': (bytes, page) => noise(bytes, bytes.length - 20 * page),
  'one page of noise': (bytes, page) =>
    noise(bytes, bytes.length - 5 * page, bytes.length - 4 * page),
  'the last octets missing': (bytes) => bytes.subarray(0, bytes.length - 1000),
};

const policy: StsEntry = {
  domain: 'example.com',
  policy: {
    id: '1',
    mode: 'enforce',
    maxAge: 604_800,
    mx: ['mx.example.com'],
    body: '',
    fetchedAt: Date.now(),
  },
  usedAt: Date.now(),
};

test('a damaged database is only read, and policies in memory are enforced', async (t) => {
  const { folder, bytes } = await soundDatabase(t);
  for (const [what, make] of Object.entries(damaged)) {
    const octets = make(bytes, bytes.readUInt16BE(16));
    const start = new Start(folder, what, octets);
    const { store, stsCache, release } = await start.lease();
    start.stores.serving();
    assert.match(
      start.logged,
      /^store-damaged .*"damage":".*"effect":.*"fix":"Restore the file/,
      what,
    );
    assert.deepEqual(start.stores.failing, [{ job: 'store', code: 'store-corrupt' }]);
    await assert.rejects(
      store.write('report', () => addReport(store, 'new')),
      (error) => isHermeticError(error) && error.code === 'store-corrupt',
      what,
    );
    assert.throws(() => addReport(store, 'new'), /damaged/);
    assert.throws(() => store.transaction(() => addReport(store, 'new')), /damaged/);
    await stsCache.put(policy);
    assert.equal(stsCache.get('example.com')?.policy?.mode, 'enforce');
    await release();
    assert.deepEqual(readFileSync(start.file), octets, what);
  }
});

test('an intact database is not called damaged, with a log of a crash or without', async (t) => {
  const { folder, bytes } = await soundDatabase(t);
  const start = new Start(folder, 'sound-again', bytes);
  const first = await start.lease();
  await first.store.write('report', () => addReport(first.store, 'one'));
  // The log of a process that was killed.
  const log = readFileSync(`${start.file}-wal`);
  const main = readFileSync(start.file);
  await first.release();
  const after = new Start(folder, 'after-crash', main);
  writeFileSync(`${after.file}-wal`, log);
  const second = await after.lease();
  assert.equal(after.logged, '');
  assert.deepEqual(after.stores.failing, []);
  const rows = second.store.prepare<{ n: number }>('SELECT count(*) AS n FROM report').get();
  assert.equal(rows?.n, 201);
  await second.release();
});
