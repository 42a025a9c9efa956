import assert from 'node:assert/strict';
import test from 'node:test';
import { runAlerts, type ReportAlert, type AlertFailure } from '../index.js';
import {
  storeTestReports,
  withReports,
  type TestReport,
} from '../../../test/support/report/reports.js';
import type { Store } from '../../store/index.js';

const at = (text: string): number => Date.parse(text);
const report = (
  domain: string,
  day: string,
  failed: number,
  reporter = 'big.example',
): TestReport => ({
  reporter,
  day,
  policies: [{ domain, ok: 100, failed, details: failed > 0 ? [{}] : [] }],
});

interface Round {
  readonly sent: Readonly<Record<string, readonly string[]>>;
  readonly errors: readonly AlertFailure[];
}

async function round(
  store: Store,
  now: string,
  channels: readonly string[] = ['mail'],
  dead?: string,
): Promise<Round> {
  const sent: Record<string, readonly string[]> = {};
  const errors: AlertFailure[] = [];
  const notify = (channel: string) => async (alerts: readonly ReportAlert[]) => {
    if (channel === dead) throw new Error('unreachable');
    sent[channel] = alerts.map((a) => `${a.kind} ${a.domain}`);
    return true;
  };
  await runAlerts({
    store,
    now: at(now),
    domains: ['a.example', 'b.example'],
    channels: Object.fromEntries(channels.map((channel) => [channel, notify(channel)])),
    onError: (what) => void errors.push(what),
  });
  return { sent, errors };
}

/** Returns a proxy of the store on which reading one domain fails. */
function broken(store: Store, domain: string): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name !== 'prepare') return Reflect.get(target, name) as unknown;
      return (sql: string) => {
        const statement = target.prepare(sql);
        return new Proxy(statement, {
          get(inner, method) {
            const member = Reflect.get(inner, method) as (...values: unknown[]) => unknown;
            if (method !== 'all' && method !== 'get') return member;
            return (...values: unknown[]) => {
              if (values[0] === domain) throw new Error(`cannot read ${domain}`);
              return member.apply(inner, values);
            };
          },
        });
      };
    },
  });
}

test('a domain with unreadable data is reported, and the others continue', async () => {
  const store = await withReports(
    report('a.example', '2026-05-02', 5),
    report('b.example', '2026-05-02', 5),
  );
  const { sent, errors } = await round(broken(store, 'a.example'), '2026-05-03T12:00:00Z');
  assert.deepEqual(sent, { mail: ['added b.example'] });
  assert.ok(errors.some((e) => e.domain === 'a.example' && /cannot read/.test(e.error.message)));
  assert.deepEqual((await round(store, '2026-05-03T13:00:00Z')).sent, {
    mail: ['added a.example'],
  });
});

test('failures of a domain with unreadable data are not reported as ended', async () => {
  const store = await withReports(report('a.example', '2026-05-02', 5));
  await round(store, '2026-05-03T12:00:00Z');
  assert.deepEqual((await round(broken(store, 'a.example'), '2026-05-03T13:00:00Z')).sent, {});
  assert.deepEqual((await round(store, '2026-05-03T14:00:00Z')).sent, {});
  storeTestReports(store, [report('a.example', '2026-05-03', 0)]);
  assert.deepEqual((await round(store, '2026-05-04T12:00:00Z')).sent, {
    mail: ['ended a.example'],
  });
});

test('a rejecting channel is reported, and the others are served', async () => {
  const store = await withReports(report('a.example', '2026-05-02', 5));
  const first = await round(store, '2026-05-03T12:00:00Z', ['mail', 'webhook'], 'mail');
  assert.deepEqual(first.sent, { webhook: ['added a.example'] });
  assert.deepEqual(
    first.errors.map((e) => e.channel),
    ['mail'],
  );
  const second = await round(store, '2026-05-03T13:00:00Z', ['mail', 'webhook']);
  assert.deepEqual(second.sent, { mail: ['added a.example'] });
});

test('alerts do not alternate when reporters differ in their newest day', async () => {
  const store = await withReports(
    report('a.example', '2026-05-02', 1, 'slow.example'),
    report('a.example', '2026-05-03', 0, 'quick.example'),
  );
  assert.deepEqual((await round(store, '2026-05-04T03:00:00Z')).sent, {
    mail: ['added a.example'],
  });
  for (let day = 3; day <= 6; day++) {
    storeTestReports(store, [report('a.example', `2026-05-0${day}`, 1, 'slow.example')]);
    assert.deepEqual((await round(store, `2026-05-0${day + 1}T15:00:00Z`)).sent, {});
    storeTestReports(store, [report('a.example', `2026-05-0${day + 1}`, 0, 'quick.example')]);
    assert.deepEqual((await round(store, `2026-05-0${day + 2}T03:00:00Z`)).sent, {});
  }
  storeTestReports(store, [report('a.example', '2026-05-07', 0, 'slow.example')]);
  assert.deepEqual((await round(store, '2026-05-08T15:00:00Z')).sent, {
    mail: ['ended a.example'],
  });
});

test('a failure that leaves the period without a success is not reported as over', async () => {
  const store = await withReports(report('a.example', '2026-05-02', 5));
  await round(store, '2026-05-03T12:00:00Z');
  storeTestReports(store, [report('a.example', '2026-05-20', 0, 'other.example')]);
  const says: string[] = [];
  await runAlerts({
    store,
    now: at('2026-05-21T12:00:00Z'),
    domains: ['a.example'],
    channels: { mail: async (alerts) => (says.push(...alerts.map((a) => a.says)), true) },
  });
  assert.match(says.join(), /Its end is not confirmed/);
});

test('many failures of one reporter do not displace the failure of another', async () => {
  const many = Array.from({ length: 60 }, (_, n) => ({
    result: 'certificate-expired',
    count: 1e6,
    mx: `mx${n}.a.example`,
  }));
  const store = await withReports(
    {
      reporter: 'loud.example',
      day: '2026-05-02',
      policies: [{ domain: 'a.example', failed: 6e7, details: many }],
    },
    {
      reporter: 'small.example',
      day: '2026-05-02',
      policies: [{ domain: 'a.example', failed: 2, details: [{ mx: 'mx.a.example' }] }],
    },
  );
  const alerts: ReportAlert[] = [];
  const channels = { mail: async (all: readonly ReportAlert[]) => (alerts.push(...all), true) };
  await runAlerts({ store, now: at('2026-05-03T12:00:00Z'), domains: [], channels });
  assert.ok(alerts.length <= 22);
  assert.ok(alerts.some((a) => / mx\.a\.example/.test(a.says)));
  assert.match(alerts.at(-1)?.says ?? '', /^41 more changes/);
});
