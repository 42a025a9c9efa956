import { isObject, readMembers, type Members } from './members.js';
import type { Notes } from './notes.js';
import { readAddress, readCount, readDomain, readList, readText } from './read-values.js';
import { policyTypes, resultTypes, type FailureDetails, type ReportedPolicy } from './report.js';

const knownPolicyTypes: ReadonlySet<string> = new Set(policyTypes);
const knownResultTypes: ReadonlySet<string> = new Set(resultTypes);

/** One element of `policies` (RFC 8460 §4.4); undefined for what is no object. */
export function readPolicy(value: unknown, path: string, notes: Notes): ReportedPolicy | undefined {
  if (!isObject(value)) return void notes.add('policy-unreadable', path, value ?? 'null');
  const item = readMembers(value, 'item', path, notes);
  const policy = part(item, 'policy', path, notes);
  const summary = part(item, 'summary', path, notes);
  const policyString = readList(policy['policy-string'], `${path}.policy.policy-string`, notes);
  const details =
    item['failure-details'] ?? policy['failure-details'] ?? summary['failure-details'];
  const failureDetails = readDetails(details, `${path}.failure-details`, notes);
  const summed = failureDetails.reduce((sum, d) => sum + d.failedSessionCount, 0);
  const failed =
    readCount(
      summary['total-failure-session-count'],
      `${path}.summary.total-failure-session-count`,
      notes,
    ) ?? summed;
  const ok =
    readCount(
      summary['total-successful-session-count'],
      `${path}.summary.total-successful-session-count`,
      notes,
    ) ?? 0;
  if (failed > 0 && failureDetails.length === 0) notes.add('details-missing', path, failed);
  // RFC 8460 §4: failures do not exclude each other, so details may add up to more [8460-4-3].
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
      (host, i) => readDomain(host, `${path}.policy.mx-host[${i}]`, notes) ?? host,
    ),
    totalSuccessfulSessionCount: ok,
    totalFailureSessionCount: failed,
    failureDetails,
  };
}

/** The object of that name, or the element itself where the reporter left that level out. */
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
    if (strings.some((s) => /^version:\s*STSv1/i.test(s))) return 'sts';
    return strings.some((s) => /^[0-3] [01] [0-2] [0-9a-f]+$/i.test(s)) ? 'tlsa' : 'unknown';
  }
  if (!knownPolicyTypes.has(type)) {
    notes.add('policy-type-unknown', path, text);
    return text;
  }
  if (type !== text) notes.add('text-form', path, text);
  return type;
}

function readDetails(value: unknown, path: string, notes: Notes): readonly FailureDetails[] {
  if (value === undefined) return [];
  if (value === null) return (notes.add('null-member', path), []);
  if (isObject(value)) notes.add('list-is-object', path);
  else if (!Array.isArray(value)) return (notes.unforeseen(path, value), []);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item, i) => {
    const at = `${path}[${i}]`;
    if (isObject(item)) return readDetail(item, at, notes);
    notes.unforeseen(at, item);
    return [];
  });
}

function readDetail(value: Members, path: string, notes: Notes): FailureDetails {
  const detail = readMembers(value, 'detail', path, notes);
  return {
    resultType: readResultType(detail['result-type'], `${path}.result-type`, notes),
    sendingMtaIp: readAddress(detail['sending-mta-ip'], `${path}.sending-mta-ip`, notes),
    receivingMxHostname: readDomain(
      detail['receiving-mx-hostname'],
      `${path}.receiving-mx-hostname`,
      notes,
    ),
    receivingMxHelo: readText(detail['receiving-mx-helo'], `${path}.receiving-mx-helo`, notes),
    receivingIp: readAddress(detail['receiving-ip'], `${path}.receiving-ip`, notes),
    failedSessionCount:
      readCount(detail['failed-session-count'], `${path}.failed-session-count`, notes) ?? 0,
    additionalInformation: readText(
      detail['additional-information'],
      `${path}.additional-information`,
      notes,
    ),
    failureReasonCode: readText(
      detail['failure-reason-code'],
      `${path}.failure-reason-code`,
      notes,
    ),
  };
}

/** RFC 8460 §6.6 lets the list grow, so an unknown type is kept as it is [8460-6.6-1]. */
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
