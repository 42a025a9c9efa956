import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { isHermeticError, systemClock } from '../../src/base/index.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { openLedger } from '../../src/publish/index.js';
import { SharedStore } from '../../src/server/shared-store.js';
import type { Store } from '../../src/store/index.js';
import { createReceiver, prepareReports, storeCheck } from '../../src/tls-rpt-receive/index.js';
import { EventBuffer, prepareReporting } from '../../src/tls-rpt-send/index.js';
import type { SessionEvent } from '../../src/tls-rpt-send/session-event.js';
import { prepareWatch, readWatch, recordCheck } from '../../src/watch/index.js';
import { reportJson } from '../support/report/mail.js';
import { TestPages } from '../support/testing-pages.js';
import { healthyResult } from '../support/watch-results.js';

const today = new Date().toISOString().slice(0, 10);

const session: SessionEvent = {
  at: Date.now(),
  domain: 'a.example',
  record: 'v=TLSRPTv1; rua=mailto:r@a.example',
  policy: {
    policyType: 'sts',
    policyDomain: 'a.example',
    policyString: ['version: STSv1', 'x'.repeat(20_000)],
    mxHost: [],
    totalSuccessfulSessionCount: 1,
    totalFailureSessionCount: 0,
    failureDetails: [],
  },
};

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (isHermeticError(error) ? error.code : String(error)),
  );

/** One function of the daemon, with its behaviour during and after a full disk. */
interface Function {
  /** The job that calls the function. */
  readonly job: string;
  readonly onFullDisk: string;
  readonly afterwards: string;
  run(n: number): Promise<string>;
}

/** Returns every function that writes, over one database. */
async function functionsOf(store: Store, pages: TestPages): Promise<Record<string, Function>> {
  prepareReports(store);
  prepareReporting(store);
  prepareWatch(store);
  const receiver = createReceiver({
    store,
    clock: systemClock,
    domains: ['rcpt.example'],
    verify: async () => ({ result: 'none', detail: '' }),
  });
  const ledger = openLedger(store);
  const large = randomBytes(20_000).toString('hex');
  const buffer = new EventBuffer({
    store,
    clock: systemClock,
    signal: AbortSignal.abort(),
    onError: () => undefined,
  });
  const failed = { onFullDisk: 'store-full', afterwards: 'done' };
  return {
    'reports are deferred': {
      job: 'report',
      onFullDisk: 'later store',
      afterwards: 'stored',
      async run(n) {
        const body = Buffer.from(reportJson(1, 1, `${large}${n}`, today));
        const origin = { via: 'https', peer: '192.0.2.1', name: 'body' } as const;
        const receipt = await receiver.receive(body, origin);
        return receipt.status === 'later' ? `later ${receipt.why}` : receipt.status;
      },
    },
    'sessions stay in memory': {
      job: 'reporting',
      onFullDisk: '0 counted, 0 dropped',
      afterwards: '2 counted, 0 dropped',
      async run(n) {
        buffer.add([{ ...session, domain: `d${n}.example` }]);
        await buffer.flush();
        return `${buffer.counts.counted} counted, ${buffer.counts.dropped} dropped`;
      },
    },
    'publishing fails': {
      job: 'publish',
      ...failed,
      run: (n) => codeOf(ledger.serve(`d${n}.example`, large)),
    },
    'a check is not stored': {
      job: 'report',
      ...failed,
      run(n) {
        const result = { domain: 'rcpt.example', checkedAt: new Date(n).toISOString(), large };
        const check = result as unknown as CheckResult;
        return codeOf(store.write('report', () => storeCheck(store, check)));
      },
    },
    'a look of the watch is lost': {
      job: 'watch',
      ...failed,
      run(n) {
        const domains = Array.from({ length: 100 }, (_, i) => `d${i}.example`);
        const look = { domain: `d${n}.example`, result: healthyResult(`d${n}.example`) };
        const scope = { domains, channels: [] };
        return codeOf(
          recordCheck(store, look, scope, Date.now()).then(() => {
            assert.ok(readWatch(store).domains[look.domain]);
          }),
        );
      },
    },
    'a check of a visitor is refused': {
      job: 'pages',
      onFullDisk: '503',
      afterwards: '303',
      async run(n) {
        const from = `198.51.${n}.1`;
        return String((await pages.submit(`${'a'.repeat(50)}.test${n}.com`, from)).status);
      },
    },
  };
}

/**
 * Fills the database until no page is free and the pages of small rows have little space.
 */
async function fill(store: Store): Promise<void> {
  const domains = Array.from({ length: 100 }, (_, n) => `d${n}.example`);
  for (let n = 99; JSON.stringify(readWatch(store)).length < 7700; n--)
    await recordCheck(
      store,
      { domain: `d${n}.example`, result: healthyResult(`d${n}.example`) },
      { domains, channels: [] },
      Date.now(),
    );
  const pages = store.prepare<{ page_count: number }>('PRAGMA page_count').get()?.page_count;
  store.execute(`PRAGMA max_page_count = ${pages}`);
  const row = store.prepare(
    `INSERT INTO web_check (id, domain, state, asked_at, client) VALUES (?, '', 'done', 0, ?)`,
  );
  for (let [size, n] = [4000, 0]; size > 0; size = Math.floor(size / 2))
    for (;;)
      try {
        row.run(`${n++}`, 'x'.repeat(size));
      } catch {
        break;
      }
}

test('on a full disk each function reports it, reads continue, and all recover', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-full-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const lines: string[] = [];
  const note = (event: string, fields: object = {}): void =>
    void lines.push(`${event} ${JSON.stringify(fields)}`);
  const stores = new SharedStore(systemClock, { info: note, warn: note, error: note });
  const { store, stsCache, release } = await stores.lease(join(folder, 'hermetic.db'));
  stores.serving();
  const pages = await TestPages.open(t, {}, { store });
  const functions = await functionsOf(store, pages);
  await fill(store);
  for (const [what, { run, onFullDisk }] of Object.entries(functions))
    assert.equal(await run(1), onFullDisk, what);
  const body = { id: '1', mode: 'enforce', maxAge: 1, mx: [], body: 'x'.repeat(20_000) } as const;
  const policy = { domain: 'p.example', policy: { ...body, fetchedAt: Date.now() }, usedAt: 1 };
  await stsCache.put(policy);
  assert.equal(stsCache.get('p.example')?.policy?.mode, 'enforce');
  const jobs = [...new Set(Object.values(functions).map(({ job }) => job)), 'policy-cache'].sort();
  assert.deepEqual(
    stores.failing.map(({ job, code }) => `${job} ${code}`).sort(),
    jobs.map((job) => `${job} store-full`),
  );
  for (const job of jobs) {
    const said = lines.filter((line) => line.startsWith(`store-write-failed {"job":"${job}"`));
    assert.equal(said.length, 1, job);
    assert.match(said[0] ?? '', /"code":"store-full".*"effect":"[a-zA-Z].*"fix":"Free space/, job);
  }
  assert.equal((await pages.ask('/')).status, 200);
  store.execute('PRAGMA max_page_count = 1000000');
  for (const [what, { run, afterwards }] of Object.entries(functions))
    assert.equal(await run(2), afterwards, what);
  await stsCache.put(policy);
  await store.settle();
  assert.deepEqual(stores.failing, []);
  await release();
});
