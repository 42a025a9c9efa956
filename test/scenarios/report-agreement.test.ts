import assert from 'node:assert/strict';
import test from 'node:test';
import {
  renderDomain,
  runAlerts,
  showDomain,
  showOverview,
  storeCheck,
  type ReportAlert,
} from '../../src/tls-rpt-receive/index.js';
import { domain, firstDay, monthDays, type Month } from '../../tools/report-faults.js';
import { playMonth } from '../../tools/report-month.js';
import { checkOf } from '../../tools/report-months.js';
import { playForeignMonth } from '../foreign-months.js';
import { FakeClock } from '../support/fake-clock.js';
import { withReports } from '../support/report/reports.js';
import { TestPages } from '../support/testing-pages.js';

/** Two times after the month: the next day, and three weeks later. */
const times = [0, 21].map((days) => firstDay + (monthDays + days) * 86_400_000 + 43_200_000);
const words = {
  yours: 'your domain',
  theirs: 'the reporter',
  path: 'the network',
  unclear: 'unclear',
};

function plain(html: string): string {
  return html
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
}

const months: readonly (readonly [string, Month])[] = [
  ['a month with a stale record', playMonth(1_000_003)],
  ['a month of vague reporters', playForeignMonth(5)],
  ['a month with checks', playForeignMonth(33)],
];

for (const [name, month] of months)
  test(`page, overview, web and alerts agree: ${name}`, async (t) => {
    for (const now of times) {
      // Another domain has reports of today, because the overview covers the last days of
      // all domains.
      const today = new Date(now - 86_400_000).toISOString().slice(0, 10);
      const other = { domain: 'other.example', ok: 9, mx: ['mx.other.example'] };
      const fresh = { reporter: 'fresh.example', day: today, policies: [other] };
      const store = await withReports(...month.reports, fresh);
      for (const day of month.checks) storeCheck(store, checkOf(month, day));
      const view = showDomain(store, domain, { now });
      const line = showOverview(store, { now }).failing.find((l) => l.domain === domain);
      const alerts: ReportAlert[] = [];
      const channels = {
        test: (sent: readonly ReportAlert[]) => Promise.resolve(alerts.push(...sent) > 0),
      };
      await runAlerts({ store, now, domains: [domain], channels });
      const clock = new FakeClock(now, 'wait');
      const site = await TestPages.open(t, {}, { store, clock });
      const read = async (path: string): Promise<string> =>
        plain(await (await site.ask(path, { operator: true, from: '127.0.0.1' })).text());
      const screen = renderDomain(view).replace(/\s+/g, ' ');
      const page = await read(`/o/domains/${domain}`);
      assert.equal(line?.ongoing === true, view.status === 'failing', `overview at ${now}`);
      const failures = view.failures.filter((failure) => failure.ongoing);
      const told = alerts.filter(({ says }) => !says.startsWith('No reports since'));
      assert.equal(told.length, Math.min(20, failures.length));
      for (const failure of view.failures.slice(0, 20)) {
        for (const text of [screen, page]) assert.ok(text.includes(failure.because), text);
        assert.ok(page.includes(`cause: ${words[failure.whose]}`));
        const alert = told.find(({ says }) => says === `${failure.says} ${failure.because}`);
        assert.equal(alert !== undefined, failure.ongoing, failure.says);
        if (alert) assert.deepEqual(alert.todo, failure.todo);
      }
      const list = await read('/o');
      assert.equal(
        /is failing|are failing/.test(list),
        view.status === 'failing',
        list.slice(0, 400),
      );
      store.close();
    }
  });
