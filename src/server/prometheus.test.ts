import assert from 'node:assert/strict';
import test from 'node:test';
import { labelled, single } from './metrics.js';
import { formatMetrics, MAX_SAMPLES } from './prometheus.js';

/** Returns the sample lines of one metric family. */
const samplesOf = (scrape: string, family: string): readonly string[] =>
  scrape
    .split('\n')
    .filter((line) => line.startsWith(`${family}{`) || line.startsWith(`${family} `));

test('a scrape has help, type and samples, with foreign label values escaped', async () => {
  const values = [['a"b\\c\nd', 3] as const];
  const scrape = await formatMetrics([
    labelled('reports_total', 'counter', 'Reports.', { label: 'result', values }),
    single('uptime_seconds', 'gauge', 'Uptime.', 7),
  ]);
  assert.match(scrape, /^# HELP hermetic_reports_total Reports\.$/m);
  assert.match(scrape, /^# TYPE hermetic_reports_total counter$/m);
  assert.deepEqual(samplesOf(scrape, 'hermetic_reports_total'), [
    'hermetic_reports_total{result="a\\"b\\\\c\\nd"} 3',
  ]);
  assert.deepEqual(samplesOf(scrape, 'hermetic_uptime_seconds'), ['hermetic_uptime_seconds 7']);
  assert.equal(scrape.match(/# TYPE hermetic_reports_total/g)?.length, 1);
});

test('equal labels are one sample, also from two jobs', async () => {
  const two = [['postfix', 1] as const, ['postfix', 2] as const];
  const open = labelled('connections_open', 'gauge', 'Open.', { label: 'port', values: two });
  assert.deepEqual(samplesOf(await formatMetrics([open, open]), 'hermetic_connections_open'), [
    'hermetic_connections_open{port="postfix"} 6',
  ]);
});

test('a family without samples has none', async () => {
  const none = { label: 'host', values: [] };
  const scrape = await formatMetrics([labelled('end_seconds', 'gauge', 'End.', none)]);
  assert.match(scrape, /^# TYPE hermetic_end_seconds gauge$/m);
  assert.deepEqual(samplesOf(scrape, 'hermetic_end_seconds'), []);
});

test('a family is truncated at its limit and reported, and labels are short', async () => {
  const values = Array.from(
    { length: MAX_SAMPLES + 5 },
    (_, n) => [`${n}${'x'.repeat(999)}`, 1] as const,
  );
  const scrape = await formatMetrics([
    labelled('many', 'gauge', 'Many.', { label: 'domain', values }),
  ]);
  const lines = samplesOf(scrape, 'hermetic_many');
  assert.equal(lines.length, MAX_SAMPLES);
  assert.ok(Math.max(...lines.map(({ length }) => length)) < 300);
  assert.deepEqual(samplesOf(scrape, 'hermetic_metrics_dropped_samples'), [
    'hermetic_metrics_dropped_samples{family="hermetic_many"} 5',
  ]);
});

test('each scrape counts again from zero, with the process metrics once', async () => {
  const counter = single('writes_total', 'counter', 'Writes.', 4);
  await formatMetrics([counter]);
  const scrape = await formatMetrics([counter]);
  assert.deepEqual(samplesOf(scrape, 'hermetic_writes_total'), ['hermetic_writes_total 4']);
  for (const family of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'process_open_fds',
  ])
    assert.equal(scrape.match(new RegExp(`^# TYPE ${family} `, 'gm'))?.length, 1, family);
});
