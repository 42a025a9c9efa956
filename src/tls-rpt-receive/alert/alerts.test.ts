import assert from 'node:assert/strict';
import test from 'node:test';
import {
  alertJson,
  alertText,
  openReports,
  runAlerts,
  storeReports,
  type ReportAlert,
} from '../index.js';
import { parseReport } from '../../tls-rpt/index.js';
import type { Store } from '../../store/index.js';
import { reportJson } from '../../../test/support/report/mail.js';
import { judgeTrust } from '../verify/judge-trust.js';

const at = (text: string): number => Date.parse(text);

function receive(store: Store, day: string, failed: number): void {
  const raw = Buffer.from(reportJson(100, failed, day, day));
  const parsed = parseReport(raw);
  assert.ok(parsed.ok);
  const receivedAt = at(`${day}T00:00:00Z`) + 30 * 3_600_000;
  storeReports(store, [
    {
      reading: judgeTrust({ name: 'r', via: 'file', raw, parsed }, { at: receivedAt }),
      parsed: parsed.value,
      receivedAt,
    },
  ]);
}

async function look(store: Store, now: string, received = true): Promise<readonly string[]> {
  let told: readonly ReportAlert[] = [];
  await runAlerts({
    store,
    now: at(now),
    domains: ['rcpt.example'],
    channels: { webhook: async (alerts) => ((told = alerts), received) },
  });
  return told.map((a) => `${a.kind} ${a.says.split('.')[0] ?? ''}`);
}

test('an alert is sent when a failure begins, worsens or ends, and after a failed send', async () => {
  const store = await openReports(':memory:');
  receive(store, '2026-05-01', 0);
  assert.deepEqual(await look(store, '2026-05-02T12:00:00Z'), []);
  receive(store, '2026-05-02', 5);
  assert.deepEqual(await look(store, '2026-05-03T12:00:00Z', false), [
    'added The certificate of mx1',
  ]);
  assert.deepEqual(await look(store, '2026-05-03T12:10:00Z'), ['added The certificate of mx1']);
  assert.deepEqual(await look(store, '2026-05-03T13:00:00Z'), []);
  receive(store, '2026-05-03', 6);
  assert.deepEqual(await look(store, '2026-05-04T12:00:00Z'), []);
  receive(store, '2026-05-04', 40);
  assert.deepEqual(await look(store, '2026-05-05T12:00:00Z'), ['worse The certificate of mx1']);
  receive(store, '2026-05-05', 0);
  assert.deepEqual(await look(store, '2026-05-06T12:00:00Z'), ['ended The certificate of mx1']);
  assert.deepEqual(await look(store, '2026-05-06T13:00:00Z'), []);
});

test('missing reports raise an alarm after 36 hours, not before', async () => {
  const store = await openReports(':memory:');
  for (let day = 1; day <= 8; day++) receive(store, `2026-05-0${day}`, 0);
  assert.deepEqual(await look(store, '2026-05-11T11:59:00Z'), []);
  assert.deepEqual(await look(store, '2026-05-11T12:01:00Z'), [
    'added No reports since 2026-05-08, although reports arrived on most days before',
  ]);
  assert.deepEqual(await look(store, '2026-05-12T12:00:00Z'), []);
  receive(store, '2026-05-11', 0);
  assert.deepEqual(await look(store, '2026-05-12T13:00:00Z'), [
    'ended No reports since 2026-05-08, although reports arrived on most days before',
  ]);
});

test('an alert has text and JSON, with foreign text neutralised', () => {
  const alert: ReportAlert = {
    kind: 'added',
    domain: 'rcpt.example',
    says: 'bad\u001b[2J',
    since: '2026-05-01T00:00:00Z',
    todo: ['one', 'two'],
  };
  assert.equal(
    alertText([alert]),
    'NEW rcpt.example (since 2026-05-01 00:00 UTC)\nbad\\x1b[2J\n1. one\n2. two',
  );
  assert.deepEqual(JSON.parse(alertJson([alert])), {
    schema: 'hermetic.report-alert/1',
    text: alertText([alert]),
    alerts: [alert],
  });
});

test('after an outage a channel gets every alert, and other channels get none twice', async () => {
  const store = await openReports(':memory:');
  const received: string[] = [];
  let alive = false;
  const round = async (now: string): Promise<void> => {
    const tell = (channel: string) => async (alerts: readonly ReportAlert[]) => {
      if (channel === 'mail' && !alive) return false;
      received.push(...alerts.map((a) => `${channel} ${a.kind}`));
      return true;
    };
    await runAlerts({
      store,
      now: at(now),
      domains: ['rcpt.example'],
      channels: { webhook: tell('webhook'), mail: tell('mail') },
    });
  };
  receive(store, '2026-05-02', 5);
  await round('2026-05-03T12:00:00Z');
  await round('2026-05-03T13:00:00Z');
  receive(store, '2026-05-03', 40);
  await round('2026-05-04T12:00:00Z');
  assert.deepEqual(received.splice(0), ['webhook added', 'webhook worse']);
  alive = true;
  await round('2026-05-04T13:00:00Z');
  await round('2026-05-04T14:00:00Z');
  assert.deepEqual(received, ['mail added']);
});
