import type { TestDetail, TestPolicy, TestReport } from './support/report/reports.js';
import {
  dateOf,
  policyTypes as all,
  SessionBook,
  someTypes,
  type PolicyType,
  type Quoted,
} from './session-book.js';
import { Dice } from '../tools/dice.js';
import { keyOf, monthDays } from '../tools/report-faults.js';
import type { Cause, FaultKind, Month } from '../tools/report-faults.js';

/**
 * A second generator of months, independent of `tools/report-month.ts`: sessions have a
 * time of day. Faults last from a few hours to the end of the month and may affect one
 * address family. Noise has any result type and occurs in bursts. Reporters use different
 * result types for one fault, or omit addresses, hosts, counts or details.
 */

interface Reporter {
  readonly name: string;
  readonly types: readonly PolicyType[];
  /** Maximum number of sessions on a day. */
  readonly volume: number;
  /** Share of sessions over IPv6. */
  readonly v6: number;
  /** Hours of the day in which the reporter sends mail. */
  readonly hours: readonly [number, number];
  readonly noise: number;
  readonly detail: 'full' | 'no-address' | 'no-host' | 'coarse' | 'none' | 'uncounted';
  /** Days for which it caches a policy. */
  readonly cache: number;
  /** The choice among the result types of one fault, constant for the whole month. */
  readonly taste: number;
  readonly networks: readonly string[];
  /** A day on which the reporter's own network fails. */
  readonly outage: number;
}

interface Attempt {
  readonly reporter: Reporter;
  readonly type: PolicyType;
  readonly host: string;
  readonly v6: boolean;
  readonly network: string;
}

interface FaultScope {
  readonly victim: Reporter;
  readonly broken: string;
  readonly family: 'both' | 'v4' | 'v6';
}

interface Fault {
  readonly kind: FaultKind;
  readonly cause: Cause;
  readonly types: readonly PolicyType[];
  /** The result types with which reporters report the fault. */
  readonly results: readonly string[];
  readonly meets: (attempt: Attempt, scope: FaultScope) => boolean;
}

const atHost = ({ host, v6 }: Attempt, { broken, family }: FaultScope): boolean =>
  host === broken && (family === 'both' || (family === 'v6') === v6);
const ofVictim = ({ reporter }: Attempt, { victim }: FaultScope): boolean => reporter === victim;
const onPath = ({ reporter, network }: Attempt, { victim }: FaultScope): boolean =>
  reporter === victim && network === victim.networks[0];
const always = (): boolean => true;

const tlsaResults = ['tlsa-invalid', 'validation-failure', 'certificate-not-trusted'];
const trustResults = ['certificate-not-trusted', 'validation-failure'];
const nameResults = ['certificate-host-mismatch', 'validation-failure', 'certificate-not-trusted'];
const dateResults = ['certificate-expired', 'validation-failure', 'certificate-not-trusted'];
const fetchResults = ['sts-policy-fetch-error'];

// prettier-ignore
const faults: readonly Fault[] = [
  { kind: 'certificate expired', cause: 'yours', types: ['sts'], results: dateResults, meets: atHost },
  { kind: 'certificate of another name', cause: 'yours', types: ['sts'], results: nameResults, meets: atHost },
  { kind: 'chain incomplete', cause: 'yours', types: ['sts'], results: trustResults, meets: atHost },
  { kind: 'TLSA record stale', cause: 'yours', types: ['tlsa'], results: tlsaResults, meets: atHost },
  { kind: 'DNSSEC broken', cause: 'yours', types: ['tlsa'], results: ['dnssec-invalid', 'validation-failure'], meets: always },
  { kind: 'STARTTLS off', cause: 'yours', types: all, results: ['starttls-not-supported'], meets: atHost },
  { kind: 'MX host missing from policy', cause: 'yours', types: ['sts'], results: nameResults.slice(0, 2), meets: ({ host }) => host === 'mx2.alpha.example' },
  { kind: 'policy host down', cause: 'yours', types: ['sts'], results: fetchResults, meets: always },
  { kind: 'policy malformed', cause: 'yours', types: ['sts'], results: ['sts-policy-invalid', 'sts-policy-fetch-error'], meets: always },
  { kind: 'policy host certificate', cause: 'yours', types: ['sts'], results: ['sts-webpki-invalid', 'sts-policy-fetch-error'], meets: always },
  { kind: 'clock of the reporter', cause: 'theirs', types: ['sts'], results: dateResults, meets: ofVictim },
  { kind: 'trust store of the reporter', cause: 'theirs', types: ['sts'], results: trustResults, meets: ofVictim },
  { kind: 'resolver of the reporter', cause: 'theirs', types: ['tlsa'], results: ['dnssec-invalid', 'validation-failure'], meets: ofVictim },
  { kind: 'proxy of the reporter', cause: 'theirs', types: ['sts'], results: ['sts-policy-fetch-error', 'sts-webpki-invalid'], meets: ofVictim },
  { kind: 'STARTTLS stripped', cause: 'path', types: all, results: ['starttls-not-supported'], meets: onPath },
  { kind: 'certificate swapped', cause: 'path', types: ['sts', 'tlsa'], results: trustResults, meets: onPath },
  { kind: 'policy fetch blocked', cause: 'path', types: ['sts'], results: [...fetchResults, 'sts-webpki-invalid'], meets: ofVictim },
  { kind: 'none', cause: 'none', types: all, results: ['validation-failure'], meets: () => false },
];

const noiseResults = [
  'validation-failure',
  'validation-failure',
  'starttls-not-supported',
  'certificate-not-trusted',
  'certificate-expired',
] as const;

/** Simulates one month. */
export function playHarshMonth(seed: number): Month {
  const dice = new Dice(seed ^ 0x5bd1e995);
  const fault = dice.pick(faults);
  const reporters = Array.from({ length: dice.int(2, 6) }, (_, n) => someReporter(dice, n));
  const twoHosts = fault.kind === 'MX host missing from policy' || dice.chance(0.5);
  const hosts = twoHosts ? ['mx1.alpha.example', 'mx2.alpha.example'] : ['mx1.alpha.example'];
  const scope: FaultScope = {
    victim: dice.pick(reporters),
    broken: dice.pick(hosts),
    family: dice.pick(['both', 'both', 'both', 'v4', 'v6']),
  };
  const dual = scope.family !== 'both' || dice.chance(0.3);
  const start = dice.int(2 * 24, 22 * 24);
  const length = dice.pick([dice.int(3, 14), 24, 24 * dice.int(2, 7), 24 * 28]);
  const isOn = (hour: number): boolean => hour >= start && hour < start + length;
  const caused = new Set<string>();
  const met = new Set<string>();
  const reports: TestReport[] = [];
  const mode = dice.pick(['enforce', 'testing']);
  for (const reporter of reporters) {
    let cachedUntil = -1;
    for (let day = 0; day < monthDays; day++) {
      const book = new Book(reporter);
      const sessions = dice.chance(0.9) ? dice.int(0, reporter.volume) : 0;
      let [fetched, failedFetch] = [false, ''];
      for (let n = 0; n < sessions; n++) {
        const hour = day * 24 + dice.int(...reporter.hours);
        const v6 = dual && dice.chance(reporter.v6);
        const network = dice.pick(reporter.networks);
        const host = dice.pick(hosts);
        for (const type of reporter.types) {
          const attempt: Attempt = { reporter, type, host, v6, network };
          const concerned = fault.types.includes(type) && fault.cause !== 'none';
          if (concerned && isOn(hour)) met.add(reporter.name);
          const hit = concerned && isOn(hour) && fault.meets(attempt, scope);
          const result = fault.results[reporter.taste % fault.results.length] ?? '';
          const isFetch = result.startsWith('sts-');
          if (type === 'sts' && isFetch && hit && !fetched && cachedUntil < day) {
            failedFetch = result;
            book.fail(attempt, result, true);
          } else if (type === 'sts' && isFetch && hit && failedFetch === '' && dice.chance(0.2)) {
            // A refresh before the cached policy expires does not affect the session.
            failedFetch = result;
            book.fail(attempt, result, true);
          } else if (hit && !isFetch) book.fail(attempt, result, true);
          else if (day === reporter.outage && dice.chance(0.5))
            book.fail(attempt, 'validation-failure', false);
          else if (dice.chance(reporter.noise)) book.fail(attempt, dice.pick(noiseResults), false);
          else {
            if (type === 'sts' && cachedUntil < day) {
              fetched = true;
              cachedUntil = day + reporter.cache;
            }
            book.succeed(attempt);
          }
        }
      }
      if (sessions === 0 || dice.chance(0.05)) continue;
      for (const key of book.caused) caused.add(key);
      const date = dateOf(day);
      const isMissing = fault.kind === 'MX host missing from policy' && isOn(day * 24 + 12);
      const mx = isMissing ? ['mx1.alpha.example'] : hosts;
      reports.push({
        reporter: reporter.name,
        day: date,
        id: date,
        policies: book.policies({
          mode,
          mx: reporter.taste === 2 ? [] : mx,
          maxAge: reporter.cache * 86_400,
        }),
      });
    }
  }
  return {
    fault: fault.kind,
    cause: fault.cause,
    from: Math.floor(start / 24),
    to: Math.min(monthDays - 1, Math.floor((start + length - 1) / 24)),
    hosts,
    mode,
    reports,
    caused,
    samePolicy: met.size,
    checks: [],
  };
}

function someReporter(dice: Dice, n: number): Reporter {
  const from = dice.pick([0, 0, 6, 9, 15]);
  return {
    name: `sender${n}.example`,
    types: someTypes(dice),
    volume: dice.pick([1, 3, 10, 60, 200]),
    v6: dice.pick([0, 0, 0.5, 1]),
    hours: [from, dice.pick([from, Math.min(23, from + 6), 23])],
    noise: dice.pick([0, 0.002, 0.01, 0.03]),
    detail: dice.pick(['full', 'full', 'no-address', 'no-host', 'coarse', 'none', 'uncounted']),
    cache: dice.pick([1, 1, 7, 30]),
    taste: dice.int(0, 2),
    networks: dice
      .pick([['198.51.100.7'], ['198.51.100.7'], ['198.51.100.7', '203.0.113.9']])
      .map((ip) => ip.replace(/^\d+/, String(60 + n))),
    outage: dice.chance(0.15) ? dice.int(0, monthDays - 1) : -1,
  };
}

/**
 * Counts the sessions of one reporter on one day, and describes them in the reporter's
 * style.
 */
class Book {
  readonly caused: string[] = [];
  readonly #reporter: Reporter;
  readonly #sessions = new SessionBook();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  succeed({ type, host }: Attempt): void {
    this.#sessions.succeed(type, host);
  }

  fail({ type, host, v6, network }: Attempt, result: string, isCaused: boolean): void {
    const { detail, name } = this.#reporter;
    this.#sessions.fail(type, host);
    const isFetch = result.startsWith('sts-');
    const mx = isFetch || detail === 'no-host' || detail === 'coarse' ? '' : host;
    const shown = detail === 'coarse' && !isFetch ? 'validation-failure' : result;
    const hasAddress = !isFetch && (detail === 'full' || detail === 'uncounted');
    const entry: TestDetail = {
      result: shown,
      mx: mx === '' ? undefined : mx,
      ip: hasAddress ? addressOf(v6) : undefined,
      from: hasAddress ? network : undefined,
    };
    this.#sessions.describe(type, host, entry);
    if (!isCaused) return;
    const base = mx === '' && type === 'tlsa' ? host : mx;
    const none = {
      reporter: name,
      type,
      result: 'not-described',
      host: type === 'tlsa' ? host : '',
    };
    if (detail !== 'none')
      this.caused.push(keyOf({ reporter: name, type, result: shown, host: base }));
    if (detail === 'none' || detail === 'uncounted') this.caused.push(keyOf(none));
  }

  policies(quoted: Quoted): readonly TestPolicy[] {
    const { detail } = this.#reporter;
    return this.#sessions.policies(quoted).map(({ details = [], ...policy }) => {
      const counted = details.map((one) =>
        detail === 'uncounted' ? { ...one, count: undefined } : one,
      );
      return { ...policy, details: detail === 'none' ? undefined : counted };
    });
  }
}

function addressOf(v6: boolean): string {
  return v6 ? '2001:db8::7' : '192.0.2.7';
}
