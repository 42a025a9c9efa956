import assert from 'node:assert/strict';
import test from 'node:test';
import {
  awaitsConfirmation,
  decideAlarms,
  emptyState,
  watchStateSchema,
  type WatchAlarm,
} from '../../src/watch/index.js';
import { testSize } from '../support/test-size.js';
import {
  allOf,
  atDomain,
  atHost,
  healthyResult,
  hidden,
  noTlsa,
  policyMode,
  unsigned,
  type Plant,
} from '../support/watch-results.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2027-01-01T00:00:00Z');
/** The long form is a whole year with a check of each domain every twelve hours. */
const DAYS = testSize(120, 365);
const EVERY = testSize(24, 12) * HOUR;
const SEEDS = Array.from({ length: testSize(1, 10) }, (_, index) => index + 1);
const domains = Array.from({ length: 30 }, (_, n) => `d${n}.example`);

/** A span of time in milliseconds since 1970. The end is exclusive. */
interface Span {
  readonly from: number;
  readonly until: number;
}

/**
 * An injected fault: the rule that reports it, the change that it makes to the check
 * result, and its period.
 */
interface Injected extends Span {
  readonly rule: string;
  readonly plant: Plant;
  readonly domain: string;
  /** Whether the watch reports neither the start nor the end of the fault. */
  readonly isUnreported?: boolean;
}

/** Returns the instant after this share of the simulated time. */
const share = (part: number): number => START + part * DAYS * DAY;

const noRoute: Plant = (result) => ({
  ...result,
  route: { kind: 'none', dnssec: 'secure' },
  hosts: [],
});
const noReports: Plant = (result) => ({
  ...result,
  tlsRpt: { status: 'absent', rua: [], problems: [] },
});

/**
 * Twenty kinds of faults: of servers, certificates, DANE, policies and DNS, and timeouts.
 */
const kinds: readonly (readonly [rule: string, plant: Plant])[] = [
  ['starttls-absent', atHost('starttls-absent')],
  ['route-lost', noRoute],
  ['starttls-refused', atHost('starttls-refused')],
  ['tls-handshake-failed', atHost('tls-handshake-failed', 'fail', 'tls-version')],
  ['tls-broken-version', atHost('tls-broken-version', 'fail', 'tls-version')],
  ['tls-old-version', atHost('tls-old-version', 'warn', 'tls-version')],
  ['cert-expiry', atHost('cert-expired', 'fail', 'certificate')],
  ['cert-unknown-ca', atHost('cert-unknown-ca', 'fail', 'certificate')],
  ['cert-name-mismatch', atHost('cert-name-mismatch', 'fail', 'certificate')],
  ['dane-mismatch', atHost('dane-mismatch', 'fail', 'dane')],
  ['mx-unreachable', atHost('mx-unreachable', 'warn', 'mx')],
  ['sts-policy-unreachable', allOf(policyMode(undefined), atDomain('sts-policy-unreachable'))],
  ['sts-mx-mismatch', atDomain('sts-mx-mismatch', 'fail', 'mta-sts')],
  ['sts-weaker', policyMode('testing')],
  ['sts-weaker', policyMode('none')],
  ['dane-lost', noTlsa],
  ['dnssec-lost', allOf(unsigned, noTlsa)],
  ['dnssec-bogus', atDomain('dnssec-bogus', 'fail', 'dnssec')],
  ['tlsrpt-lost', noReports],
  ['not-seen', hidden()],
];

/** Returns a generator of random numbers from 0 to 1, determined by a seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The outage of this machine, which lasts five days. */
const outage: Span = { from: share(0.55), until: share(0.55) + 5 * DAY };
/** Announced maintenance of the domains d24 to d29. */
const maintenance: Span = { from: share(0.3), until: share(0.3) + 4 * DAY };
const inMaintenance = (domain: string, now: number): boolean =>
  /^d2[4-9]\./.test(domain) && maintenance.from <= now && now < maintenance.until;

interface YearOptions {
  readonly seed: number;
  readonly hasOutage?: boolean;
  /** Milliseconds of clock error on this machine, as a function of the true time. */
  readonly clockError?: (now: number) => number;
}

/**
 * Returns a year of checks on a virtual clock: every domain at its interval with jitter,
 * and earlier if a result needs confirmation. One check in fifty is inconclusive, and one
 * in fifty reports a fault that does not exist. Each check reads the stored state, as
 * after a restart.
 */
function simulateYear(
  injected: readonly Injected[],
  { seed, hasOutage = false, clockError = () => 0 }: YearOptions,
): readonly WatchAlarm[] {
  const random = dice(seed);
  let state = emptyState;
  const results = new Map(domains.map((domain) => [domain, healthyResult(domain)]));
  const next = new Map(domains.map((domain) => [domain, START + random() * EVERY]));
  const alarms: WatchAlarm[] = [];
  const last = new Map<string, boolean>();
  for (let checks = 0; ; checks++) {
    const [domain, now] = [...next].reduce((a, b) => (b[1] < a[1] ? b : a));
    if (now > share(1)) return alarms;
    const plants = injected.filter((f) => f.domain === domain && f.from <= now && now < f.until);
    const inOutage = hasOutage && outage.from <= now && now < outage.until;
    // Two consecutive glitches would count as a fault, so a glitch only follows a check
    // without faults.
    const glitch = !inOutage && last.get(domain) !== true && random() < 0.04;
    last.set(domain, glitch);
    const real = plants.reduce(
      (result, { plant }) => plant(result),
      results.get(domain) ?? healthyResult(domain),
    );
    const transient = random() < 0.5 ? hidden() : atHost('starttls-intermittent');
    const seen = glitch ? transient(real) : real;
    const result = inOutage ? hidden(random() < 0.5)(real) : seen;
    const silent = inMaintenance(domain, now);
    const decided = decideAlarms(state, { domain, result, silent }, now + clockError(now));
    state =
      checks % 20 === 0
        ? watchStateSchema.parse(JSON.parse(JSON.stringify(decided.state)))
        : decided.state;
    alarms.push(...decided.alarms);
    const pause = awaitsConfirmation(state, domain) ? HOUR / 6 : EVERY;
    next.set(domain, now + pause * (0.9 + 0.2 * random()));
  }
}

/** Returns one fault of each kind, at a separate domain, for 8 to 30 days. */
function inject(seed: number): readonly Injected[] {
  const random = dice(seed);
  return kinds.map(([rule, plant], n) => {
    const from = share(0.03 + random() * 0.2);
    return { rule, plant, domain: `d${n}.example`, from, until: from + (8 + random() * 22) * DAY };
  });
}

/**
 * Returns the faults in orders that would reveal errors of the state machine, at the
 * domains without a fault from `inject`.
 */
function injectHard(): readonly Injected[] {
  const fault = (domain: string, kind: number, span: Span, isUnreported = false): Injected => {
    const [rule = '', plant = hidden()] = kinds[kind] ?? [];
    return { rule, plant, domain, ...span, isUnreported };
  };
  const { from, until } = maintenance;
  return [
    // The second fault of one domain begins and ends while the first one lasts.
    fault('d20.example', 0, { from: share(0.1), until: share(0.1) + 20 * DAY }),
    fault('d20.example', 12, { from: share(0.1) + 5 * DAY, until: share(0.1) + 12 * DAY }),
    // The second fault begins when the first one ends.
    fault('d21.example', 9, { from: share(0.1), until: share(0.1) + 10 * DAY }),
    fault('d21.example', 7, { from: share(0.1) + 10 * DAY, until: share(0.1) + 20 * DAY }),
    // One fault begins within the outage, and one ends within it.
    fault('d22.example', 8, { from: outage.from + DAY, until: outage.until + 9 * DAY }),
    fault('d23.example', 17, { from: outage.from - 9 * DAY, until: outage.from + 2 * DAY }),
    // Faults that begin within the maintenance, outlast it, begin before it, or are
    // entirely within it.
    fault('d24.example', 0, { from: from + 2 * HOUR, until: until - 2 * HOUR }, true),
    fault('d25.example', 2, { from: from + DAY, until: until + 9 * DAY }),
    fault('d26.example', 3, { from: from - 9 * DAY, until: from + 2 * DAY }),
    fault('d27.example', 19, { from: from + 2 * HOUR, until: until - 2 * HOUR }, true),
    fault('d28.example', 19, { from: from + DAY, until: until + 9 * DAY }),
    // The same fault occurs twice.
    fault('d29.example', 4, { from: share(0.4), until: share(0.4) + 8 * DAY }),
    fault('d29.example', 4, { from: share(0.7), until: share(0.7) + 8 * DAY }),
  ];
}

const short = ({ kind, domain, rule }: WatchAlarm): string => `${domain} ${kind} ${rule}`;

function expectedOf(injected: readonly Injected[]): readonly string[] {
  return injected
    .filter(({ isUnreported }) => isUnreported !== true)
    .flatMap(({ domain, rule }) => [`${domain} added ${rule}`, `${domain} ended ${rule}`]);
}

const own = ['this machine added cannot-see', 'this machine ended cannot-see'];

function assertYear(alarms: readonly WatchAlarm[], expected: readonly string[]): void {
  assert.deepEqual(alarms.map(short).sort(), [...expected].sort());
  assert.equal(new Set(alarms.map(({ id }) => id)).size, alarms.length);
  for (const { kind, todo } of alarms) assert.equal(todo.length, Number(kind === 'added'));
}

for (const seed of SEEDS) {
  test(`a year without a fault has no alarm (seed ${seed})`, () => {
    assertYear(simulateYear([], { seed }), []);
  });

  test(`20 faults and those in hard orders are one alarm and one end each (seed ${seed})`, () => {
    const injected = [...inject(seed), ...injectHard()];
    const alarms = simulateYear(injected, { seed, hasOutage: true });
    assertYear(alarms, [...expectedOf(injected), ...own]);
  });

  test(`a clock that jumps back changes no alarm (seed ${seed})`, () => {
    const injected = [...inject(seed), ...injectHard()];
    const clockError = (now: number): number => (now < share(0.15) ? 0 : -40 * DAY);
    assertYear(simulateYear(injected, { seed, clockError }), expectedOf(injected));
  });
}
