import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { defineFailures } from '../base/index.js';
import { openStore, type Store } from '../store/index.js';
import { parseReport, type ReportedPolicy } from '../tls-rpt/index.js';
import { countSessions } from './count-sessions.js';
import { destinationsOf } from './destinations.js';
import { Outbox, type OutboxOptions } from './outbox.js';
import { previewReports } from './preview-reports.js';
import type { SessionEvent } from './session-event.js';
import { prepareReporting } from './tables.js';
import { testSize } from '../../test/support/test-size.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const monday = Date.parse('2026-11-23T00:00:00Z');
const reporter = { organization: 'Sender', contact: 'tls@sender.example' };
const trouble = defineFailures({
  later: { blame: 'peer', temporary: true, message: '', fix: '' },
  never: { blame: 'peer', temporary: false, message: '', fix: '' },
});

async function opened(
  options: Partial<OutboxOptions> = {},
): Promise<{ store: Store; outbox: Outbox }> {
  const store = await openStore(':memory:');
  prepareReporting(store);
  return { store, outbox: new Outbox({ store, reporter, random: () => 0.5, ...options }) };
}

function event(
  domain: string,
  at: number,
  change: Partial<ReportedPolicy> = {},
  failure?: string,
  rua = `mailto:r@${domain}`,
): SessionEvent {
  return {
    at,
    domain,
    record: `v=TLSRPTv1; rua=${rua}`,
    policy: {
      policyType: 'sts',
      policyDomain: domain,
      policyString: ['version: STSv1'],
      mxHost: ['mx.rcpt.example'],
      totalSuccessfulSessionCount: failure === undefined ? 1 : 0,
      totalFailureSessionCount: failure === undefined ? 0 : 1,
      failureDetails:
        failure === undefined
          ? []
          : [
              {
                resultType: 'certificate-expired',
                sendingMtaIp: undefined,
                receivingMxHostname: undefined,
                receivingMxHelo: failure,
                receivingIp: undefined,
                failedSessionCount: 1,
                additionalInformation: undefined,
                failureReasonCode: undefined,
              },
            ],
      ...change,
    },
  };
}

const totals = (bodies: readonly string[]): { ok: number; failed: number; details: number } => {
  const policies = bodies.flatMap((body) => {
    const parsed = parseReport(body);
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value.notes, []);
    return parsed.value.report.policies;
  });
  const sum = (of: (p: ReportedPolicy) => number): number =>
    policies.reduce((all, p) => all + of(p), 0);
  return {
    ok: sum((p) => p.totalSuccessfulSessionCount),
    failed: sum((p) => p.totalFailureSessionCount),
    details: sum((p) => p.failureDetails.reduce((all, d) => all + d.failedSessionCount, 0)),
  };
};

test('each counted session is in exactly one report of its UTC day', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          domain: fc.constantFrom('a.example', 'b.example'),
          at: fc.integer({ min: monday, max: monday + 3 * DAY - 1 }),
          text: fc.constantFrom('version: STSv1', 'other'),
          failure: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
        }),
        { maxLength: 60 },
      ),
      fc.integer({ min: 1, max: 9 }),
      async (given, group) => {
        const { store, outbox } = await opened();
        const events = given.map(({ domain, at, text, failure }) =>
          event(domain, at, { policyString: [text] }, failure),
        );
        for (let i = 0; i < events.length; i += group)
          countSessions(store, events.slice(i, i + group));
        const days = new Set(given.map(({ domain, at }) => `${domain} ${Math.floor(at / DAY)}`));
        assert.equal(await outbox.close(monday + 3 * DAY + HOUR), days.size);
        assert.equal(await outbox.close(monday + 3 * DAY + HOUR), 0);
        const due = outbox.due(Infinity, 100);
        assert.equal(due.length, days.size);
        const failed = given.filter((g) => g.failure !== undefined).length;
        assert.deepEqual(totals(due.map((d) => d.body)), {
          ok: given.length - failed,
          failed,
          details: failed,
        });
        for (const { body, day } of due)
          assert.ok(body.includes(new Date(day).toISOString().slice(0, 10)));
        store.close();
      },
    ),
    { numRuns: testSize(15, 40) },
  );
});

test('a day closes after its end; late sessions go into a separate report', async () => {
  const { store, outbox } = await opened();
  countSessions(store, [event('a.example', monday + HOUR)]);
  assert.equal(await outbox.close(monday + DAY), 0);
  assert.equal(await outbox.close(monday + DAY + HOUR), 1);
  countSessions(store, [event('a.example', monday + 2 * HOUR)]);
  const late = new Outbox({ store, reporter, random: () => 0.25 });
  assert.equal(await late.close(monday + DAY + HOUR), 1);
  assert.deepEqual(totals(outbox.due(Infinity, 9).map((d) => d.body)), {
    ok: 2,
    failed: 0,
    details: 0,
  });
});

test('[8460-4.1-2] reports of a day leave at random times within the spread', async () => {
  let turn = 0;
  const { store, outbox } = await opened({ random: () => (turn++ * 0.37) % 1, spreadMs: 4 * HOUR });
  countSessions(
    store,
    Array.from({ length: 20 }, (_, i) => event(`d${i}.example`, monday)),
  );
  const end = monday + DAY + HOUR;
  await outbox.close(end);
  assert.ok(outbox.due(end + HOUR, 99).length < 15);
  assert.equal(outbox.due(end + 4 * HOUR, 99).length, 20);
});

// [8460-5.5-1]
test('an unavailable receiver is retried for 24 hours, across a restart', async () => {
  const { store, outbox } = await opened({ spreadMs: 0 });
  countSessions(store, [event('a.example', monday)]);
  let now = monday + DAY + HOUR;
  await outbox.close(now);
  const began = now;
  const tries: number[] = [];
  for (;;) {
    const again = new Outbox({ store, reporter, random: () => 0.5 });
    const [due] = again.due(now, 1);
    if (due) {
      tries.push(now - began);
      await again.settle(due, { delivered: false, failure: trouble.make('later') }, now);
    }
    const next = again.nextAt(now + 1);
    if (again.due(Infinity, 1).length === 0) break;
    now = next;
  }
  const pauses = tries.slice(1).map((at, i) => at - (tries[i] ?? 0));
  assert.ok(tries.length >= 8 && (tries.at(-1) ?? 0) <= DAY, tries.join());
  assert.ok(pauses.every((pause, i) => i === 0 || pause >= 1.9 * (pauses[i - 1] ?? 0)));
  assert.deepEqual(outbox.counts(), [['given-up', 1]]);
});

test('after three permanent refusals an address gets no reports for a month', async () => {
  const { store, outbox } = await opened({ spreadMs: 0 });
  const day = (n: number): number => monday + n * DAY;
  for (let n = 0; n < 4; n++) {
    countSessions(store, [event('a.example', day(n))]);
    await outbox.close(day(n + 1) + HOUR);
    for (const due of outbox.due(Infinity, 9))
      await outbox.settle(
        due,
        { delivered: false, failure: trouble.make('never') },
        day(n + 1) + HOUR,
      );
  }
  assert.deepEqual(outbox.counts(), [
    ['left-in-peace', 1],
    ['refused', 3],
  ]);
  countSessions(store, [event('a.example', day(40))]);
  await outbox.close(day(41) + HOUR);
  assert.equal(outbox.due(Infinity, 9).length, 1);
});

// [8460-7-1, 8460-7-6]
test('a receiver of many domains gets ten reports a day, also under other names', async () => {
  const domains = testSize(10_000, 100_000);
  const { store, outbox } = await opened({ spreadMs: 0 });
  const events = Array.from({ length: domains }, (_, i) =>
    event(
      `d${i}.example`,
      monday,
      {},
      undefined,
      i % 2 === 0 ? 'mailto:r@victim.test' : `https://x${i}.victim.test/`,
    ),
  );
  for (let i = 0; i < events.length; i += 5000) countSessions(store, events.slice(i, i + 5000));
  assert.equal(await outbox.close(monday + DAY + HOUR), domains);
  assert.equal(outbox.due(Infinity, 1000).length, 10);
  // The next UTC day has a separate limit of ten.
  countSessions(store, [event('e.example', monday + DAY, {}, undefined, 'mailto:r@victim.test')]);
  await outbox.close(monday + 2 * DAY + HOUR);
  assert.equal(outbox.due(Infinity, 1000).length, 11);
});

test('a configured receiver may get more', async () => {
  const { store, outbox } = await opened({ receivers: { 'service.test': 50 } });
  countSessions(
    store,
    Array.from({ length: 60 }, (_, i) =>
      event(`d${i}.example`, monday, {}, undefined, 'mailto:r@in.service.test'),
    ),
  );
  await outbox.close(monday + DAY + HOUR);
  assert.equal(outbox.due(Infinity, 100).length, 50);
});

test('varying replies of a server fill no disk, and every session counts', async () => {
  const { store, outbox } = await opened();
  const events = Array.from({ length: 3000 }, (_, i) =>
    event('a.example', monday, { policyString: [`line ${i % 100}`] }, `helo${i}`),
  );
  countSessions(store, events);
  const [preview] = previewReports(store, reporter, 'a.example');
  assert.equal(preview?.state, 'counting');
  await outbox.close(monday + DAY + HOUR);
  const [due] = outbox.due(Infinity, 1);
  assert.ok(due && due.body.length < 500_000, `${due?.body.length}`);
  assert.deepEqual(totals([due.body]), { ok: 0, failed: 3000, details: 3000 });
  assert.deepEqual(previewReports(store, reporter)[0]?.destinations[0]?.state, 'waiting');
});

test('text unfit for a report is omitted, and the counts stay', async () => {
  const { store, outbox } = await opened();
  countSessions(store, [
    event('a.example', monday, { policyString: ['a\u0007b'], mxHost: ['not a host'] }, 'helo'),
  ]);
  await outbox.close(monday + DAY + HOUR);
  assert.deepEqual(totals(outbox.due(Infinity, 1).map((d) => d.body)), {
    ok: 0,
    failed: 1,
    details: 1,
  });
});

test('[8460-3-23] three addresses of a record are used, decoded, invalid ones never', () => {
  const uris = [
    'mailto:a%2Cb@x.example?subject=x',
    'https://x.example/a?b',
    'mailto:%0d%0a@x.example',
    'mailto:c@y.example',
    'mailto:d@z.example',
  ];
  assert.deepEqual(
    destinationsOf(`v=TLSRPTv1; rua=${uris.join(',')}`).map((d) =>
      d.kind === 'mail' ? d.address : `${d.host}:${d.port}${d.path}`,
    ),
    ['x.example:443/a?b', 'c@y.example', 'd@z.example'],
  );
  assert.deepEqual(
    destinationsOf('v=TLSRPTv1; rua=mailto:a%21b@x.example').map(
      (d) => d.kind === 'mail' && d.address,
    ),
    ['a!b@x.example'],
  );
  assert.deepEqual(destinationsOf('v=TLSRPTv1; rua=https://user@x.example/'), []);
});
