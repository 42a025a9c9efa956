import type { TestDetail, TestPolicy, TestReport } from '../test/support/report/reports.js';
import { Dice } from './dice.js';
import {
  domain,
  faults,
  firstDay,
  keyOf,
  monthDays,
  type Cause,
  type FailureKey,
  type FaultKind,
  type Month,
} from './report-faults.js';

/**
 * Simulates a month of TLS reports about one domain, with at most one fault of known
 * cause. The simulation models senders (RFC 8461 §5.1 and §3.2, RFC 7672 §2.2, RFC 8460
 * §4) and the styles of real reporters, and does not depend on the rules that judge
 * causes.
 */

/**
 * The number of months in a hundred with a fault of each cause. Only one source observes
 * a fault of one reporter or of its path, and rarely proves its cause. The share of such
 * faults is therefore a lower bound of the unclear months.
 */
const weights: readonly (readonly [Cause, number])[] = [
  ['yours', 65],
  ['path', 12],
  ['theirs', 8],
  ['none', 15],
];

type Style = 'google' | 'microsoft' | 'postfix' | 'mox' | 'sparse' | 'plain';

/** A sender that reports. */
interface Sender {
  readonly name: string;
  readonly style: Style;
  readonly sts: boolean;
  readonly dane: boolean;
  readonly volume: number;
  /**
   * Whether the sender prefers IPv6 for every host with an IPv6 address, as some senders
   * do.
   */
  readonly v6: boolean;
  /** The networks from which the sender sends. */
  readonly networks: readonly string[];
  /** The day until which a fetched policy is cached; -1 without a cached policy. */
  cachedUntil: number;
  cachedMx: readonly string[];
}

/** One session in the view of the sender. */
interface Session {
  readonly sender: Sender;
  readonly day: number;
  readonly host: string;
  readonly v6: boolean;
  readonly network: string;
}

interface World {
  readonly dice: Dice;
  readonly fault: FaultKind;
  readonly from: number;
  readonly to: number;
  readonly hosts: readonly string[];
  /** The host that a fault of one host concerns. */
  readonly broken: string;
  readonly dual: boolean;
  readonly maxAge: number;
  readonly mode: string;
  /** The reporter that a fault of a reporter or of the path concerns. */
  readonly victim: string;
  readonly tlsa: boolean;
}

/** Simulates one month. */
export function playMonth(seed: number): Month {
  const dice = new Dice(seed);
  const cause = causeOf(dice.int(1, 100));
  const kinds = (Object.keys(faults) as FaultKind[]).filter((kind) => faults[kind] === cause);
  const fault = dice.pick(kinds);
  const hosts = dice.chance(0.5)
    ? ['mx1.alpha.example']
    : ['mx1.alpha.example', 'mx2.alpha.example'];
  const senders = Array.from({ length: dice.int(2, 6) }, (_, n) => someSender(dice, n));
  const from = dice.int(4, 20);
  const needsTwo = fault === 'MX host missing from policy' || fault === 'policy never refreshed';
  const world: World = {
    dice,
    fault,
    from,
    to: dice.chance(0.6) ? monthDays - 1 : Math.min(monthDays - 1, from + dice.int(0, 6)),
    hosts: needsTwo ? ['mx1.alpha.example', 'mx2.alpha.example'] : hosts,
    broken: needsTwo ? 'mx2.alpha.example' : dice.pick(hosts),
    dual: fault === 'STARTTLS off on IPv6 only' || dice.chance(0.4),
    maxAge: dice.pick([86_400, 604_800, 2_592_000]),
    mode: dice.pick(['enforce', 'testing']),
    victim: dice.pick(senders).name,
    tlsa: /TLSA|DNSSEC|resolver/.test(fault) || dice.chance(0.5),
  };
  const caused = new Set<string>();
  const applied = new Set<string>();
  const reports = senders.flatMap((sender) =>
    Array.from({ length: monthDays }, (_, day) => day).flatMap((day) =>
      reportsOf(world, sender, day, { caused, applied }),
    ),
  );
  return {
    fault,
    cause,
    from,
    to: world.to,
    hosts: world.hosts,
    broken: fault === 'DNSSEC broken' ? undefined : world.broken,
    mode: world.mode,
    reports,
    caused,
    samePolicy: applied.size,
    checks: dice.chance(0.4) ? Array.from({ length: monthDays }, (_, day) => day) : [],
  };
}

function causeOf(n: number): Cause {
  let left = n;
  for (const [cause, weight] of weights) {
    if (left <= weight) return cause;
    left -= weight;
  }
  return 'none';
}

function someSender(dice: Dice, n: number): Sender {
  const style = dice.pick(['google', 'microsoft', 'postfix', 'mox', 'sparse', 'plain'] as const);
  const networks = Array.from({ length: dice.pick([1, 1, 2, 4]) }, (_, i) => `203.0.${n}${i}.7`);
  return {
    name: `${style}${n}.example`,
    style,
    sts: style === 'google' || style === 'microsoft' || dice.chance(0.7),
    dane: style !== 'google' && dice.chance(0.6),
    volume: dice.pick([2, 8, 40, 150]),
    v6: dice.chance(0.3),
    networks,
    cachedUntil: -1,
    cachedMx: [],
  };
}

function isOn({ fault, from, to }: World, day: number, kind: FaultKind): boolean {
  return fault === kind && day >= from && day <= to;
}

/**
 * Returns the patterns of the policy file on a day. A fault adds a host to the file late,
 * or only after the MX records change.
 */
function publishedMx(world: World, day: number): readonly string[] {
  if (isOn(world, day, 'MX host missing from policy')) return ['mx1.alpha.example'];
  if (world.fault === 'policy never refreshed' && day < 2) return ['mx1.alpha.example'];
  return world.hosts;
}

/**
 * Returns the result type of a failed fetch of the policy; undefined: the fetch succeeds.
 */
function fetchFailure(world: World, { name }: Sender, day: number): string | undefined {
  if (isOn(world, day, 'policy host down')) return 'sts-policy-fetch-error';
  if (isOn(world, day, 'policy malformed')) return 'sts-policy-invalid';
  if (isOn(world, day, 'policy host certificate')) return 'sts-webpki-invalid';
  const own = isOn(world, day, 'proxy of the reporter') || isOn(world, day, 'policy fetch blocked');
  return own && name === world.victim ? 'sts-policy-fetch-error' : undefined;
}

/** Returns the failure of a session under this policy type; undefined: it succeeds. */
function failureOf(world: World, session: Session, type: string): string | undefined {
  const { sender, day, host, v6 } = session;
  const on = (kind: FaultKind): boolean => isOn(world, day, kind);
  const here = host === world.broken;
  const own = sender.name === world.victim;
  // A path fault concerns one network of the sender.
  const onPath = own && session.network === sender.networks[0];
  if (on('STARTTLS off') && here) return 'starttls-not-supported';
  if (on('STARTTLS off on IPv6 only') && here && v6) return 'starttls-not-supported';
  if (on('STARTTLS stripped') && onPath) return 'starttls-not-supported';
  if (type === 'tlsa') {
    if (on('TLSA record stale') && here) return 'tlsa-invalid';
    if (on('DNSSEC broken') || (on('resolver of the reporter') && own)) return 'dnssec-invalid';
    if (on('certificate swapped') && onPath) return 'tlsa-invalid';
  }
  if (type !== 'sts') return undefined;
  if (sender.cachedMx.length > 0 && !sender.cachedMx.includes(host)) return 'validation-failure';
  if (on('certificate expired') && here) return 'certificate-expired';
  if (on('certificate of another name') && here) return 'certificate-host-mismatch';
  if (on('chain incomplete') && here) return 'certificate-not-trusted';
  if (on('clock of the reporter') && own) return 'certificate-expired';
  if (on('trust store of the reporter') && own) return 'certificate-not-trusted';
  return on('certificate swapped') && onPath ? 'certificate-not-trusted' : undefined;
}

interface Counted {
  ok: number;
  failed: number;
  readonly details: Map<string, TestDetail & { count: number }>;
}

interface Truth {
  readonly caused: Set<string>;
  readonly applied: Set<string>;
}

/**
 * Returns the reports of one sender about one day: none without sessions, otherwise one
 * or several.
 */
function reportsOf(world: World, sender: Sender, day: number, truth: Truth): readonly TestReport[] {
  const { dice } = world;
  const sessions = dice.chance(0.85) ? dice.int(Math.ceil(sender.volume / 2), sender.volume) : 0;
  if (sessions === 0) return [];
  const fetch = sender.sts ? renewPolicy(world, sender, day) : undefined;
  const counts = new Map<string, Counted>();
  const noted: FailureKey[] = [];
  const count = (type: string, host: string): Counted => {
    const key = type === 'tlsa' ? `tlsa ${policyDomain(sender, host)}` : type;
    const known = counts.get(key) ?? { ok: 0, failed: 0, details: new Map() };
    counts.set(key, known);
    return known;
  };
  for (let n = 0; n < sessions; n++) {
    const session = someSession(world, sender, day);
    for (const type of typesOf(world, sender)) {
      const failure =
        fetch !== undefined && type === 'sts' && sender.cachedUntil < day
          ? fetch
          : failureOf(world, session, type);
      const noise = failure === undefined && dice.chance(0.002) ? 'validation-failure' : undefined;
      const counted = count(type, session.host);
      if (failure === undefined && noise === undefined) counted.ok++;
      else noted.push(note(world, counted, session, { type, failure, noise }));
      if (concerns(world, type, session) && day >= world.from && day <= world.to)
        truth.applied.add(sender.name);
    }
  }
  // A cached policy stays in force, and the failed fetch is reported once a day.
  if (fetch !== undefined && sender.cachedUntil >= day) {
    const session = someSession(world, sender, day);
    noted.push(
      note(world, count('sts', ''), session, { type: 'sts', failure: fetch, noise: undefined }),
    );
  }
  const arrives = day + (dice.chance(0.1) ? dice.int(2, 4) : 1);
  if (arrives > monthDays || dice.chance(0.04)) return [];
  for (const key of noted) if (key.result !== '') truth.caused.add(keyOf(key));
  return written(world, sender, day, counts);
}

/**
 * Fetches the policy if a sender needs it (RFC 8461 §3.2); returns the failure, if any.
 */
function renewPolicy(world: World, sender: Sender, day: number): string | undefined {
  const refuses = world.fault === 'policy never refreshed' && sender.name === world.victim;
  const expired = sender.cachedUntil < day && !(refuses && sender.cachedMx.length > 0);
  const changed = publishedMx(world, day).join() !== sender.cachedMx.join() && !refuses;
  if (!expired && !changed) return undefined;
  const failure = fetchFailure(world, sender, day);
  if (failure !== undefined) {
    if (sender.cachedUntil < day) sender.cachedMx = [];
    return failure;
  }
  sender.cachedMx = publishedMx(world, day);
  sender.cachedUntil = day + Math.floor(world.maxAge / 86_400);
  return undefined;
}

/** Returns whether the fault can affect sessions under this policy type. */
function concerns({ fault }: World, type: string, { v6 }: Session): boolean {
  if (fault === 'STARTTLS off on IPv6 only') return v6;
  if (fault.startsWith('STARTTLS')) return true;
  if (/TLSA|DNSSEC|resolver/.test(fault)) return type === 'tlsa';
  return fault === 'certificate swapped' ? type !== 'no-policy-found' : type === 'sts';
}

function typesOf({ tlsa }: World, { sts, dane, style }: Sender): readonly string[] {
  const types = [...(sts ? ['sts'] : []), ...(dane && tlsa ? ['tlsa'] : [])];
  if (types.length === 0) return ['no-policy-found'];
  // Postfix reports only the applied policy, and DANE has precedence.
  return style === 'postfix' && types.length === 2 ? ['tlsa'] : types;
}

function someSession(world: World, sender: Sender, day: number): Session {
  const { dice, dual, fault } = world;
  // The domain adds the second host together with the policy that names it.
  const hosts = fault === 'policy never refreshed' && day < 2 ? ['mx1.alpha.example'] : world.hosts;
  const network = dice.pick(sender.networks);
  return { sender, day, host: dice.pick(hosts), v6: dual && sender.v6, network };
}

/**
 * Returns the policy domain of a DANE entry: Microsoft names the recipient domain, the
 * others the MX host.
 */
function policyDomain({ style }: Sender, host: string): string {
  return style === 'microsoft' ? domain : host;
}

/** Counts a failure in the style of the sender. Noise has no result in its key. */
function note(
  world: World,
  counted: Counted,
  session: Session,
  {
    type,
    failure,
    noise,
  }: { type: string; failure: string | undefined; noise: string | undefined },
): FailureKey {
  const { dice } = world;
  const { sender, network, v6 } = session;
  const policyFile = failure?.startsWith('sts-') === true;
  const result = noise ?? typeAsReported(sender.style, type, failure ?? '', dice);
  const host = policyFile || (sender.style === 'microsoft' && dice.chance(0.3)) ? '' : session.host;
  const known = counted.details.get(`${result} ${host} ${network}`) ?? {
    result,
    count: 0,
    mx: host === '' ? undefined : host,
    ...(policyFile ? {} : { ip: v6 ? '2001:db8::7' : '192.0.2.7' }),
    ...(sender.style === 'google' || policyFile ? {} : { from: network }),
    ...(noise === undefined || sender.style === 'google' ? {} : { reason: 'connection timed out' }),
  };
  counted.failed++;
  counted.details.set(`${result} ${host} ${network}`, { ...known, count: known.count + 1 });
  const sparse = sender.style === 'sparse';
  const named = sparse ? '' : host;
  return {
    reporter: sender.name,
    type,
    result: failure === undefined ? '' : shownAs(sender, result),
    host: named === '' && type === 'tlsa' ? tlsaHost(sender, session.host) : named,
  };
}

function shownAs({ style }: Sender, result: string): string {
  return style === 'sparse' ? 'not-described' : result;
}

/**
 * Returns the host that a reader derives from the policy domain if no detail names a
 * host.
 */
function tlsaHost(sender: Sender, host: string): string {
  return sender.style === 'microsoft' ? '' : host;
}

/**
 * Returns the result type in the style of the sender: real senders use result types
 * inconsistently.
 */
function typeAsReported(style: Style, type: string, result: string, dice: Dice): string {
  if (result === 'starttls-not-supported' || result.startsWith('sts-')) return result;
  if (style === 'microsoft' && dice.chance(0.5)) return 'validation-failure';
  if (style === 'postfix' && type === 'tlsa' && result === 'tlsa-invalid')
    return dice.pick(['certificate-not-trusted', 'validation-failure']);
  if (style === 'google' && result === 'certificate-host-mismatch') return 'validation-failure';
  return result;
}

/**
 * Returns the reports of a day: mox sends one for each policy domain, the others one for
 * all.
 */
function written(
  world: World,
  sender: Sender,
  day: number,
  counts: ReadonlyMap<string, Counted>,
): readonly TestReport[] {
  const date = new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10);
  const policies = [...counts].map(([key, counted]): TestPolicy => {
    const [type = '', host = domain] = key.split(' ');
    const nameless = sender.style === 'postfix' && type === 'no-policy-found';
    return {
      type,
      domain: nameless ? null : host,
      mode: world.mode,
      mx: sender.style === 'microsoft' ? [] : sender.cachedMx,
      maxAge: world.maxAge,
      ok: counted.ok,
      failed: counted.failed,
      ...(sender.style === 'sparse' ? {} : { details: [...counted.details.values()] }),
    };
  });
  const report = (own: readonly TestPolicy[], n: number): TestReport => ({
    reporter: sender.name,
    day: date,
    id: `${date}_${n}`,
    policies: own,
  });
  return sender.style === 'mox' ? policies.map((p, n) => report([p], n)) : [report(policies, 0)];
}
