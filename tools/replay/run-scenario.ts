import { Name } from '../../src/base/index.js';
import {
  formatRdata,
  parseTrustAnchors,
  RRType,
  typeName,
  typeNumber,
  validate,
  type DnsAnswer,
  type Fetch,
  type TrustAnchor,
  type ValidateRequest,
} from '../../src/dns/index.js';
import { legacyAlgorithms } from './legacy-algorithms.js';
import { mockUpstream } from './mock-upstream.js';
import type { Entry, Scenario } from './parse-rpl.js';

export type Outcome =
  | { readonly kind: 'passed'; readonly checks: number }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'skipped'; readonly why: string };

/** The inputs of the validation of an answer. */
export type Setting = Pick<ValidateRequest, 'anchors' | 'now' | 'limits' | 'algorithms' | 'fetch'>;

/**
 * Runs a scenario's questions through the validator, compares each checked answer, and
 * passes all of them to `onAnswer`. The run omits a file with questions beyond the role
 * of a stub only if they affect the result.
 */
export async function runScenario(
  scenario: Scenario,
  onAnswer?: (answer: DnsAnswer, setting: Setting) => void,
): Promise<Outcome> {
  const barred = reasonNotToRun(scenario);
  if (barred) return { kind: 'skipped', why: barred };
  try {
    const outcome = await run(scenario, onAnswer);
    const beyond = outcome.kind === 'failed' ? reasonToFail(scenario) : undefined;
    return beyond ? { kind: 'skipped', why: beyond } : outcome;
  } catch (error) {
    return { kind: 'skipped', why: `not understood: ${(error as Error).message}` };
  }
}

async function run(
  scenario: Scenario,
  onAnswer?: (answer: DnsAnswer, setting: Setting) => void,
): Promise<Outcome> {
  const anchors = anchorsOf(scenario);
  let now = timeOf(scenario);
  let step = 0;
  let checks = 0;
  // For each check, a question of the expected type without an answer in the file.
  const missing = new Map<number, string>();
  const upstream = mockUpstream(scenario, () => step);
  let answer: DnsAnswer | undefined;
  let query: Entry | undefined;
  for (const at of scenario.steps) {
    step = at.number;
    if (at.kind === 'TIME_PASSES') now += Number(at.words.at(-1)) * 1000;
    if (at.kind === 'QUERY' && at.entry?.question?.class === 'IN') {
      query = at.entry;
      const { name: asName, type: asType } = at.entry.question;
      const name = Name.of(asName);
      const limits = {
        iterationsInsecure: iterationsOf(scenario),
        iterationsRefused: 65535,
        ...skewOf(scenario),
      };
      const checked =
        scenario.steps.find((s) => s.number > at.number && s.kind === 'CHECK_ANSWER')?.number ?? 0;
      const fetch: Fetch = async (asked, type) => {
        const fetched = await upstream(asked, type);
        const silent =
          fetched.ok &&
          fetched.message.rcode === 2 &&
          fetched.message.answers.length + fetched.message.authorities.length === 0;
        if (silent && type === typeNumber(asType) && !scripted(scenario, asked, type))
          missing.set(checked, `${asked.toString()} ${typeName(type)}`);
        return fetched;
      };
      const setting = { fetch, anchors, now, limits, algorithms: legacyAlgorithms };
      answer = await validate({ name, type: typeNumber(asType) ?? 0, ...setting });
      onAnswer?.(answer, setting);
    }
    // A stub always sends RD, and never validates an answer to a query with CD.
    const asStub = query?.reply.includes('RD') && !query.reply.includes('CD');
    if (at.kind === 'CHECK_ANSWER' && at.entry && answer && asStub) {
      const why = differs(
        at.entry,
        answer,
        query?.reply.some((word) => word === 'DO' || word === 'AD') ?? false,
      );
      if (why && missing.has(at.number))
        return {
          kind: 'skipped',
          why: `the file holds no answer to ${missing.get(at.number)}: it would come from the resolver's cache`,
        };
      if (why) return { kind: 'failed', why: `step ${at.number}: ${why}` };
      checks++;
    }
  }
  return checks > 0
    ? { kind: 'passed', checks }
    : { kind: 'skipped', why: 'checks no answer of a validating question' };
}

/** Returns whether an entry of the file answers this question, possibly with an error. */
function scripted(scenario: Scenario, name: Name, type: number): boolean {
  return scenario.ranges.some((r) =>
    r.entries.some(
      (e) =>
        e.question && Name.of(e.question.name).equals(name) && typeNumber(e.question.type) === type,
    ),
  );
}

function differs(expected: Entry, answer: DnsAnswer, wantsAd: boolean): string | undefined {
  const got = `got ${answer.status} ${answer.dnssec}${answer.failure ? ` (${answer.failure.code} ${answer.failure.detail})` : ''}`;
  const compares = (what: string): boolean =>
    expected.match.includes('all') || expected.match.includes(what);
  if (expected.reply.some((word) => /^(SERVFAIL|REFUSED|FORMERR|NOTIMPL?)$/.test(word)))
    return answer.status === 'failed' ? undefined : `must be refused, ${got}`;
  if (expected.reply.includes('AD') && compares('flags') && answer.dnssec !== 'secure')
    return `must be secure, ${got}`;
  if (
    wantsAd &&
    !expected.reply.includes('AD') &&
    compares('flags') &&
    (answer.dnssec === 'secure' || answer.dnssec === 'bogus')
  )
    return `must be accepted unproved, ${got}`;
  const { type } = answer.question;
  const wanted = expected.answer
    .filter((rr) => rr.type === type && rr.name.equals(answer.canonicalName))
    .map(formatRdata)
    .sort();
  const given = answer.records.map(formatRdata).sort();
  if (
    compares('answer') &&
    type !== RRType.ANY &&
    answer.status !== 'failed' &&
    wanted.join('|').toLowerCase() !== given.join('|').toLowerCase()
  )
    return `other data: wanted ${wanted.join(', ')}, got ${given.join(', ')}`;
  if (
    compares('rcode') &&
    expected.reply.includes('NXDOMAIN') !== (answer.status === 'nxdomain') &&
    answer.status !== 'failed'
  )
    return `must ${expected.reply.includes('NXDOMAIN') ? '' : 'not '}be nxdomain, ${got}`;
  return undefined;
}

/** Returns the reason why a scenario cannot run. */
function reasonNotToRun(scenario: Scenario): string | undefined {
  const config = scenario.config.join('\n');
  const lines = anchorLines(scenario);
  if (/(auto-trust-anchor|trust-anchor|trusted-keys)-file|AUTOTRUST/.test(config))
    return 'its trust anchor is in a file beside it, or is updated by RFC 5011';
  if (lines.length === 0) return 'has no trust anchor: there is nothing to validate';
  const parsed = parseTrustAnchors(lines.join('\n'));
  if (!parsed.ok) return `its trust anchor cannot be read: ${parsed.failure.detail}`;
  if (
    scenario.steps.some((s) => s.kind === 'TIME_PASSES' && !Number.isFinite(Number(s.words.at(-1))))
  )
    return 'computes its times';
  return undefined;
}

/** Returns the reason why a stub behind a resolver cannot show the result. */
function reasonToFail(scenario: Scenario): string | undefined {
  const config = scenario.config.join('\n');
  const has = (pattern: RegExp): boolean => pattern.test(config);
  if (has(/module-config:.*(respip|subnet|cachedb|ipsecmod|dynlib|python)/))
    return 'needs another module of the resolver (policy zones, cache back end)';
  if (has(/serve-expired/)) return 'about serving expired cache entries';
  if (has(/aggressive-nsec: *yes/) && scenario.steps.filter((s) => s.kind === 'QUERY').length > 1)
    return 'about answering from cached denials (RFC 8198)';
  if (has(/harden-algo-downgrade: *yes/))
    return 'demands a signature of every algorithm, which RFC 6840 §5.11 tells validators not to';
  if (has(/harden-algo-downgrade: *no/) && digestsMixed(scenario))
    return 'falls back to a SHA-1 DS beside a stronger one, which RFC 4509 §3 tells validators not to';
  if (has(/local-data|local-zone:.*(static|redirect|deny|refuse)|auth-zone|rpz/))
    return "about the resolver's own zones";
  if (has(/val-permissive-mode: *yes|ignore-cd-flag/)) return 'about passing bogus answers on';
  if (has(/val-log-level.*quota|max-global-quota/))
    return "about the resolver's limit on upstream questions";
  if (has(/dlv-anchor/)) return 'about look-aside validation, which RFC 8749 retired';
  if (
    scenario.steps.some(
      (s) => s.entry?.question && /^_?(root-key-sentinel|_ta)-/.test(s.entry.question.name),
    )
  )
    return 'about telling others which anchors a resolver has (RFC 8145, RFC 8509)';
  if (
    scenario.steps.some(
      (s) => !['QUERY', 'CHECK_ANSWER', 'TIME_PASSES', 'NOTHING'].includes(s.kind),
    )
  )
    return "about the resolver's handling of upstream traffic";
  if (
    scenario.steps.some((s) => s.entry?.raw) ||
    scenario.ranges.some((r) => r.entries.some((e) => e.raw))
  )
    return 'about octets that are not a message';
  return scenario.unread[0] === undefined
    ? undefined
    : `a line of it cannot be read: ${scenario.unread[0]}`;
}

/** Returns whether a delegation has DS records of SHA-1 and of a stronger digest. */
function digestsMixed(scenario: Scenario): boolean {
  const digests = new Map<string, Set<boolean>>();
  const sections = scenario.ranges.flatMap((r) =>
    r.entries.flatMap((e) => [...e.answer, ...e.authority]),
  );
  for (const rr of sections)
    if (rr.type === RRType.DS)
      digests.set(rr.name.key, (digests.get(rr.name.key) ?? new Set()).add(rr.rdata[3] === 1));
  return [...digests.values()].some((kinds) => kinds.size > 1);
}

/**
 * Returns the records of the lines `trust-anchor: "RECORD"`, with quotes of either kind
 * or none.
 */
function anchorLines(scenario: Scenario): readonly string[] {
  return values(scenario, 'trust-anchor');
}

function values(scenario: Scenario, key: string): readonly string[] {
  return scenario.config.flatMap(
    (line) => new RegExp(`^${key}: *(["']?)(.*?)\\1$`).exec(line)?.[2] ?? [],
  );
}

function anchorsOf(scenario: Scenario): readonly TrustAnchor[] {
  const parsed = parseTrustAnchors(anchorLines(scenario).join('\n'));
  const negative = values(scenario, 'domain-insecure').map((zone): TrustAnchor => ({
    zone: Name.of(zone),
    ds: [],
    keys: [],
    negative: true,
  }));
  return [...(parsed.ok ? parsed.value : []), ...negative];
}

/** Returns a date as 14 digits, seconds since 1970, or -1 for none. */
function overrideOf(scenario: Scenario): string {
  return values(scenario, 'val-override-(?:date|timestamp)')[0] ?? '20070916134226';
}

function timeOf(scenario: Scenario): number {
  const override = overrideOf(scenario);
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(override);
  if (!digits) return override === '-1' ? Date.UTC(2008, 0, 1) : Number(override) * 1000;
  const [y, mo, d, h, mi, s] = digits.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(y, mo - 1, d, h, mi, s);
}

/** Returns a value of -1 disables the check of dates. */
function skewOf(scenario: Scenario): { clockSkew?: number } {
  return overrideOf(scenario) === '-1' ? { clockSkew: 2 ** 31 } : {};
}

function iterationsOf(scenario: Scenario): number {
  const given = values(scenario, 'val-nsec3-keysize-iterations')[0];
  return given
    ? Math.max(
        ...given
          .trim()
          .split(/\s+/)
          .filter((_, i) => i % 2 === 1)
          .map(Number),
      )
    : 150;
}
