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
import type { Cause, Month } from '../tools/report-faults.js';

/**
 * A third generator of months, with cases that the other two generators omit. Reporters
 * report only failures, only on some weekdays, a day late, in two reports a day, in
 * duplicate, with half of the details, or with differently spelled names. The faults
 * concern one server behind an address, old TLS versions, forged MX records, and an MX
 * change that the policy does not follow.
 */

interface Reporter {
  readonly name: string;
  readonly types: readonly PolicyType[];
  readonly volume: number;
  /**
   * Whether the reporter reports only days with a failure, and omits successful sessions.
   */
  readonly failuresOnly: boolean;
  /** Days of the week without a report. */
  readonly silent: readonly number[];
  readonly noise: number;
  readonly detail: 'full' | 'half' | 'none' | 'no-host' | 'no-address' | 'vague';
  /** Whether the reporter writes names as `MX1.Alpha.Example.`. */
  readonly odd: boolean;
  readonly twice: boolean;
  /** Whether the reporter dates its reports one day late. */
  readonly late: boolean;
  readonly cache: number;
  /** The server that the reporter always reaches behind one address. */
  readonly server: number;
  /** Whether the reporter refuses TLS versions before 1.2. */
  readonly strict: boolean;
  readonly v6: boolean;
  readonly taste: number;
  readonly networks: readonly string[];
}

interface Attempt {
  readonly reporter: Reporter;
  readonly type: PolicyType;
  readonly host: string;
  readonly network: string;
}

interface Scope {
  readonly victim: Reporter;
  readonly broken: string;
}

interface Situation {
  readonly kind: string;
  readonly cause: Cause;
  readonly types: readonly PolicyType[];
  readonly results: readonly string[];
  readonly meets: (attempt: Attempt, scope: Scope) => boolean;
}

const atHost = ({ host }: Attempt, { broken }: Scope): boolean => host === broken;
const always = (): boolean => true;
const ofVictim = ({ reporter }: Attempt, { victim }: Scope): boolean => reporter === victim;
const onPath = ({ reporter, network }: Attempt, { victim }: Scope): boolean =>
  reporter === victim && network === victim.networks[0];
const onServer = ({ reporter, host }: Attempt, { broken }: Scope): boolean =>
  host === broken && reporter.server === 1;
const ofStrict = ({ reporter, host }: Attempt, { broken }: Scope): boolean =>
  host === broken && reporter.strict;
const atNewHost = ({ host }: Attempt): boolean => host === NEW_HOST;

const NEW_HOST = 'mx9.alpha.example';
const FORGED_HOST = 'mail.attacker.example';
const trust = ['certificate-not-trusted', 'validation-failure'];
const expired = ['certificate-expired', 'certificate-not-trusted', 'validation-failure'];
const noTls = ['starttls-not-supported'];
const fetch = ['sts-policy-fetch-error'];
const tls = ['validation-failure'];

// prettier-ignore
const situations: readonly Situation[] = [
  { kind: 'certificate expired', cause: 'yours', types: ['sts'], results: expired, meets: atHost },
  { kind: 'certificate expired everywhere', cause: 'yours', types: ['sts'], results: expired, meets: always },
  { kind: 'certificate expired at one server', cause: 'yours', types: ['sts'], results: expired, meets: onServer },
  { kind: 'self-signed at one server', cause: 'yours', types: ['sts'], results: trust, meets: onServer },
  { kind: 'STARTTLS off at one server', cause: 'yours', types: all, results: noTls, meets: onServer },
  { kind: 'old TLS versions only', cause: 'yours', types: all, results: tls, meets: ofStrict },
  { kind: 'TLSA record stale', cause: 'yours', types: ['tlsa'], results: ['tlsa-invalid', ...trust], meets: atHost },
  { kind: 'DNSSEC broken', cause: 'yours', types: ['tlsa'], results: ['dnssec-invalid', 'validation-failure'], meets: always },
  { kind: 'STARTTLS off', cause: 'yours', types: all, results: noTls, meets: always },
  { kind: 'MX change', cause: 'yours', types: ['sts'], results: ['validation-failure', 'certificate-host-mismatch'], meets: atNewHost },
  { kind: 'policy host down', cause: 'yours', types: ['sts'], results: fetch, meets: always },
  { kind: 'policy host certificate', cause: 'yours', types: ['sts'], results: ['sts-webpki-invalid', ...fetch], meets: always },
  { kind: 'policy malformed', cause: 'yours', types: ['sts'], results: ['sts-policy-invalid'], meets: always },
  { kind: 'clock of the reporter', cause: 'theirs', types: ['sts'], results: ['certificate-expired'], meets: ofVictim },
  { kind: 'trust store of the reporter', cause: 'theirs', types: ['sts'], results: trust, meets: ofVictim },
  { kind: 'resolver of the reporter', cause: 'theirs', types: ['tlsa'], results: ['dnssec-invalid'], meets: ofVictim },
  { kind: 'resolver and policy fetch', cause: 'theirs', types: ['sts'], results: fetch, meets: ofVictim },
  { kind: 'TLS library of the reporter', cause: 'theirs', types: all, results: tls, meets: ofVictim },
  { kind: 'STARTTLS stripped', cause: 'path', types: all, results: noTls, meets: onPath },
  { kind: 'certificate swapped', cause: 'path', types: ['sts', 'tlsa'], results: expired, meets: onPath },
  { kind: 'MX records forged', cause: 'path', types: ['sts'], results: ['validation-failure', 'certificate-host-mismatch'], meets: ofVictim },
  { kind: 'none', cause: 'none', types: all, results: tls, meets: () => false },
];

const noiseResults = [...tls, ...tls, ...tls, 'starttls-not-supported', 'certificate-not-trusted'];

/** Simulates one month. */
export function playForeignMonth(seed: number): Month {
  const dice = new Dice(seed ^ 0x2545f491);
  const situation = dice.pick(situations);
  const { kind, cause, types, results } = situation;
  const reporters = Array.from({ length: dice.int(2, 6) }, (_, n) => someReporter(dice, n));
  const hosts = Array.from({ length: dice.int(1, 3) }, (_, n) => `mx${n + 1}.alpha.example`);
  const scope: Scope = { victim: dice.pick(reporters), broken: dice.pick(hosts) };
  const from = dice.pick([0, dice.int(3, 10), dice.int(11, 22)]);
  const to = Math.min(monthDays - 1, from + dice.pick([2, 5, 9, monthDays]));
  const mode = dice.pick(['enforce', 'testing']);
  const hasWildcard = kind !== 'MX change' && dice.chance(0.3);
  const patterns = hasWildcard ? ['*.alpha.example'] : hosts;
  const caused = new Set<string>();
  const met = new Set<string>();
  const reports: TestReport[] = [];
  for (const reporter of reporters) {
    let cachedUntil = -1;
    for (let day = 0; day < monthDays; day++) {
      const isOn = day >= from && day <= to;
      const book = new Book(reporter);
      const sessions = dice.chance(0.95) ? dice.int(0, reporter.volume) : 0;
      for (let n = 0; n < sessions; n++) {
        const network = dice.pick(reporter.networks);
        const host = hostOf(dice, { kind, isOn, hosts, reporter, victim: scope.victim });
        for (const type of reporter.types) {
          const attempt: Attempt = { reporter, type, host, network };
          const isConcerned = isOn && types.includes(type) && cause !== 'none';
          if (isConcerned) met.add(reporter.name);
          const isHit = isConcerned && situation.meets(attempt, scope);
          const result = results[reporter.taste % results.length] ?? '';
          const isFetch = result.startsWith('sts-');
          // A cached policy stays in force. Some reports include a failed refresh.
          const isCached = isFetch && (cachedUntil >= day ? dice.chance(0.97) : false);
          if (isHit && !isCached) book.fail(attempt, result, true);
          else if (dice.chance(reporter.noise)) book.fail(attempt, dice.pick(noiseResults), false);
          else {
            if (type === 'sts' && cachedUntil < day) cachedUntil = day + reporter.cache;
            book.succeed(attempt);
          }
        }
      }
      const isSilent = reporter.silent.includes(day % 7) || dice.chance(0.04);
      if (sessions === 0 || isSilent || (reporter.failuresOnly && !book.hasFailures)) continue;
      for (const key of book.caused) caused.add(key);
      const date = dateOf(day + (reporter.late ? 1 : 0));
      const policies = book.policies({ mode, mx: patterns, maxAge: reporter.cache * 86_400 });
      const report: TestReport = { reporter: reporter.name, day: date, id: date, policies };
      reports.push(report);
      if (reporter.twice) reports.push(report);
    }
  }
  const isChecked = dice.chance(0.3);
  return {
    fault: kind,
    cause,
    from,
    to,
    hosts,
    broken: situation.meets === always ? undefined : scope.broken,
    mode,
    reports,
    caused,
    samePolicy: met.size,
    checks: isChecked ? [1, 8, 15, 22, 27] : [],
  };
}

interface Choice {
  readonly kind: string;
  readonly isOn: boolean;
  readonly hosts: readonly string[];
  readonly reporter: Reporter;
  readonly victim: Reporter;
}

/** Returns the MX host of a session. */
function hostOf(dice: Dice, { kind, isOn, hosts, reporter, victim }: Choice): string {
  if (kind === 'MX change' && isOn && dice.chance(0.5)) return NEW_HOST;
  if (kind === 'MX records forged' && isOn && reporter === victim) return FORGED_HOST;
  return dice.pick(hosts);
}

function someReporter(dice: Dice, n: number): Reporter {
  return {
    name: `reporter${n}.example`,
    types: someTypes(dice),
    volume: dice.pick([1, 3, 12, 50, 200]),
    failuresOnly: dice.chance(0.15),
    silent: dice.pick([[], [], [5, 6], [0, 1, 2, 4, 5, 6]]),
    noise: dice.pick([0, 0, 0.003, 0.01, 0.03]),
    detail: dice.pick(['full', 'full', 'half', 'none', 'no-host', 'no-address', 'vague']),
    odd: dice.chance(0.2),
    twice: dice.chance(0.1),
    late: dice.chance(0.1),
    cache: dice.pick([1, 7, 30]),
    server: dice.int(0, 1),
    strict: dice.chance(0.6),
    v6: dice.chance(0.3),
    taste: dice.int(0, 5),
    networks: Array.from({ length: dice.pick([1, 1, 2]) }, (_, i) => `203.0.${n}${i}.9`),
  };
}

/** The sessions of one reporter on one day, as it reports them. */
class Book {
  readonly caused: string[] = [];
  hasFailures = false;
  readonly #reporter: Reporter;
  readonly #sessions = new SessionBook();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  succeed({ type, host }: Attempt): void {
    if (!this.#reporter.failuresOnly) this.#sessions.succeed(type, host);
  }

  fail({ type, host, network }: Attempt, result: string, isCaused: boolean): void {
    const { detail, name, v6, odd } = this.#reporter;
    this.hasFailures = true;
    const failed = this.#sessions.fail(type, host);
    const isFetch = result.startsWith('sts-');
    const mx = isFetch || detail === 'no-host' ? '' : host;
    const shown = detail === 'vague' && !isFetch ? 'validation-failure' : result;
    const hasAddress = !isFetch && detail !== 'no-address' && detail !== 'vague';
    const spelt = odd ? `${host.toUpperCase()}.` : host;
    const entry: TestDetail = {
      result: shown,
      mx: mx === '' ? undefined : spelt,
      ip: hasAddress ? addressOf(host, v6) : undefined,
      from: hasAddress ? network : undefined,
    };
    const isLeftOut = detail === 'none' || (detail === 'half' && failed % 2 === 0);
    if (!isLeftOut) this.#sessions.describe(type, host, entry);
    if (!isCaused) return;
    const base = type === 'tlsa' ? host : '';
    const reported = { reporter: name, type };
    this.caused.push(
      isLeftOut
        ? keyOf({ ...reported, result: 'not-described', host: base })
        : keyOf({ ...reported, result: shown, host: mx === '' ? base : mx }),
    );
  }

  policies(quoted: Quoted): readonly TestPolicy[] {
    const { detail, odd, taste } = this.#reporter;
    const policies = this.#sessions.policies(taste === 5 ? { ...quoted, mx: [] } : quoted);
    return policies.map((policy) => ({
      ...policy,
      domain: odd ? `${policy.domain?.toUpperCase()}.` : policy.domain,
      details: detail === 'none' ? undefined : policy.details,
    }));
  }
}

function addressOf(host: string, v6: boolean): string {
  const n = host.replace(/\D/g, '') || '66';
  return v6 ? `2001:db8::${n}` : `192.0.2.${n}`;
}
