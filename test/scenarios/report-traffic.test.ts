import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { countSessions, type SessionEvent } from '../../src/tls-rpt-send/index.js';
import type { Store } from '../../src/store/index.js';
import { DAY, HOUR, party, start, time, world } from './report-parties.js';

/**
 * One session: the kind of its policy, its host and, after a failure, its result type.
 */
interface Session {
  readonly domain: number;
  readonly policy: number;
  readonly result: string | undefined;
  readonly host: string;
  readonly ip: string | undefined;
  readonly reason: string | undefined;
  readonly hour: number;
}

const policies = [
  {
    policyType: 'sts',
    policyString: ['version: STSv1', 'mode: enforce', 'mx: *.b.example', 'max_age: 86400'],
    mxHost: ['*.b.example'],
  },
  {
    policyType: 'sts',
    policyString: ['version: STSv1', 'mode: testing', 'mx: mx1.b.example', 'max_age: 86400'],
    mxHost: ['mx1.b.example'],
  },
  { policyType: 'tlsa', policyString: [`3 1 1 ${'ab'.repeat(32)}`], mxHost: [] },
  { policyType: 'no-policy-found', policyString: [], mxHost: [] },
] as const;

const session: fc.Arbitrary<Session> = fc.record({
  domain: fc.integer({ min: 0, max: 2 }),
  policy: fc.integer({ min: 0, max: policies.length - 1 }),
  result: fc.option(
    fc.constantFrom(
      'starttls-not-supported',
      'certificate-expired',
      'validation-failure',
      'tlsa-invalid',
    ),
    {
      nil: undefined,
    },
  ),
  host: fc.constantFrom('mx1.b.example', 'mx2.b.example'),
  ip: fc.option(fc.constantFrom('198.51.100.7', '2001:db8::7'), { nil: undefined }),
  reason: fc.option(
    fc.constantFrom('X509_V_ERR_CERT_HAS_EXPIRED', 'said "no"; ends', 'größer als'),
    { nil: undefined },
  ),
  hour: fc.integer({ min: 0, max: 23 }),
});

function eventOf(
  { policy, result, host, ip, reason, hour }: Session,
  domain: string,
  midnight: number,
  rua: string,
): SessionEvent {
  return {
    at: midnight + hour * HOUR,
    domain,
    record: `v=TLSRPTv1; rua=${rua}`,
    policy: {
      ...(policies[policy] as (typeof policies)[number]),
      policyDomain: domain,
      totalSuccessfulSessionCount: result === undefined ? 1 : 0,
      totalFailureSessionCount: result === undefined ? 0 : 1,
      failureDetails:
        result === undefined
          ? []
          : [
              {
                resultType: result,
                sendingMtaIp: '192.0.2.25',
                receivingMxHostname: host,
                receivingMxHelo: undefined,
                receivingIp: ip,
                failedSessionCount: 1,
                additionalInformation: undefined,
                failureReasonCode: reason,
              },
            ],
    },
  };
}

/**
 * Returns the sums of the received sessions, with one line for each policy and each
 * failure.
 */
function received(store: Store, domain: string, day: number): readonly string[] {
  const sums = store
    .prepare<{ line: string }>(
      `SELECT p.type || ' ' || p.mode || ' ' || sum(p.ok) || ' ' || sum(p.failed) AS line FROM report_policy p
       WHERE domain = ? AND day = ? AND counted = 1 GROUP BY p.type, p.mode
       UNION ALL
       SELECT type || ' ' || mode || ' ' || result || ' ' || mx || ' ' || ip || ' ' || reason || ' ' || sum(failed) FROM report_failure
       WHERE domain = ? AND day = ? AND counted = 1 GROUP BY type, mode, result, mx, ip, reason`,
    )
    .all(domain, day, domain, day);
  const days = store
    .prepare<{ line: string }>(
      "SELECT 'day ' || type || ' ' || ok || ' ' || failed AS line FROM report_day WHERE domain = ? AND day = ?",
    )
    .all(domain, day);
  return [...sums, ...days].map(({ line }) => line).sort();
}

/** Returns the expected result: the same sessions, counted one by one. */
function bruteForce(sessions: readonly Session[]): readonly string[] {
  const sums = new Map<string, [ok: number, failed: number]>();
  const failures = new Map<string, number>();
  for (const { policy, result, host, ip = '', reason = '' } of sessions) {
    const { policyType, policyString } = policies[policy] as (typeof policies)[number];
    const mode = policyString[1]?.slice('mode: '.length) ?? '';
    for (const key of [`${policyType} ${mode}`, `day ${policyType}`]) {
      const [ok, failed] = sums.get(key) ?? [0, 0];
      sums.set(key, result === undefined ? [ok + 1, failed] : [ok, failed + 1]);
    }
    if (result === undefined) continue;
    const key = `${policyType} ${mode} ${result} ${host} ${ip} ${reason}`;
    failures.set(key, (failures.get(key) ?? 0) + 1);
  }
  return [
    ...[...sums].map(([key, [ok, failed]]) => `${key} ${ok} ${failed}`),
    ...[...failures].map(([key, n]) => `${key} ${n}`),
  ].sort();
}

const ways = {
  https: 'https://reports.b.example/tlsrpt',
  mail: 'mailto:tlsrpt@in.b.example',
  both: 'mailto:tlsrpt@in.b.example,https://reports.b.example/tlsrpt',
} as const;

test(
  'random traffic reported over HTTPS, mail or both arrives unchanged',
  { timeout: 240_000 },
  async () => {
    time.now = start;
    const midnight = Math.floor(start / DAY - 1) * DAY;
    const { network, resolver } = await world(['a.example', 'b.example']);
    const a = await party('a.example', 10, network, resolver);
    const b = await party('b.example', 20, network, resolver);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(session, { minLength: 1, maxLength: 60 }),
        fc.constantFrom('https', 'mail', 'both'),
        fc.integer({ min: 1, max: 20 }),
        async (sessions, way, group) => {
          // All reports arrive at one receiver on one day, so each run has separate
          // domains.
          run++;
          const domainOf = (n: number): string => `r${run}-${n}.b.example`;
          const events = sessions.map((one) =>
            eventOf(one, domainOf(one.domain), midnight, ways[way]),
          );
          for (let i = 0; i < events.length; i += group)
            countSessions(a.store, events.slice(i, i + group));
          await a.round();
          for (const n of [0, 1, 2])
            assert.deepEqual(
              received(b.received, domainOf(n), midnight / DAY),
              bruteForce(sessions.filter((one) => one.domain === n)),
              way,
            );
        },
      ),
      { numRuns: 36, seed: 8460 },
    );
    const trusts = b.received
      .prepare<{ trust: string }>('SELECT DISTINCT trust FROM report ORDER BY trust')
      .all();
    assert.deepEqual(
      trusts.map((row) => row.trust),
      ['posted', 'signed'],
    );
    await network.close();
  },
);
