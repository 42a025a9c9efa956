import assert from 'node:assert/strict';
import test from 'node:test';
import {
  openReports,
  renderDomain,
  renderReportOverview,
  showDomain,
  showOverview,
  storeReports,
  type VerifiedItem,
} from '../index.js';
import { parseReport } from '../../tls-rpt/index.js';
import { reportJson } from '../../../test/support/report/mail.js';
import { runAlerts } from '../alert/run-alerts.js';
import { judgeTrust } from '../verify/judge-trust.js';

const now = Date.parse('2027-01-05T12:00:00Z');

function reading(json: string, via: 'file' | 'https' = 'file'): VerifiedItem {
  return judgeTrust(
    { name: 'file', via, raw: Buffer.from(json), parsed: parseReport(json) },
    { at: now },
  );
}

async function stored(...readings: readonly VerifiedItem[]): ReturnType<typeof openReports> {
  const store = await openReports(':memory:');
  storeReports(
    store,
    readings.flatMap((r) =>
      r.parsed.ok ? [{ reading: r, parsed: r.parsed.value, receivedAt: now }] : [],
    ),
  );
  return store;
}

test('a healthy domain gives a few lines; missing reports are stated', async () => {
  const store = await stored(
    reading(reportJson(10, 0, '1', '2027-01-03')),
    reading(reportJson(10, 0, '2', '2027-01-04')),
  );
  const well = renderDomain(showDomain(store, 'rcpt.example', { now }));
  assert.match(well, /NO FAILURE/);
  assert.doesNotMatch(well, /Day by day|#/);
  assert.match(
    renderReportOverview(showOverview(store, { now })),
    /^.*\nNo failure: 1 domain, 2 reports\.\n$/,
  );
  assert.match(renderDomain(showDomain(store, 'other.example', { now })), /NO REPORTS/);
});

test('a reporter with one session a day may be a loop of its own reports', async () => {
  const day = (n: number, ok: number): VerifiedItem =>
    reading(reportJson(ok, 0, String(n), `2027-01-0${n}`));
  const view = showDomain(
    await stored(...[1, 2, 3, 4].map((n) => day(n, 1)), day(5, 1)),
    'rcpt.example',
    { now },
  );
  assert.deepEqual(view.perhapsLoops, ['sender.example']);
  assert.match(renderDomain(view), /exactly one session every day/);
  assert.deepEqual(
    showDomain(await stored(...[1, 2, 3, 4].map((n) => day(n, 1)), day(5, 2)), 'rcpt.example', {
      now,
    }).perhapsLoops,
    [],
  );
});

// [8460-7-4]
test('hostile names change neither the terminal nor its columns', async () => {
  const hostile = `a\u001b[2J\u202e${'x'.repeat(500)}`;
  const json = JSON.parse(reportJson(10, 3, '1', '2027-01-03')) as {
    policies: { 'failure-details'?: Record<string, unknown>[] }[];
  } & Record<string, unknown>;
  json['organization-name'] = hostile;
  json['contact-info'] = hostile;
  for (const detail of json.policies[0]?.['failure-details'] ?? [])
    for (const name of [
      'failure-reason-code',
      'receiving-mx-hostname',
      'receiving-ip',
      'result-type',
    ])
      detail[name] = hostile;
  const store = await stored(reading(JSON.stringify(json)));
  const screen =
    renderDomain(showDomain(store, 'rcpt.example', { now })) +
    renderReportOverview(showOverview(store, { now }));
  assert.match(screen, /FAILING/);
  for (const line of screen.split('\n')) {
    assert.ok(line.length <= 80, line);
    assert.doesNotMatch(line, /[\u0000-\u001f\u202e]/); // eslint-disable-line no-control-regex
  }
});

test('forged reports with many hosts or addresses are shown fast and send few alerts', async () => {
  const made = (count: number, detail: (n: number) => object): VerifiedItem => {
    const json = JSON.parse(reportJson(10, 3, String(count), '2027-01-03')) as {
      policies: Record<string, unknown>[];
    };
    const details = Array.from({ length: count }, (_, n) => ({
      'result-type': 'certificate-expired',
      'failed-session-count': 1,
      ...detail(n),
    }));
    return reading(
      JSON.stringify({ ...json, policies: [{ ...json.policies[0], 'failure-details': details }] }),
    );
  };
  const addresses = await stored(
    made(30_000, (n) => ({
      'receiving-mx-hostname': 'mx1.rcpt.example',
      'receiving-ip': `10.0.${n >> 8}.${n & 255}`,
    })),
  );
  const store = await stored(
    made(20_000, (n) => ({ 'receiving-mx-hostname': `mx${n}.rcpt.example` })),
  );
  const began = process.cpuUsage();
  assert.equal(showDomain(addresses, 'rcpt.example', { now }).failures.length, 1);
  assert.equal(showDomain(store, 'rcpt.example', { now }).failures.length, 200);
  let told = 0;
  await runAlerts({
    store,
    now,
    domains: [],
    channels: { mail: async (alerts) => ((told = alerts.length), true) },
  });
  const { user, system } = process.cpuUsage(began);
  // The text lists twenty failures, and one line counts the others.
  assert.equal(told, 21);
  assert.ok(user + system < 3_000_000, `${(user + system) / 1000} ms`);
});
