import assert from 'node:assert/strict';
import test from 'node:test';
import type { ScanProgress } from '../../scan/index.js';
import { runCli } from '../../../test/support/run-cli.js';
import { continuation, progressJson, ratesBetween, renderProgress } from './render-progress.js';
import { renderStatistics } from './render-statistics.js';

const progress: ScanProgress = {
  scan: {
    id: 3,
    list: 'tranco',
    listId: 1,
    citedAs: '',
    state: 'paused',
    reason: 'own-network',
    domains: 1_000_000,
    params: { revisitMs: 1, spreadMs: 0 },
    startedAt: new Date('2026-12-01T00:00:00Z'),
    finishedAt: undefined,
    questions: 2_510_840,
    connections: 152_340,
  },
  observed: 612_400,
  graded: 200,
  hosts: { total: 300_000, observed: 201_377 },
  networks: 41_807,
  addresses: 96_120,
  visits: { waiting: 9, visited: 148_002, inferred: 71_204, optedOut: 3, unreached: 12 },
  inference: { checked: 712, wrong: 1 },
  resting: 1204,
  restEndsAt: new Date('2026-12-01T06:51:30Z'),
  shapes: 84,
  workers: 2,
  inFlight: 310,
  verdicts: { fail: 50, pass: 150 },
};

test('progress shows each count with its base', () => {
  const now = progress.scan.startedAt.getTime() + 1_300_000;
  const text = renderProgress(progress, {
    now,
    rates: { names: 291, visits: 88 },
    width: 120,
  }).join('\n');
  assert.match(text, /1,000,000 domains {3}paused \(own-network\) {3}00:21:40 {3}2 workers/);
  assert.match(text, /names {4}612,400 {3}291\/s {3}61\.2 % {3}4\.1 questions each/);
  assert.match(text, /148,002 {3}88\/s {3}152,340 connections/);
  assert.match(text, /71,204 inferred {3}1 of 712 checked differ \(at most 0\.8 %\)/);
  assert.match(text, /1,204 resting\s+first rest ends 2026-12-01 06:51 UTC/);
  assert.match(text, /fail 25\.0 % {3}pass 75\.0 %/);
});

test('progress fits a narrow terminal', () => {
  const now = progress.scan.startedAt.getTime() + 1_300_000;
  const lines = renderProgress(progress, { now, width: 60 });
  for (const line of lines) assert.ok(line.length <= 60, line);
  assert.ok(
    lines.includes('           12 unreached   3 opted out   1,204 resting'),
    lines.join('\n'),
  );
});

test('an unfinished scan prints the command that continues it', () => {
  const of = (state: ScanProgress['scan']['state'], workers: number): string | undefined =>
    continuation({ ...progress, workers, scan: { ...progress.scan, state, reason: undefined } });
  assert.match(of('paused', 0) ?? '', /^The scan is paused: hermetic scan start/);
  assert.match(of('running', 0) ?? '', /^No worker runs/);
  assert.deepEqual([of('running', 1), of('done', 0), of('cancelled', 0)], Array(3).fill(undefined));
  assert.match(continuation(progress) ?? '', /the network or resolver of this machine fails/);
});

test('rates are per second and never negative', () => {
  const later = { ...progress, observed: progress.observed + 600 };
  assert.deepEqual(ratesBetween(progress, later, 2000), { names: 300, visits: 0 });
  assert.equal(ratesBetween(later, progress, 2000).names, 0);
});

test('the JSON of progress has no internal parameters', () => {
  const json = progressJson(progress);
  assert.ok(!('params' in json) && 'resting' in json);
});

test('statistics name the base, the unknown share and three units', () => {
  const row = (counted: string, n: number, of: number) => ({
    ...{ page: 'tls-rpt', key: 'tlsrpt', counted, n, of, unknown: 25 },
  });
  const statistics = [
    row('domains', 25, 75),
    row('mailHosts', 1, 2),
    row('operators', 0, 2),
    { page: 'operators', key: 'outlook.com', counted: 'domains', n: 40, of: 100, unknown: 0 },
  ];
  const text = renderStatistics(statistics, 80).join('\n');
  assert.match(text, /of the domains that accept mail\n {4}with a TLS-RPT record: 25\/75 /);
  assert.match(text, / 33\.3 % {3}50\.0 % {6}0\.0 % {3}25\.0 %\n/);
  assert.match(text, /40\.0 % {2}outlook\.com, 40 domains/);
  assert.deepEqual(renderStatistics([], 80), []);
  for (const width of [60, 80, 120])
    assert.ok(renderStatistics(statistics, width).every((line) => line.length <= width));
});

test('a scan command without a database names both options', async () => {
  for (const args of [['list'], ['show', '1'], ['why', 'a.example'], ['export', '1']]) {
    const { code, err } = await runCli(['scan', ...args]);
    assert.equal(code, 2);
    assert.match(err, /--local FOLDER on one machine, or --database/);
  }
});

test('a scan number must be a number', async () => {
  const { code, err } = await runCli(['scan', 'show', '1;2', '--database', 'postgres://x']);
  assert.equal(code, 2);
  assert.match(err, /not the number of a scan/);
});
