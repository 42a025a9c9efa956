import {
  causeOfHost,
  causeText,
  decidingCause,
  type DecidingCause,
  type DomainDecision,
} from '../../../tls-policy/index.js';
import {
  columnOf,
  hasTlsaRecords,
  rowOf,
  tableAnswer,
  type DaneColumn,
  type StsRow,
  type TableAnswer,
} from './answer-table.js';
import { formatAnswer } from './format-answer.js';
import { abilitiesOf, type PostfixVersion } from './postfix-version.js';

/** Properties of the Postfix installation that receives the answer. */
export interface AnswerOptions {
  readonly version: PostfixVersion;
  /** True if the probe found that Postfix's own resolver validates DNSSEC. */
  readonly validates: boolean;
  /** The reason why the probe failed, and the setting to change. */
  readonly whyNot?: string | undefined;
}

/** A reply of the socketmap, with the reason for it. */
export interface PostfixAnswer {
  /** The reply without framing: `OK LEVEL ...`, `NOTFOUND `, `TEMP reason`. */
  readonly reply: string;
  /**
   * The cell of the answer table; absent if the decision itself defers or rejects mail,
   * or waives the policy.
   */
  readonly cell?: {
    readonly column: DaneColumn;
    readonly row: StsRow;
    readonly answer: TableAnswer;
  };
  /** The deciding reason why mail is deferred. */
  readonly cause?: DecidingCause;
  /** Maximum cache time of the reply, in seconds. */
  readonly keep: number;
}

/**
 * Maximum cache time of a reply, in seconds: a changed policy takes effect at the latest
 * after this time. A TEMP reply defers mail, so its cache time is much shorter.
 */
const LONGEST = 3600;
const TEMP_LONGEST = 15;
/** Maximum characters of the reason in a TEMP reply. */
const MAX_REASON = 480;
/** Maximum number of hosts in one answer. */
const MAX_NAMES = 100;

/** Returns the socketmap reply that makes Postfix enforce a decision. Pure. */
export function answerOf(decision: DomainDecision, options: AnswerOptions): PostfixAnswer {
  const cacheSeconds = Math.min(
    LONGEST,
    Math.max(1, (Date.parse(decision.validUntil) - Date.parse(decision.decidedAt)) / 1000),
  );
  const tempAnswer = (cause: DecidingCause): PostfixAnswer => ({
    reply: `TEMP ${sayable(`${decision.domain}: ${causeText(cause)}`)}`,
    cause,
    keep: Math.min(cacheSeconds, TEMP_LONGEST),
  });
  // An exemption overrides main.cf too, but a trial run leaves main.cf in force.
  if (decision.waiver)
    return {
      reply: decision.waiver.kind === 'observe' ? 'NOTFOUND ' : 'OK may',
      keep: cacheSeconds,
    };
  if (decision.action === 'reject' || decision.route.kind === 'address')
    return { reply: 'NOTFOUND ', keep: cacheSeconds };
  const cause = decidingCause(decision);
  if (cause) return tempAnswer(cause);
  const [column, row] = [columnOf(decision), rowOf(decision)];
  const cell = { column, row, answer: tableAnswer(column, row, options.validates) };
  switch (cell.answer) {
    case 'NOTFOUND':
      return { reply: 'NOTFOUND ', cell, keep: cacheSeconds };
    case 'TEMP':
      return { ...tempAnswer(causeWithoutValidation(decision, options)), cell };
    case 'dane':
    case 'dane-only':
      return { reply: `OK ${cell.answer}`, cell, keep: cacheSeconds };
    case 'secure': {
      const reply = secureReply(decision, options.version);
      return reply === undefined
        ? tempAnswer({ says: 'Postfix can match none of the MX host names in the policy.' })
        : { reply, cell, keep: cacheSeconds };
    }
  }
}

function secureReply(decision: DomainDecision, version: PostfixVersion): string | undefined {
  const { leastProtocol, stsAttributes } = abilitiesOf(version);
  const hostNames = decision.hosts
    .filter(({ decision: d }) => d.action === 'use' && d.authenticate.includes('pkix'))
    .map(({ name }) => name)
    .filter((domainName) => hostNamePattern.test(domainName));
  if (hostNames.length === 0) return undefined;
  // The MX records may name these hosts by the time Postfix looks them up (RFC 8461
  // §8.1). Wildcards are omitted: Postfix matches `.example.com` at any depth, but a
  // wildcard of RFC 8461 §4.1 stands for one label.
  const others = (decision.mtaSts.policy?.mx ?? []).filter((pattern) =>
    hostNamePattern.test(pattern),
  );
  const names = [...new Set([...hostNames, ...others])].slice(0, MAX_NAMES);
  const attributes: [string, string][] = [
    ['match', names.join(':')],
    ['servername', 'hostname'],
    ['protocols', leastProtocol ? '>=TLSv1.2' : '!SSLv2:!SSLv3:!TLSv1:!TLSv1.1'],
  ];
  const entry = { level: 'secure', attributes } as const;
  const policy = stsAttributes ? decision.mtaSts.policy : undefined;
  if (!policy) return formatAnswer(entry);
  const lines = policy.body
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^[!-z|~]([ -z|~]*[!-z|~])?$/.test(line));
  const sts: [string, string][] = [
    ['policy_type', 'sts'],
    ['policy_domain', decision.domain],
    ...policy.mx.map((pattern): [string, string] => ['mx_host_pattern', pattern]),
    ...lines.map((line): [string, string] => ['policy_string', line]),
  ];
  // If the policy does not fit into a reply, the reply omits it. Postfix still enforces
  // the host names.
  return formatAnswer({ ...entry, attributes: [...attributes, ...sts] }) ?? formatAnswer(entry);
}

/**
 * A host name of at least two labels: in a match list, the words `hostname` and `nexthop`
 * have a special meaning.
 */
const hostNamePattern = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$/;

/**
 * Returns the reason why mail is deferred if Postfix cannot do DANE: a host has TLSA
 * records, or may have them because its lookups failed.
 */
function causeWithoutValidation(
  { hosts }: DomainDecision,
  { whyNot }: AnswerOptions,
): DecidingCause {
  const bound = hosts.some((host) => host.decision.reasons.some(hasTlsaRecords));
  const failed = hosts.find(({ decision }) => decision.action !== 'use');
  if (!bound && failed) return causeOfHost(failed);
  const reason = whyNot === undefined ? '' : `: ${whyNot}`;
  return {
    says: `The domain has DANE, but Hermetic did not see the resolver of Postfix validate DNSSEC${reason}.`,
  };
}

/**
 * Returns the reason of a TEMP reply in printable ASCII, since it appears in the log of
 * Postfix.
 */
function sayable(reason: string): string {
  return reason.replace(/[^ -~]/g, '?').slice(0, MAX_REASON);
}
