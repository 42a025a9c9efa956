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

/** The Postfix installation that receives an answer. */
export interface AnswerOptions {
  readonly version: PostfixVersion;
  /** True if the probe found that Postfix's own resolver validates DNSSEC. */
  readonly validates: boolean;
  /** The reason why the probe failed, and the setting to change. */
  readonly whyNot?: string | undefined;
}

/** A reply of the socketmap with its reason. */
export interface PostfixAnswer {
  /** Unframed: `OK LEVEL ...`, `NOTFOUND `, `TEMP reason`. */
  readonly reply: string;
  /**
   * The cell of the answer table; absent if the decision itself defers mail, sets the
   * policy aside, or rejects mail.
   */
  readonly cell?: {
    readonly column: DaneColumn;
    readonly row: StsRow;
    readonly answer: TableAnswer;
  };
  /** The reason why mail is deferred: the ground that decided. */
  readonly cause?: DecidingCause;
  /** Seconds the reply may be cached. */
  readonly keep: number;
}

/**
 * Longest cache time of a reply, in seconds: a change takes effect without a restart. A
 * TEMP reply defers mail and is looked up again much sooner.
 */
const LONGEST = 3600;
const TEMP_LONGEST = 15;
/** Characters of the reason of a TEMP reply. */
const MAX_REASON = 480;
/** Hosts in one answer. */
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
  // An exemption also overrides main.cf; a trial run leaves main.cf in force.
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
        ? tempAnswer({ says: 'Postfix supports the name of no MX host of the policy.' })
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
  // Hosts that the MX records may name when Postfix looks them up (RFC 8461 §8.1).
  // Wildcards are left out: `.example.com` would match at any depth, but RFC 8461 §4.1
  // means one label.
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
  // If the policy is too long for a reply, the reply omits it and Postfix still enforces
  // the names.
  return formatAnswer({ ...entry, attributes: [...attributes, ...sts] }) ?? formatAnswer(entry);
}

/** At least two labels: `hostname` and `nexthop` mean something else in a match list. */
const hostNamePattern = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$/;

/**
 * The reason why mail is deferred if Postfix cannot do DANE: a host has TLSA records, or
 * may have them because its lookups failed.
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
    says: `The domain has DANE, and the resolver of Postfix was not seen to validate DNSSEC${reason}.`,
  };
}

/** The reason of a TEMP reply appears in Postfix's log. */
function sayable(reason: string): string {
  return reason.replace(/[^ -~]/g, '?').slice(0, MAX_REASON);
}
