import assert from 'node:assert/strict';
import test from 'node:test';
import { type Clock } from '../../src/base/index.js';
import { check } from '../../src/check/index.js';
import type { DeliveryOutcome } from '../../src/evidence/index.js';
import { LabDns, LabNetwork, mailServer, PolicyHost, stripStarttls } from '../../src/lab/index.js';
import { memoryStsCache, type StsCache } from '../../src/mta-sts/index.js';
import type { Network } from '../../src/net/index.js';
import { createCa, generateKey, issue } from '../../src/pki/index.js';
import {
  openReports,
  renderDomain,
  showDomain,
  storeCheck,
  storeReports,
  type DomainView,
} from '../../src/tls-rpt-receive/index.js';
import { createSender } from '../../src/send/index.js';
import { judgeTrust } from '../../src/tls-rpt-receive/verify/judge-trust.js';
import {
  formatReport,
  mergePolicies,
  parseReport,
  type ReportedPolicy,
} from '../../src/tls-rpt/index.js';
import { parseCertificate, trustStore } from '../../src/x509/index.js';
import { systemClockAt } from '../support/fake-clock.js';

const at = (text: string): number => Date.parse(text);
const places = {
  dns: '192.0.2.53',
  web: '203.0.113.10',
  mx1: '198.51.100.1',
  mx2: '198.51.100.2',
  tap1: '198.51.100.201',
  tap2: '198.51.100.202',
};
const key = generateKey('p256');
const valid = { notBefore: at('2026-01-01T00:00:00Z'), notAfter: at('2027-12-31T00:00:00Z') };
const root = createCa({ name: 'Week Root', ...valid });
const anchor = parseCertificate(root.der);
assert.ok(anchor.ok);
const roots = trustStore([anchor.value]);

interface Day {
  readonly date: string;
  readonly renewed?: boolean;
  readonly policyMx: readonly string[];
  readonly id: string;
}

const both = ['mx1.rcpt.example', 'mx2.rcpt.example'];
/**
 * Monday to Friday: the certificate of mx1 expires on Tuesday and is renewed on Wednesday
 * night, Thursday's policy omits mx2, on Friday an attacker strips STARTTLS.
 */
const week: readonly Day[] = [
  { date: '2026-11-23', policyMx: both, id: 'mon' },
  { date: '2026-11-24', policyMx: both, id: 'mon' },
  { date: '2026-11-25', policyMx: both, id: 'mon' },
  { date: '2026-11-26', renewed: true, policyMx: ['mx1.rcpt.example'], id: 'thu' },
  { date: '2026-11-27', renewed: true, policyMx: both, id: 'fri' },
];
const senders = [
  { name: 'big.example', ip: '192.0.2.101' },
  { name: 'post.example', ip: '192.0.2.102' },
  { name: 'uni.example', ip: '203.0.113.77' },
];

const clockOf = (day: Day): Clock => systemClockAt(() => at(`${day.date}T12:00:00Z`));

/** Returns the simulated mail servers and DNS of one day. */
async function dayOf({
  date,
  renewed,
  policyMx,
  id,
}: Day): Promise<{ network: LabNetwork; dns: LabDns }> {
  const network = new LabNetwork();
  const until = renewed ? valid.notAfter : at('2026-11-24T06:00:00Z');
  const certificate = (name: string, notAfter = valid.notAfter): ReturnType<typeof issue> =>
    issue(root, { names: [name], key, notBefore: valid.notBefore, notAfter });
  for (const [place, name, notAfter] of [
    [places.mx1, 'mx1.rcpt.example', until],
    [places.mx2, 'mx2.rcpt.example', valid.notAfter],
  ] as const)
    await network.listenTcp(
      place,
      25,
      mailServer({ name, certificates: [certificate(name, notAfter)] }),
    );
  for (const [tap, place] of [
    [places.tap1, places.mx1],
    [places.tap2, places.mx2],
  ] as const) {
    const target = network.targetOf(place, 25);
    assert.ok(target);
    await network.listenTcp(tap, 25, stripStarttls(network.outside, target, 'remove'));
  }
  const web = new PolicyHost();
  const policy = [
    'version: STSv1',
    'mode: enforce',
    ...policyMx.map((mx) => `mx: ${mx}`),
    'max_age: 604800',
    '',
  ].join('\r\n');
  web.add('mta-sts.rcpt.example', { certificate: certificate('mta-sts.rcpt.example'), policy });
  await network.listenTcp(places.web, 443, web.serve);
  const records = [
    '@ MX 10 mx1',
    '@ MX 10 mx2',
    `mx1 A ${places.mx1}`,
    `mx2 A ${places.mx2}`,
    `_mta-sts TXT "v=STSv1; id=${id};"`,
    `mta-sts A ${places.web}`,
    '_smtp._tls TXT "v=TLSRPTv1; rua=https://reports.rcpt.example/tlsrpt"',
  ].join('\n');
  const dns = new LabDns(
    [
      { apex: '.', signed: { algorithm: 13 } },
      { apex: 'rcpt.example', records },
    ],
    at(`${date}T12:00:00Z`),
  );
  await dns.serveAt(network, places.dns);
  return { network, dns };
}

/**
 * Returns the network of one sender on Friday: an on-path attacker strips STARTTLS from
 * every connection.
 */
function tapped(network: Network): Network {
  const detours: Readonly<Record<string, string>> = {
    [places.mx1]: places.tap1,
    [places.mx2]: places.tap2,
  };
  return {
    ...network,
    exchange: (r) => network.exchange(r),
    dial: (r) => network.dial({ ...r, address: detours[r.address] ?? r.address }),
  };
}

/** Adds up the outcomes of a day (RFC 8460 §4). */
function sumUp(
  outcomes: readonly DeliveryOutcome[],
  sendingMtaIp: string,
): readonly ReportedPolicy[] {
  return mergePolicies(
    outcomes.flatMap(({ policies, attempts }) =>
      attempts.flatMap((attempt) =>
        attempt.results.map(({ policy, failure }): ReportedPolicy => {
          const { type, domain, strings, mxHosts } = policies[policy] as (typeof policies)[number];
          return {
            policyType: type,
            policyDomain: domain,
            policyString: strings,
            mxHost: mxHosts,
            totalSuccessfulSessionCount: failure ? 0 : 1,
            totalFailureSessionCount: failure ? 1 : 0,
            failureDetails: failure
              ? [
                  {
                    resultType: failure.resultType,
                    sendingMtaIp,
                    receivingMxHostname: attempt.host,
                    receivingMxHelo: undefined,
                    receivingIp: attempt.ip,
                    failedSessionCount: 1,
                    additionalInformation: undefined,
                    failureReasonCode: failure.code,
                  },
                ]
              : [],
          };
        }),
      ),
    ),
  );
}

let view: DomainView;
let screen: string;

test('a week of failures is sent, reported and received', async () => {
  const store = await openReports(':memory:');
  const caches = new Map<string, StsCache>();
  for (const day of week) {
    const { network, dns } = await dayOf(day);
    const clock = clockOf(day);
    let turn = 0;
    const lab = {
      upstreams: [{ address: places.dns, port: 53, label: 'lab' }],
      anchors: dns.anchors,
      trustStore: roots,
      clock,
      timeoutMs: 5000,
    };
    try {
      storeCheck(
        store,
        await check('rcpt.example', { ...lab, network, depth: 'triage', spacingMs: 0 }),
      );
      const morning = clock.now() + 12 * 3_600_000 + 600_000;
      for (const { name, ip } of senders) {
        const stsCache = caches.get(name) ?? memoryStsCache({ now: clock.now });
        caches.set(name, stsCache);
        const door =
          day.date === '2026-11-27' && name === 'uni.example' ? tapped(network) : network;
        const sender = createSender({
          ...lab,
          network: door,
          stsCache,
          helo: `out.${name}`,
          random: () => [0.1, 0.9, 0.9, 0.1][turn++ % 4] ?? 0,
        });
        const outcomes: DeliveryOutcome[] = [];
        for (let n = 0; n < 4; n++) {
          const connected = await sender.connect('rcpt.example');
          outcomes.push(connected.outcome);
          // [8460-3-1]
          assert.equal(connected.outcome.policies[0]?.tlsRpt.status, 'found');
          if (connected.ok) await connected.session.quit();
        }
        const report = formatReport({
          organizationName: name,
          startDatetime: `${day.date}T00:00:00Z`,
          endDatetime: `${day.date}T23:59:59Z`,
          contactInfo: `tlsrpt@${name}`,
          reportId: `${day.date}_rcpt.example`,
          policies: sumUp(outcomes, ip),
        });
        assert.ok(report.ok, report.ok ? '' : report.failure.detail);
        const raw = Buffer.from(report.value);
        const parsed = parseReport(raw);
        assert.ok(parsed.ok);
        const reading = judgeTrust({ name, via: 'file', raw, parsed }, { at: morning });
        storeReports(store, [{ reading, parsed: parsed.value, receivedAt: morning }]);
      }
    } finally {
      await network.close();
    }
  }
  view = showDomain(store, 'rcpt.example', { now: at('2026-11-28T09:00:00Z'), days: 7 });
  screen = renderDomain(view);
  if (process.env['HERMETIC_SHOW']) console.log(screen);
  store.close();
});

const failure = (result: string, host: string): DomainView['failures'][number] => {
  const found = view.failures.find((f) => f.result === result && f.host === host);
  assert.ok(
    found,
    `${result} at ${host} in ${view.failures.map((f) => `${f.result} at ${f.host}`).join(', ')}`,
  );
  return found;
};

test('Tuesday: the expired certificate with host, date, owner and renewal command', () => {
  const expired = failure('certificate-expired', 'mx1.rcpt.example');
  assert.equal(expired.since, '2026-11-24');
  assert.equal(expired.last, '2026-11-25');
  assert.equal(expired.ongoing, false);
  assert.equal(expired.whose, 'yours');
  assert.equal(expired.fate, 'kept-back');
  assert.deepEqual(expired.reporters, ['big.example', 'post.example', 'uni.example']);
  assert.equal(expired.certificate?.notAfter, '2026-11-24T06:00:00Z');
  assert.match(expired.todo.join('\n'), /certbot renew[^]*mx1\.rcpt\.example/);
});

test('Thursday: the policy omits a host; the report shows the line to add', () => {
  const forgotten = failure('validation-failure', 'mx2.rcpt.example');
  assert.deepEqual(
    [forgotten.since, forgotten.last, forgotten.whose],
    ['2026-11-26', '2026-11-26', 'yours'],
  );
  assert.match(forgotten.todo.join('\n'), /mx: mx2\.rcpt\.example/);
  assert.match(
    view.timeline.find((d) => d.day === '2026-11-26')?.changes.join() ?? '',
    /- mx: mx2\.rcpt\.example/,
  );
});

test('Friday: missing STARTTLS for one network on one day proves no cause', () => {
  const stripped = failure('starttls-not-supported', 'mx1.rcpt.example');
  assert.deepEqual(
    [stripped.since, stripped.ongoing, stripped.whose],
    ['2026-11-27', true, 'unclear'],
  );
  assert.deepEqual(stripped.reporters, ['uni.example']);
  assert.deepEqual(stripped.networks, ['203.0.113.0/24']);
  assert.match(stripped.because, /at this reporter, or between the reporter and you/);
  assert.match(stripped.todo[0] ?? '', /^Check the domain now/);
});

test('the screen shows each fault within 80 columns, and no advice weakens a policy', () => {
  for (const line of screen.split('\n')) assert.ok(line.length <= 80, line);
  for (const word of [
    'mx1.rcpt.example',
    'YOUR DOMAIN',
    'UNCLEAR',
    'Tue 24 Nov',
    'Thu 26 Nov',
    'Fri 27 Nov',
  ])
    assert.ok(screen.includes(word), word);
  assert.doesNotMatch(screen, /mode: (testing|none)|TLSA .*remove|switch off/i);
});
