import { isObject, readMembers, type Members } from './members.js';
import type { Notes } from './notes.js';
import {
  canonicalDomain,
  readAddress,
  readCount,
  readDomain,
  readFailureTotal,
  readList,
  readText,
} from './read-values.js';
import {
  policyTypes,
  resultTypes,
  type FailureDetails,
  type PolicyType,
  type ReportedPolicy,
} from './report.js';

/**
 * Returns the MX patterns in the text of an MTA-STS policy (RFC 8461 §3.2), in A-labels
 * and lower case: some reporters do not quote the policy in its published form.
 */
export function mxPatterns(policyLines: readonly string[]): readonly string[] {
  return policyLines.flatMap((textLine) => {
    const pattern = /^\s*mx[ \t]*:[ \t]*(\S+)/i.exec(textLine)?.[1];
    return pattern === undefined ? [] : (canonicalDomain(pattern) ?? pattern.toLowerCase());
  });
}

/** Other names of policy types, as reporters write them. */
const otherTypes: Readonly<Record<string, PolicyType>> = {
  'mta-sts': 'sts',
  mtasts: 'sts',
  stsv1: 'sts',
  dane: 'tlsa',
  'no-policy': 'no-policy-found',
  none: 'no-policy-found',
};

/**
 * The policy types of RFC 8460 §4.4 as a set, since the type of every policy is looked
 * up.
 */
const knownPolicyTypes: ReadonlySet<string> = new Set(policyTypes);
/** The result types of RFC 8460 §4.3 as a set. */
const knownResultTypes: ReadonlySet<string> = new Set(resultTypes);

/**
 * Reads one element of `policies` (RFC 8460 §4.4); returns undefined for a value that is
 * not an object. Counts remain as reported. If the summary contradicts the details, the
 * contradiction is noted but not corrected, since either may be right.
 */
export function readPolicy(
  jsonValue: unknown,
  memberPath: string,
  notes: Notes,
): ReportedPolicy | undefined {
  if (!isObject(jsonValue))
    return void notes.add('policy-unreadable', memberPath, jsonValue ?? 'null');
  const item = readMembers(jsonValue, 'item', memberPath, notes);
  const policy = part(item, 'policy', memberPath, notes);
  const summary = part(item, 'summary', memberPath, notes);
  const policyString = readList(
    policy['policy-string'],
    `${memberPath}.policy.policy-string`,
    notes,
  );
  const details =
    item['failure-details'] ?? policy['failure-details'] ?? summary['failure-details'];
  const read = readDetails(details, `${memberPath}.failure-details`, notes);
  const failureDetails = read.map(({ detail }) => detail);
  const summed = failureDetails.reduce((sum, detail) => sum + detail.failedSessionCount, 0);
  // A detail without a count still describes a failed session (RFC 8460 §4.4).
  const atLeast = summed + read.filter(({ isCounted }) => !isCounted).length;
  const total = readFailureTotal(
    summary['total-failure-session-count'],
    `${memberPath}.summary.total-failure-session-count`,
    notes,
  );
  // A counted failure shows that the reporter did not fill in the total.
  const isEmpty = total === 0 && summed > 0;
  if (isEmpty) notes.add('total-zero', memberPath, summed);
  const failed = isEmpty ? summed : (total ?? atLeast);
  const ok =
    readCount(
      summary['total-successful-session-count'],
      `${memberPath}.summary.total-successful-session-count`,
      notes,
    ) ?? 0;
  if (failed > 0 && failureDetails.length === 0) notes.add('details-missing', memberPath, failed);
  // RFC 8460 §4: one session can have several failures, so details may add up to more
  // than the total [8460-4-3].
  else if (summed !== failed)
    notes.add(
      summed < failed ? 'details-fewer' : 'details-more',
      memberPath,
      `${summed} of ${failed}`,
    );
  const mxHost = readList(policy['mx-host'], `${memberPath}.policy.mx-host`, notes);
  return {
    policyType: readPolicyType(
      policy['policy-type'],
      policyString,
      `${memberPath}.policy.policy-type`,
      notes,
    ),
    policyDomain: readDomain(policy['policy-domain'], `${memberPath}.policy.policy-domain`, notes),
    policyString,
    mxHost: mxHost.map(
      (hostName, index) =>
        readDomain(hostName, `${memberPath}.policy.mx-host[${index}]`, notes) ?? hostName,
    ),
    totalSuccessfulSessionCount: ok,
    totalFailureSessionCount: failed,
    failureDetails,
  };
}

/**
 * Returns the member `policy` or `summary`, or the element itself if the reporter omitted
 * this level of nesting.
 */
function part(
  item: Members,
  name: 'policy' | 'summary',
  memberPath: string,
  notes: Notes,
): Members {
  const given = item[name];
  const jsonValue: unknown =
    Array.isArray(given) && given.length === 1
      ? (notes.add('level-extra', `${memberPath}.${name}`), given[0])
      : given;
  if (isObject(jsonValue)) return readMembers(jsonValue, name, `${memberPath}.${name}`, notes);
  notes.add('level-missing', `${memberPath}.${name}`, jsonValue);
  return item;
}

/**
 * Reads the type of a policy. A missing type is inferred from the text of the policy, if
 * the form of the text is conclusive. An unknown type is returned as the reporter wrote
 * it.
 */
function readPolicyType(
  jsonValue: unknown,
  strings: readonly string[],
  memberPath: string,
  notes: Notes,
): string {
  const sourceText = readText(jsonValue, memberPath, notes);
  const written = sourceText?.trim().toLowerCase().replace(/[ _]/g, '-');
  const type = Object.hasOwn(otherTypes, written ?? '') ? otherTypes[written ?? ''] : written;
  if (sourceText === undefined || type === undefined || type === '') {
    notes.add('policy-type-missing', memberPath);
    if (strings.some((text) => /^version:\s*STSv1/i.test(text))) return 'sts';
    return strings.some((text) => /^[0-3] [01] [0-2] [0-9a-f]+$/i.test(text)) ? 'tlsa' : 'unknown';
  }
  if (!knownPolicyTypes.has(type)) {
    notes.add('policy-type-unknown', memberPath, sourceText);
    return sourceText;
  }
  if (type !== sourceText) notes.add('text-form', memberPath, sourceText);
  return type;
}

/** A failure, and whether the reporter counted it. */
interface ReadDetail {
  readonly detail: FailureDetails;
  /** Whether the reporter gave a readable count. */
  readonly isCounted: boolean;
}

/** Reads `failure-details`. Elements that are not objects are noted and skipped. */
function readDetails(jsonValue: unknown, memberPath: string, notes: Notes): readonly ReadDetail[] {
  if (jsonValue === undefined) return [];
  if (jsonValue === null) return (notes.add('null-member', memberPath), []);
  if (isObject(jsonValue)) notes.add('list-is-object', memberPath);
  else if (!Array.isArray(jsonValue)) return (notes.unforeseen(memberPath, jsonValue), []);
  const items: readonly unknown[] = Array.isArray(jsonValue) ? jsonValue : [jsonValue];
  return items.flatMap((item, index) => {
    const at = `${memberPath}[${index}]`;
    if (isObject(item)) return readDetail(item, at, notes);
    notes.unforeseen(at, item);
    return [];
  });
}

/** Reads one failure (RFC 8460 §4.3). */
function readDetail(value: Members, memberPath: string, notes: Notes): ReadDetail {
  const members = readMembers(value, 'detail', memberPath, notes);
  const result = readResultType(members['result-type'], `${memberPath}.result-type`, notes);
  const text = (memberName: string): string | undefined =>
    readText(members[memberName], `${memberPath}.${memberName}`, notes);
  const address = (memberName: string): string | undefined =>
    readAddress(members[memberName], `${memberPath}.${memberName}`, notes);
  const host = 'receiving-mx-hostname';
  const sendingMtaIp = address('sending-mta-ip');
  const receivingMxHostname = readDomain(members[host], `${memberPath}.${host}`, notes);
  const receivingMxHelo = text('receiving-mx-helo');
  const receivingIp = address('receiving-ip');
  const count = readCount(
    members['failed-session-count'],
    `${memberPath}.failed-session-count`,
    notes,
  );
  const detail: FailureDetails = {
    resultType: result,
    sendingMtaIp,
    receivingMxHostname,
    receivingMxHelo,
    receivingIp,
    failedSessionCount: count ?? 0,
    additionalInformation: text('additional-information'),
    failureReasonCode: text('failure-reason-code'),
  };
  return { detail, isCounted: count !== undefined };
}

/**
 * Reads a result type. RFC 8460 §6.6 allows new registered types, so an unknown type is
 * not changed [8460-6.6-1].
 */
function readResultType(jsonValue: unknown, memberPath: string, notes: Notes): string {
  const sourceText = readText(jsonValue, memberPath, notes);
  if (sourceText === undefined) {
    notes.add('result-type-missing', memberPath);
    return 'unknown';
  }
  const type = sourceText.trim().toLowerCase().replace(/[ _]/g, '-');
  if (!knownResultTypes.has(type)) {
    notes.add('result-type-unknown', memberPath, sourceText);
    return sourceText;
  }
  if (type !== sourceText) notes.add('text-form', memberPath, sourceText);
  return type;
}
