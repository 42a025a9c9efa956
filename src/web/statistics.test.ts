import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { openStore } from '../store/index.js';
import { TestPages } from '../../test/support/testing-pages.js';
import { finishedScan, sampleNumbers } from '../../test/support/scan-statistics.js';
import { pagesSection } from './index.js';
import type { StatisticsSource } from './statistics/statistics-source.js';

const source: StatisticsSource = {
  scans: async () => [finishedScan],
  numbers: async (scan) => (scan === finishedScan.id ? sampleNumbers : undefined),
};

async function opened(t: TestContext, statistics?: StatisticsSource): Promise<TestPages> {
  return TestPages.open(t, {}, { store: await openStore(':memory:'), statistics });
}

test('every page has its numbers as a chart and a table, without scripts', async (t) => {
  const site = await opened(t, source);
  assert.match(
    await site.text('/statistics'),
    /href="\/statistics\/7\/overview">Tranco &lt;top&gt;</,
  );
  for (const { name, numbers } of sampleNumbers.pages) {
    const page = await site.text(`/statistics/7/${name}`);
    assert.equal(page.match(/<svg class="bar"/g)?.length, numbers.length, name);
    assert.equal(page.match(/<rect class="sign"/g)?.length, numbers.length, name);
    assert.match(page, /<caption class="skip">/);
    for (const { says, of } of numbers) {
      assert.equal(page.split(says).length - 1, 2, `${says}: chart and table`);
      assert.ok(page.includes(of), of);
    }
    assert.match(page, /3 of 4/);
    assert.match(page, />20\.0 %</, 'the unknown share of 1 in 5');
  }
});

test('a page states sampling, inference and its error', async (t) => {
  const site = await opened(t, source);
  const page = await site.text('/statistics/7/overview');
  assert.match(page, /712 names that were visited to measure the error/);
  assert.match(page, /at most 0\.8 % of the inferred results/);
  const { method: _, ...unmeasured } = sampleNumbers;
  const earlier = await opened(t, {
    ...source,
    numbers: async () => ({ ...unmeasured, method: undefined }),
  });
  assert.match(await earlier.text('/statistics/7/dane'), /did not store how many/);
  const unchecked = { ...sampleNumbers.method, checked: 0, wrong: 0, errorAtMost: 1 };
  const without = await opened(t, {
    ...source,
    numbers: async () => ({ ...sampleNumbers, method: unchecked }),
  });
  assert.match(await without.text('/statistics/7/dane'), /so its size is unknown/);
});

test('the API has the numbers of the page', async (t) => {
  const site = await opened(t, source);
  const list = (await (await site.ask('/api/v1/statistics')).json()) as {
    readonly scans: object[];
  };
  assert.equal(list.scans.length, 1);
  const response = await site.ask('/api/v1/statistics/7');
  assert.match(response.headers.get('cache-control') ?? '', /max-age/);
  assert.deepEqual(await response.json(), JSON.parse(JSON.stringify(sampleNumbers)));
});

test('absent statistics, an unknown scan and an absent database differ', async (t) => {
  const away: StatisticsSource = {
    scans: () => Promise.reject(new Error('connection refused')),
    numbers: () => Promise.reject(new Error('connection refused')),
  };
  const cases: readonly (readonly [StatisticsSource | undefined, string, number, string])[] = [
    [undefined, '/statistics', 404, 'web-statistics-absent'],
    [undefined, '/statistics/7', 404, 'web-statistics-absent'],
    [source, '/statistics/8', 404, 'web-statistics-unknown'],
    [away, '/statistics', 503, 'web-statistics-away'],
    [away, '/statistics/7', 503, 'web-statistics-away'],
  ];
  for (const [given, path, status, code] of cases) {
    const site = await opened(t, given);
    const api = await site.ask(`/api/v1${path}`);
    assert.equal(api.status, status, path);
    assert.equal(((await api.json()) as { readonly code: string }).code, code);
    const page = await site.ask(path.endsWith('s') ? path : `${path}/overview`);
    assert.equal(page.status, status, path);
    assert.doesNotMatch(await page.text(), /connection refused/);
  }
  const site = await opened(t, source);
  for (const path of ['/statistics/7/other', '/statistics/x/overview', '/statistics/7/__proto__'])
    assert.equal((await site.ask(path)).status, 404, path);
});

test('the database of statistics is named without a password', () => {
  const parsed = (database: string) => pagesSection.safeParse({ statistics: { database } }).success;
  assert.ok(parsed('postgres://scan@db.example.com/scans'));
  assert.ok(parsed('postgresql://scan@db.example.com:5433/scans'));
  assert.ok(parsed('postgres://hermetic@/postgres?host=/srv/scans/socket'));
  assert.ok(!parsed('postgres://scan:secret@db.example.com/scans'));
  assert.ok(!parsed('mysql://scan@db.example.com/scans'));
});
