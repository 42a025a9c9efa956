import type { TestDetail, TestReport } from './support/report/reports.js';
import { dateOf, SessionBook, type PolicyType } from './session-book.js';
import { Dice } from '../tools/dice.js';
import { keyOf, monthDays } from '../tools/report-faults.js';
import type { Cause, FaultKind, Month } from '../tools/report-faults.js';

/**
 * A generator of orderly months: a table of faults, reporters that send full details
 * every day, and little noise. Every kind of fault occurs equally often, so a large part
 * of the months has a cause other than the domain.
 */

interface Reporter {
  readonly name: string;
  readonly types: readonly PolicyType[];
  /** The number of sessions on a day. */
  readonly volume: number;
  readonly network: number;
  readonly v6: boolean;
  /** Days for which the reporter caches a policy. */
  readonly cache: number;
  readonly isTerse: boolean;
}

interface Fault {
  readonly kind: FaultKind;
  readonly cause: Cause;
  readonly type: PolicyType | 'any';
  readonly result: string;
  readonly where: 'everywhere' | 'host' | 'address' | 'reporter';
}

// prettier-ignore
const faults: readonly Fault[] = [
  { kind: 'certificate expired', cause: 'yours', type: 'sts', result: 'certificate-expired', where: 'host' },
  { kind: 'certificate of another name', cause: 'yours', type: 'sts', result: 'certificate-host-mismatch', where: 'host' },
  { kind: 'chain incomplete', cause: 'yours', type: 'sts', result: 'certificate-not-trusted', where: 'everywhere' },
  { kind: 'TLSA record stale', cause: 'yours', type: 'tlsa', result: 'tlsa-invalid', where: 'host' },
  { kind: 'DNSSEC broken', cause: 'yours', type: 'tlsa', result: 'dnssec-invalid', where: 'everywhere' },
  { kind: 'STARTTLS off', cause: 'yours', type: 'any', result: 'starttls-not-supported', where: 'host' },
  { kind: 'STARTTLS off on IPv6 only', cause: 'yours', type: 'any', result: 'starttls-not-supported', where: 'address' },
  { kind: 'policy host down', cause: 'yours', type: 'sts', result: 'sts-policy-fetch-error', where: 'everywhere' },
  { kind: 'policy malformed', cause: 'yours', type: 'sts', result: 'sts-policy-invalid', where: 'everywhere' },
  { kind: 'policy host certificate', cause: 'yours', type: 'sts', result: 'sts-webpki-invalid', where: 'everywhere' },
  { kind: 'clock of the reporter', cause: 'theirs', type: 'sts', result: 'certificate-expired', where: 'reporter' },
  { kind: 'trust store of the reporter', cause: 'theirs', type: 'sts', result: 'certificate-not-trusted', where: 'reporter' },
  { kind: 'resolver of the reporter', cause: 'theirs', type: 'tlsa', result: 'dnssec-invalid', where: 'reporter' },
  { kind: 'STARTTLS stripped', cause: 'path', type: 'any', result: 'starttls-not-supported', where: 'reporter' },
  { kind: 'certificate swapped', cause: 'path', type: 'any', result: 'certificate-not-trusted', where: 'reporter' },
  { kind: 'none', cause: 'none', type: 'any', result: '', where: 'everywhere' },
];

const supported: readonly (readonly PolicyType[])[] = [
  ['sts'],
  ['sts'],
  ['tlsa'],
  ['sts', 'tlsa'],
  ['no-policy-found'],
];

/** Simulates one month. */
export function playPlainMonth(seed: number): Month {
  const dice = new Dice(seed ^ 0x1b873593);
  const fault = dice.pick(faults);
  const hosts = Array.from({ length: dice.int(1, 3) }, (_, n) => `mx${n + 1}.alpha.example`);
  const broken = dice.pick(hosts);
  const reporters = Array.from({ length: dice.int(2, 6) }, (_, n) => someReporter(dice, n));
  const victim = dice.pick(reporters);
  const from = dice.int(2, 20);
  const to = Math.min(monthDays - 1, from + dice.pick([0, 2, 6, monthDays]));
  const mode = dice.pick(['enforce', 'testing']);
  const [caused, met] = [new Set<string>(), new Set<string>()];
  const reports: TestReport[] = [];
  for (const reporter of reporters) {
    let cachedUntil = -1;
    for (let day = 0; day < monthDays; day++) {
      const isOn = fault.cause !== 'none' && day >= from && day <= to;
      const isFetch = fault.result.startsWith('sts-');
      const book = new SessionBook();
      for (let n = 0; n < reporter.volume; n++) {
        const host = dice.pick(hosts);
        for (const type of reporter.types) {
          const isConcerned = isOn && (fault.type === 'any' || fault.type === type);
          const couldMeet = isConcerned && (fault.where !== 'address' || reporter.v6);
          if (couldMeet) met.add(reporter.name);
          const isHit =
            couldMeet &&
            (fault.where === 'everywhere' ||
              (fault.where === 'reporter' ? reporter === victim : host === broken)) &&
            (!isFetch || cachedUntil < day);
          if (!isHit && !dice.chance(0.0005)) {
            book.succeed(type, host);
            continue;
          }
          const result = isHit ? fault.result : 'validation-failure';
          book.fail(type, host);
          if (!reporter.isTerse) book.describe(type, host, detailOf(reporter, host, result));
          if (isHit) caused.add(keyOf(seenAs(reporter, type, host, result)));
        }
      }
      if (!(isOn && isFetch) && cachedUntil < day) cachedUntil = day + reporter.cache;
      const date = dateOf(day);
      const policies = book.policies({ mode, mx: hosts, maxAge: reporter.cache * 86_400 });
      reports.push({ reporter: reporter.name, day: date, id: date, policies });
    }
  }
  return {
    fault: fault.kind,
    cause: fault.cause,
    from,
    to,
    hosts,
    broken: fault.where === 'everywhere' ? undefined : broken,
    mode,
    reports,
    caused,
    samePolicy: met.size,
    checks: dice.chance(0.3) ? Array.from({ length: monthDays }, (_, day) => day) : [],
  };
}

function someReporter(dice: Dice, n: number): Reporter {
  return {
    name: `reporter${n}.example`,
    types: dice.pick(supported),
    volume: dice.pick([5, 20, 100, 300]),
    network: 10 + n,
    v6: dice.chance(0.3),
    cache: dice.pick([1, 7, 14]),
    isTerse: dice.chance(0.15),
  };
}

function detailOf({ network, v6 }: Reporter, host: string, result: string): TestDetail {
  if (result.startsWith('sts-')) return { result, mx: undefined };
  const n = host.replace(/\D/g, '');
  return {
    result,
    mx: host,
    ip: v6 ? `2001:db8::${n}` : `192.0.2.${n}`,
    from: `198.51.${network}.25`,
  };
}

/** Returns the fields of a failure as the report contains them. */
function seenAs(
  { name, isTerse }: Reporter,
  type: PolicyType,
  host: string,
  result: string,
): Parameters<typeof keyOf>[0] {
  const named = result.startsWith('sts-') || isTerse ? '' : host;
  return {
    reporter: name,
    type,
    result: isTerse ? 'not-described' : result,
    host: named === '' && type === 'tlsa' ? host : named,
  };
}
