import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { createReceiver, httpsHandler, openReports } from '../../src/tls-rpt-receive/index.js';
import { reportJson, reportMail } from '../support/report/mail.js';
import { isStoreFailure, openStore, verifyStore } from '../../src/store/index.js';

const today = new Date().toISOString().slice(0, 10);

test('a full disk defers reports, and work resumes when there is space', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  try {
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(2_500_000));
    const store = await openReports(join(folder, 'reports.db'));
    const receiver = createReceiver({
      store,
      clock: systemClock,
      domains: ['rcpt.example'],
      perMinute: 1_000_000,
      verify: async () => ({ result: 'pass', signer: 'sender.example', detail: '' }),
    });
    const handle = httpsHandler({ receiver });
    const post = async (n: number): Promise<number> => {
      const body = reportJson(1, 1, String(n), today);
      return (
        await handle(new Request('https://r.example/', { method: 'POST', body }), {
          address: '192.0.2.1',
        })
      ).status;
    };
    const count = (): number =>
      store.prepare<{ n: number }>('SELECT count(*) AS n FROM report').get()?.n ?? -1;
    let taken = 0;
    let put = 0;
    for (let n = 0; n < 20_000 && put < 20; n++) {
      const status = await post(n);
      assert.ok(status === 201 || status === 503, String(status));
      if (status === 201) taken++;
      else put++;
    }
    assert.equal(put, 20, 'the disk was filled');
    assert.ok(taken > 10, `${taken} taken`);
    // The disk may have space for a little more, because the last octets are reserved for
    // mail.
    let mailed = 0;
    let mail: Buffer;
    for (;;) {
      mail = await reportMail({
        report: reportJson(1, 0, `mail ${mailed}`, today),
        signer: 'sender.example',
      });
      const receipt = await receiver.receive(mail, {
        via: 'mail',
        peer: '192.0.2.2',
        name: 'mail',
      });
      if (receipt.status !== 'stored') {
        assert.deepEqual(receipt, { status: 'later', why: 'store' });
        break;
      }
      assert.ok(++mailed < 500, 'the disk stays full');
    }
    assert.equal(count(), taken + mailed);
    rmSync(ballast);
    assert.equal(await post(1_000_000), 201);
    assert.equal(
      (await receiver.receive(mail, { via: 'mail', peer: '192.0.2.2', name: 'mail' })).status,
      'stored',
    );
    assert.equal(count(), taken + mailed + 2);
    assert.deepEqual(verifyStore(store), []);
    store.close();
  } finally {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  }
});

test('an existing database opens on a full disk, and writes again with space', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  const file = join(folder, 'hermetic.db');
  const ballast = join(folder, 'ballast');
  const isFull = (error: unknown): boolean => isStoreFailure(error, 'store-full');
  try {
    const before = await openStore(file);
    before.execute('CREATE TABLE t (a); INSERT INTO t VALUES (1)');
    before.close();
    const descriptor = openSync(ballast, 'w');
    assert.throws(() => {
      for (;;) writeSync(descriptor, Buffer.alloc(4096));
    }, /ENOSPC/);
    closeSync(descriptor);
    await assert.rejects(openStore(file), isFull);
    const store = await openStore(file, { exclusiveWhenFull: true, checkpointThread: true });
    assert.equal(store.isExclusive, true);
    assert.equal(store.prepare<{ a: number }>('SELECT a FROM t').get()?.a, 1);
    const insert = (): Promise<number> =>
      store.write('test', () => store.prepare('INSERT INTO t VALUES (zeroblob(20000))').run());
    await assert.rejects(insert(), isFull);
    rmSync(ballast);
    await insert();
    assert.equal(store.prepare<{ n: number }>('SELECT count(*) AS n FROM t').get()?.n, 2);
    store.close();
  } finally {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  }
});
