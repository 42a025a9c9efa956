import { Name } from '../../src/base/index.js';
import {
  formatRdata,
  parseTrustAnchors,
  RRType,
  typeName,
  typeNumber,
  validate,
  type Answer,
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

/** What an answer was validated with. */
export type Setting = Pick<ValidateRequest, 'anchors' | 'now' | 'limits' | 'algorithms' | 'fetch'>;

/** Runs a scenario's questions through the validator and compares each checked answer; tells `onAnswer` of all of them. */
export async function runScenario(scenario: Scenario, onAnswer?: (answer: Answer, setting: Setting) => void): Promise<Outcome> {
  const skip = reasonToSkip(scenario);
  if (skip) return { kind: 'skipped', why: skip };
  const anchors = anchorsOf(scenario);
  let now = timeOf(scenario);
  let step = 0;
  let checks = 0;
  // Questions of the asked type, at each check, to which the file has nothing to say.
  const missing = new Map<number, string>();
  const upstream = mockUpstream(scenario, () => step);
  let answer: Answer | undefined;
  let query: Entry | undefined;
  for (const at of scenario.steps) {
    step = at.number;
    if (at.kind === 'TIME_PASSES') now += Number(at.words.at(-1)) * 1000;
    if (at.kind === 'QUERY' && at.entry?.question) {
      query = at.entry;
      const name = Name.of(at.entry.question.name);
      const limits = { iterationsInsecure: iterationsOf(scenario), iterationsRefused: 65535, ...skewOf(scenario) };
      const checked = scenario.steps.find((s) => s.number > at.number && s.kind === 'CHECK_ANSWER')?.number ?? 0;
      const fetch: Fetch = async (asked, type) => {
        const fetched = await upstream(asked, type);
        const silent =
          fetched.ok && fetched.message.rcode === 2 && fetched.message.answers.length + fetched.message.authorities.length === 0;
        if (silent && type === typeNumber(at.entry?.question?.type ?? '') && !scripted(scenario, asked, type))
          missing.set(checked, `${asked.toString()} ${typeName(type)}`);
        return fetched;
      };
      const setting = { fetch, anchors, now, limits, algorithms: legacyAlgorithms };
      answer = await validate({ name, type: typeNumber(at.entry.question.type) ?? 0, ...setting });
      onAnswer?.(answer, setting);
    }
    // A stub always asks with RD, and never validates what it asked for with CD.
    const asStub = query?.reply.includes('RD') && !query.reply.includes('CD');
    if (at.kind === 'CHECK_ANSWER' && at.entry && answer && asStub) {
      const why = differs(at.entry, answer, query?.reply.includes('DO') ?? false);
      if (why && missing.has(at.number))
        return { kind: 'skipped', why: `the file holds no answer to ${missing.get(at.number)}: it would come from the resolver's cache` };
      if (why) return { kind: 'failed', why: `step ${at.number}: ${why}` };
      checks++;
    }
  }
  return checks > 0 ? { kind: 'passed', checks } : { kind: 'skipped', why: 'checks no answer of a validating question' };
}

/** Some entry of the file answers this question, if only with an error. */
function scripted(scenario: Scenario, name: Name, type: number): boolean {
  return scenario.ranges.some((r) =>
    r.entries.some((e) => e.question && Name.of(e.question.name).equals(name) && typeNumber(e.question.type) === type),
  );
}

function differs(expected: Entry, answer: Answer, wantsAd: boolean): string | undefined {
  const got = `got ${answer.status} ${answer.dnssec}${answer.failure ? ` (${answer.failure.code} ${answer.failure.detail})` : ''}`;
  if (expected.reply.includes('SERVFAIL')) return answer.status === 'failed' ? undefined : `must be refused, ${got}`;
  if (expected.reply.includes('AD') && answer.dnssec !== 'secure') return `must be secure, ${got}`;
  if (
    wantsAd &&
    !expected.reply.includes('AD') &&
    expected.match.includes('all') &&
    (answer.dnssec === 'secure' || answer.dnssec === 'bogus')
  )
    return `must be accepted unproved, ${got}`;
  if (!expected.match.includes('all') && !expected.match.includes('answer')) return undefined;
  const type = answer.question.type;
  const wanted = expected.answer
    .filter((rr) => rr.type === type && rr.name.equals(answer.canonicalName))
    .map(formatRdata)
    .sort();
  const given = answer.records.map(formatRdata).sort();
  if (type !== RRType.ANY && answer.status !== 'failed' && wanted.join('|').toLowerCase() !== given.join('|').toLowerCase())
    return `other data: wanted ${wanted.join(', ')}, got ${given.join(', ')}`;
  if (expected.reply.includes('NXDOMAIN') !== (answer.status === 'nxdomain') && answer.status !== 'failed')
    return `must ${expected.reply.includes('NXDOMAIN') ? '' : 'not '}be nxdomain, ${got}`;
  return undefined;
}

/** What a stub behind a resolver cannot be asked to show; each with its reason. */
function reasonToSkip(scenario: Scenario): string | undefined {
  const config = scenario.config.join('\n');
  const has = (pattern: RegExp): boolean => pattern.test(config);
  if (has(/module-config:.*(respip|subnet|cachedb|ipsecmod|dynlib|python)/))
    return 'needs another module of the resolver (policy zones, cache back end)';
  if (has(/serve-expired/)) return 'about serving expired cache entries';
  if (has(/auto-trust-anchor-file|AUTOTRUST/)) return 'about updating anchors by RFC 5011';
  if (has(/aggressive-nsec: *yes/) && scenario.steps.filter((s) => s.kind === 'QUERY').length > 1)
    return 'about answering from cached denials (RFC 8198)';
  if (has(/harden-algo-downgrade: *yes/)) return 'demands a signature of every algorithm, which RFC 6840 §5.11 tells validators not to';
  if (has(/domain-insecure/)) return 'about negative trust anchors';
  if (has(/local-data|auth-zone|rpz/)) return "about the resolver's own zones and forwarding";
  if (has(/val-permissive-mode: *yes|ignore-cd-flag/)) return 'about passing bogus answers on';
  if (has(/val-log-level.*quota|max-global-quota/)) return "about the resolver's limit on upstream questions";
  if (scenario.steps.some((s) => s.kind === 'TRAFFIC' || s.kind === 'ERROR' || s.kind === 'TIMEOUT'))
    return "about the resolver's handling of upstream traffic";
  if (scenario.steps.some((s) => s.kind === 'QUERY' && s.entry?.question?.type === 'ANY')) return 'asks for ANY, which no mail sender does';
  return undefined;
}

function anchorsOf(scenario: Scenario): readonly TrustAnchor[] {
  const lines = scenario.config.flatMap((l) => /^trust-anchor: *"(.*)"/.exec(l)?.[1] ?? []);
  const parsed = parseTrustAnchors(lines.join('\n'));
  return parsed.ok ? parsed.value : [];
}

function overrideOf(scenario: Scenario): string {
  return scenario.config.flatMap((l) => /^val-override-date: *"?(-?\d+)"?/.exec(l)?.[1] ?? [])[0] ?? '20070916134226';
}

function timeOf(scenario: Scenario): number {
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(overrideOf(scenario));
  if (!digits) return Date.UTC(2008, 0, 1);
  const [y, mo, d, h, mi, s] = digits.slice(1).map(Number) as [number, number, number, number, number, number];
  return Date.UTC(y, mo - 1, d, h, mi, s);
}

/** -1 switches the check of dates off. */
function skewOf(scenario: Scenario): { skewMin?: number; skewMax?: number } {
  return overrideOf(scenario) === '-1' ? { skewMin: 2 ** 31, skewMax: 2 ** 31 } : {};
}

function iterationsOf(scenario: Scenario): number {
  const given = scenario.config.flatMap((l) => /^val-nsec3-keysize-iterations: *"(.*)"/.exec(l)?.[1] ?? [])[0];
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
