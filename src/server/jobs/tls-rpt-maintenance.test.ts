import assert from 'node:assert/strict';
import test from 'node:test';
import { openReports, reportSection } from '../../tls-rpt-receive/index.js';
import type { JobContext } from '../service.js';
import { ReportSessions } from './report-sessions.js';
import { reportRounds } from './tls-rpt-maintenance.js';

test('a failed part of a periodic round is logged, and the other parts run', async () => {
  const store = await openReports(':memory:');
  const old = store.prepare(
    `INSERT INTO report (digest, received_at, reporter, via, trust, trust_detail, counted, ok, failed, raw)
     VALUES (?, 0, 'a.example', 'mail', 'signed', '', 1, 0, 0, ?)`,
  );
  old.run(Buffer.of(1), Buffer.of(1));
  // The store fails when a part reads checks or alerts.
  const failing = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (name === 'prepare')
        return (sql: string) => {
          if (/report_check WHERE domain|report_day|report_alert/.test(sql) && !/^DELETE/.test(sql))
            throw new Error('cannot read');
          return target.prepare(sql);
        };
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const stop = new AbortController();
  const lines: Record<string, unknown>[] = [];
  const jobContext = {
    store: failing,
    clock: {
      now: () => Date.parse('2027-01-05T12:00:00Z'),
      sleep: async () => stop.abort(),
    },
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (event: string, fields: object) => void lines.push({ event, ...fields }),
    },
  } as unknown as JobContext;
  const settings = reportSection.parse({
    domains: ['a.example', 'b.example'],
    alerts: { webhook: 'https://chat.example.com/hook' },
  });
  const mxHosts = { refresh: async () => undefined, names: [] } as never;
  const sessions = new ReportSessions();
  await reportRounds(settings, jobContext, { signal: stop.signal, mxHosts, sessions });
  assert.deepEqual(
    lines.filter((line) => line['part'] === 'prune'),
    [],
  );
  const failed = lines.filter((line) => line['event'] === 'report-round-failed');
  assert.deepEqual(
    failed.filter((line) => line['part'] === 'check').map((line) => line['domain']),
    ['a.example', 'b.example'],
  );
  assert.ok(failed.some((line) => line['part'] === 'alerts'));
  assert.equal(store.prepare<{ n: number }>('SELECT count(*) AS n FROM report').get()?.n, 0);
});
