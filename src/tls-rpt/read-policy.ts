import { isObject, readMembers, type Members } from './members.js';
import type { Notes } from './notes.js';
import {
  readAddress,
  readCount,
  readDomain,
  readFailureTotal,
  readList,
  readText,
} from './read-values.js';
import { policyTypes, resultTypes, type FailureDetails, type ReportedPolicy } from './report.js';

/** The policy types of RFC 8460 §4.4 as a set, since every policy is looked up. */
const knownPolicyTypes: ReadonlySet<string> = new Set(policyTypes);
/** The result types of RFC 8460 §4.3 as a set. */
const knownResultTypes: ReadonlySet<string> = new Set(resultTypes);

/**
 * Reads one element of `policies` (RFC 8460 §4.4); undefined for a value that is not an
 * object. Counts stay as reported: a summary that contradicts its details is noted and
 * not corrected, since either may be right.
 */
export function readPolicy(value: unknown, path: string, notes: Notes): ReportedPolicy | undefined {
  if (!isObject(value)) return void notes.add('policy-unreadable', path, value ?? 'null');
  const item = readMembers(value, 'item', path, notes);
  const policy = part(item, 'policy', path, notes);
  const summary = part(item, 'summary', path, notes);
  const policyString = readList(policy['policy-string'], `${path}.policy.policy-string`, notes);
  const details =
    item['failure-details'] ?? policy['failure-details'] ?? summary['failure-details'];
  const read = readDetails(details, `${path}.failure-details`, notes);
  const failureDetails = read.map(({ detail }) => detail);
  const summed = failureDetails.reduce((sum, detail) => sum + detail.failedSessionCount, 0);
  // A detail without a count still describes a failed session (RFC 8460 §4.4).
  const atLeast = summed + read.filter(({ isCounted }) => !isCounted).length;
  const failed =
    readFailureTotal(
      summary['total-failure-session-count'],
      `${path}.summary.total-failure-session-count`,
      notes,
    ) ?? atLeast;
  const ok =
    readCount(
      summary['total-successful-session-count'],
      `${path}.summary.total-successful-session-count`,
      notes,
    ) ?? 0;
  if (failed > 0 && failureDetails.length === 0) notes.add('details-missing', path, failed);
  // RFC 8460 §4: failures do not exclude each other, so details may add up to more
  // [8460-4-3].
  else if (summed !== failed)
    notes.add(summed < failed ? 'details-fewer' : 'details-more', path, `${summed} of ${failed}`);
  const mxHost = readList(policy['mx-host'], `${path}.policy.mx-host`, notes);
  return {
    policyType: readPolicyType(
      policy['policy-type'],
      policyString,
      `${path}.policy.policy-type`,
      notes,
    ),
    policyDomain: readDomain(policy['policy-domain'], `${path}.policy.policy-domain`, notes),
    policyString,
    mxHost: mxHost.map(
      (host, index) => readDomain(host, `${path}.policy.mx-host[${index}]`, notes) ?? host,
    ),
    totalSuccessfulSessionCount: ok,
    totalFailureSessionCount: failed,
    failureDetails,
  };
}

/**
 * Returns the object of that name, or the element itself where the reporter left the
 * level out.
 */
function part(item: Members, name: 'policy' | 'summary', path: string, notes: Notes): Members {
  const given = item[name];
  const value: unknown =
    Array.isArray(given) && given.length === 1
      ? (notes.add('level-extra', `${path}.${name}`), given[0])
      : given;
  if (isObject(value)) return readMembers(value, name, `${path}.${name}`, notes);
  notes.add('level-missing', `${path}.${name}`, value);
  return item;
}

/**
 * Reads the type of a policy. A missing one is inferred from the text of the policy,
 * where its form leaves no doubt; an unknown one is kept as written.
 */
function readPolicyType(
  value: unknown,
  strings: readonly string[],
  path: string,
  notes: Notes,
): string {
  const text = readText(value, path, notes);
  const type = text?.trim().toLowerCase().replace(/[ _]/g, '-');
  if (text === undefined || type === undefined || type === '') {
    notes.add('policy-type-missing', path);
    if (strings.some((text) => /^version:\s*STSv1/i.test(text))) return 'sts';
    return strings.some((text) => /^[0-3] [01] [0-2] [0-9a-f]+$/i.test(text)) ? 'tlsa' : 'unknown';
  }
  if (!knownPolicyTypes.has(type)) {
    notes.add('policy-type-unknown', path, text);
    return text;
  }
  if (type !== text) notes.add('text-form', path, text);
  return type;
}

/** A failure with the origin of its count. */
interface ReadDetail {
  readonly detail: FailureDetails;
  /** Whether the reporter gave a readable count. */
  readonly isCounted: boolean;
}

/** Reads `failure-details`; elements that are not objects are set aside. */
function readDetails(value: unknown, path: string, notes: Notes): readonly ReadDetail[] {
  if (value === undefined) return [];
  if (value === null) return (notes.add('null-member', path), []);
  if (isObject(value)) notes.add('list-is-object', path);
  else if (!Array.isArray(value)) return (notes.unforeseen(path, value), []);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item, index) => {
    const at = `${path}[${index}]`;
    if (isObject(item)) return readDetail(item, at, notes);
    notes.unforeseen(at, item);
    return [];
  });
}

/** Reads one failure (RFC 8460 §4.3). */
function readDetail(value: Members, path: string, notes: Notes): ReadDetail {
  const members = readMembers(value, 'detail', path, notes);
  const result = readResultType(members['result-type'], `${path}.result-type`, notes);
  const text = (name: string): string | undefined =>
    readText(members[name], `${path}.${name}`, notes);
  const address = (name: string): string | undefined =>
    readAddress(members[name], `${path}.${name}`, notes);
  const host = 'receiving-mx-hostname';
  const sendingMtaIp = address('sending-mta-ip');
  const receivingMxHostname = readDomain(members[host], `${path}.${host}`, notes);
  const receivingMxHelo = text('receiving-mx-helo');
  const receivingIp = address('receiving-ip');
  const count = readCount(members['failed-session-count'], `${path}.failed-session-count`, notes);
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
 * Reads a result type. RFC 8460 §6.6 lets the registry grow, so an unknown type is kept
 * as it is [8460-6.6-1].
 */
function readResultType(value: unknown, path: string, notes: Notes): string {
  const text = readText(value, path, notes);
  if (text === undefined) {
    notes.add('result-type-missing', path);
    return 'unknown';
  }
  const type = text.trim().toLowerCase().replace(/[ _]/g, '-');
  if (!knownResultTypes.has(type)) {
    notes.add('result-type-unknown', path, text);
    return text;
  }
  if (type !== text) notes.add('text-form', path, text);
  return type;
}
