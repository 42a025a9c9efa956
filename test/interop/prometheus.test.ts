import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { startScrapedDaemon } from '../support/scraped-daemon.js';
import { waitUntil } from '../support/wait-until.js';
import { freePort } from '../support/free-port.js';
import { Daemon, runProgram } from './process.js';

const rules = resolve('examples/prometheus');

test('promtool accepts the rules, their test and the configuration', async () => {
  const promtool = (...args: readonly string[]) => runProgram('promtool', args, { cwd: rules });
  const checked = await promtool('check', 'rules', 'hermetic-rules.yml');
  assert.match(checked.out, /SUCCESS: \d+ rules found/);
  await promtool('test', 'rules', 'hermetic-rule-tests.yml');
  await promtool('check', 'config', 'prometheus.yml');
});

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: unknown }[] };
}

interface Answer {
  readonly status: string;
  readonly data: { readonly result: readonly unknown[] };
}

test('every query of the dashboard returns data of a running daemon', async (t) => {
  const daemon = await startScrapedDaemon();
  t.after(() => daemon.close());
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-prometheus-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = readFileSync(join(rules, 'prometheus.yml'), 'utf8')
    .replaceAll('127.0.0.1:9461', `127.0.0.1:${daemon.port}`)
    .replace('hermetic-rules.yml', join(rules, 'hermetic-rules.yml'))
    .replace('scrape_interval: 60s', 'scrape_interval: 1s');
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const port = await freePort();
  const prometheus = new Daemon(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    folder,
  );
  t.after(() => prometheus.stop());
  const query = async (expr: string): Promise<readonly unknown[]> => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
    const answer = (await (await fetch(url)).json()) as Answer;
    assert.equal(answer.status, 'success', expr);
    return answer.data.result;
  };
  // A rate needs two scrapes.
  await waitUntil('two scrapes with reports', () =>
    query('count_over_time(hermetic_report_failed_sessions[1m]) > 1').then(
      ({ length }) => length > 0,
      () => false,
    ),
  );
  const dashboard = JSON.parse(readFileSync('examples/grafana/hermetic.json', 'utf8')) as Dashboard;
  for (const { title, targets } of dashboard.panels)
    for (const { expr } of targets) {
      const found = await query(expr.replaceAll('$domain', '.*'));
      assert.ok(found.length > 0, `${title}: ${expr}`);
    }
  const labels = await fetch(`http://127.0.0.1:${port}/api/v1/label/domain/values`);
  assert.match(await labels.text(), /good\.example/);
  const alerts = (await (await fetch(`http://127.0.0.1:${port}/api/v1/rules`)).json()) as {
    readonly data: {
      readonly groups: readonly { readonly rules: readonly { health: string }[] }[];
    };
  };
  const healths = alerts.data.groups.flatMap((group) => group.rules.map(({ health }) => health));
  assert.ok(healths.length > 10 && !healths.includes('err'), healths.join());
});
