import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parse } from 'yaml';
import { startScrapedDaemon } from './support/scraped-daemon.js';
import { waitUntil } from './support/wait-until.js';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

/** Metric families that earlier versions exposed in this configuration. */
const earlierFamilies = [
  'uptime_seconds',
  'connections_open',
  'connections_total',
  'connections_refused_total',
  'store_writes_total',
  'store_write_failures_total',
  'store_job_failing',
  'store_in_place',
  'domain_verdict',
  'domain_certain_timestamp_seconds',
  'alerts_open',
  'postfix_lookups_known_total',
  'postfix_lookups_found_total',
  'postfix_lookups_busy_total',
  'postfix_lookups_broken_total',
  'postfix_resolver_validates',
  'postfix_answers_kept',
  'postfix_answers_total',
  'postfix_malformed_total',
  'publish_contexts',
  'publish_actions_total',
  'reports_total',
  'report_mailbox_mails_total',
  'report_mailbox_connected',
  'report_mailbox_failing',
  'report_mailbox_pending',
  'report_mailbox_read_timestamp_seconds',
  'reporting_sessions_total',
  'reporting_dropped_total',
  'reporting_malformed_total',
  'reporting_deliveries',
  'checks_running',
  'checks_waiting',
  'checks_total',
];

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

function samplesOf(scrape: string): readonly Sample[] {
  return [...scrape.matchAll(/^([a-z_0-9]+)(?:\{(.*)\})? \S+$/gm)].map(
    ([, name = '', text = '']) => ({
      name,
      labels: new Map(
        [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
      ),
    }),
  );
}

/** Returns the selectors of a query, without the label `job`, which Prometheus adds. */
function selectorsOf(expr: string): readonly { name: string; matches(sample: Sample): boolean }[] {
  return [...expr.matchAll(/\b((?:hermetic|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', text = '']) => {
      const matchers = [...text.matchAll(/(\w+)(!=|=~|=)"([^"]*)"/g)].filter(
        ([, key]) => key !== 'job',
      );
      return {
        name,
        matches: (sample) =>
          sample.name === name &&
          matchers.every(([, key = '', operator, value = '']) => {
            const found = sample.labels.get(key) ?? '';
            if (operator === '=~')
              return new RegExp(`^${value.replace('$domain', '.*')}$`).test(found);
            return (found === value) === (operator === '=');
          }),
      };
    },
  );
}

test('every query of the dashboard and the rules finds samples in a scrape', async (t) => {
  const daemon = await startScrapedDaemon();
  t.after(() => daemon.close());
  const url = `http://127.0.0.1:${daemon.port}/metrics`;
  // The first round of the report job sets its metrics after the start.
  const scrape = await waitUntil('a scrape with reports', async () => {
    const text = await (await fetch(url)).text();
    return text.includes('hermetic_report_failed_sessions{') && text;
  });
  const samples = samplesOf(scrape);
  const dashboard = JSON.parse(readFileSync('examples/grafana/hermetic.json', 'utf8')) as Dashboard;
  const rules = parse(readFileSync('examples/prometheus/hermetic-rules.yml', 'utf8')) as RuleFile;
  const queries = [
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr])),
    ...rules.groups.flatMap((group) => group.rules.map(({ alert, expr }) => [alert, expr])),
  ];
  assert.ok(queries.length > 25);
  for (const [title, expr = ''] of queries)
    for (const { name, matches } of selectorsOf(expr)) {
      // This family has samples only after an overlong scrape.
      if (name === 'hermetic_metrics_dropped_samples') assert.match(scrape, /^# TYPE \S+dropped/m);
      else assert.ok(samples.some(matches), `${title}: ${expr}`);
    }
  const families = new Set([...scrape.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  for (const family of earlierFamilies) assert.ok(families.has(`hermetic_${family}`), family);
  assert.match(scrape, /^hermetic_build_info\{version="0\.0\.0-test",node="[\d.]+"\} 1$/m);
  assert.match(scrape, /^hermetic_alerts_open\{domain="broken\.example"\} 1$/m);
  assert.match(
    scrape,
    /^hermetic_certificate_not_after_seconds\{host="mx\.good\.example",role="mx"\} \d+$/m,
  );
  assert.match(scrape, /^hermetic_policy_mode\{domain="good\.example",mode="enforce"\} 1$/m);
  assert.match(
    scrape,
    /^hermetic_report_sessions\{domain="good\.example",policy_type="sts",outcome="failed"\} 2$/m,
  );
  assert.match(
    scrape,
    /^hermetic_report_failed_sessions\{domain="good\.example",result="certificate-expired"\} 2$/m,
  );
});

test('the reported sessions do not depend on unauthenticated reports', async (t) => {
  const { openReports, sumSessions } = await import('../src/tls-rpt-receive/index.js');
  const { storeTestReports } = await import('./support/report/reports.js');
  const store = await openReports(':memory:');
  t.after(() => store.close());
  const policies = [
    { domain: 'a.example', ok: 5, failed: 3, details: [{ result: 'made-up-type', count: 3 }] },
  ];
  storeTestReports(store, [
    { reporter: 'one.example', day: '2027-01-05', policies },
    { reporter: 'two.example', day: '2027-01-05', trust: 'unsigned', policies },
    { reporter: 'old.example', day: '2026-12-01', policies },
  ]);
  const since = Date.parse('2027-01-01T00:00:00Z');
  const sums = sumSessions(store, 'a.example', since);
  assert.deepEqual(
    sums?.outcomes.map(({ type, ...counts }) => [type, { ...counts }]),
    [['sts', { successful: 5, failed: 3 }]],
  );
  assert.deepEqual([...sums.results], [['other', 3]]);
  assert.equal(sumSessions(store, 'b.example', since), undefined);
});
