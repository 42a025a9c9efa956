import { countOf } from '../../base/index.js';
import { kindOf } from './check-evidence.js';
import type { ReporterComparison } from './compare-reporters.js';
import type { FailureGroup } from './group-failures.js';

/** The failure and the comparison of reporters that a sentence describes. */

interface Compared {
  readonly group: FailureGroup;
  readonly compared: ReporterComparison;
}

/** The share of sessions below which a failure may be a lost connection. */
export const SPORADIC = 1 / 20;
/** Returns the sentence that explains why so few failures prove no fault. */
export function fewFailed({ group, compared }: Compared): string {
  if (group.lostConnections)
    return 'The reasons in the reports are lost connections, not faults of TLS or of a policy.';
  if (group.sessions === 0) return UNCOUNTED;
  if (compared.ownRate < SPORADIC)
    return `Only ${percent(compared.ownRate)} of the sessions of these reporters failed in this way, a rate typical of lost connections.`;
  return `${sessionsOf(group)} failed in this way: so few failures may be lost connections.`;
}

const UNCOUNTED =
  'The reports give no number of these sessions, so they may be a few lost connections.';

/**
 * Returns the sentence that explains why failures of a small share of the sessions prove
 * no fault.
 */
export function rarelyFailed({ group, compared }: Compared): string {
  if (group.sessions === 0) return UNCOUNTED;
  return compared.rate < SPORADIC
    ? `Only ${percent(compared.rate)} of the sessions of these reporters failed.`
    : `${sessionsOf(group)} failed in this way (${percent(compared.rate)}): too few to distinguish a fault from chance.`;
}

/** Returns the number of failed sessions as text: `Only 1 session`, `Only 3 sessions`. */
function sessionsOf({ sessions }: FailureGroup): string {
  return `Only ${countOf(sessions, 'session')}`;
}

/**
 * Returns the words for the success of an unaffected reporter, which depend on the kind
 * of the failure.
 */
export function sparedDoing({ result }: FailureGroup): string {
  const kind = kindOf(result);
  if (kind === 'policy-file') return 'fetched the policy';
  return kind === 'starttls' ? 'had TLS sessions' : 'applied the same policy';
}

/** Returns the name of the data in which a reporter observes the fault. */
export function receivedBy({ result }: FailureGroup): string {
  const kind = kindOf(result);
  if (kind === 'policy-file') return 'The answer of the policy host';
  if (kind === 'starttls') return 'The reply to EHLO';
  return kind === 'dnssec' ? 'The DNS answers' : 'The certificate chain or DNS answers';
}

/**
 * Returns the sentence that explains why the failures of these reporters alone do not
 * prove a cause.
 */
export function alone({ group, compared }: Compared): string {
  if (compared.affected.length > 1)
    return `${names(compared.affected)} saw failures that do not confirm each other: the failures differ in days or shares of the sessions, are too few, or come from one network.`;
  const who = names(group.reporters);
  const nothing = 'so there is nothing to compare with';
  if (compared.unaffected.length > 0)
    return `Only ${who} reports the failure, and the others had too few sessions for a comparison.`;
  if (compared.without > 0)
    return `Only ${who} reports the failure; the other reporters did not apply this policy to this host, ${nothing}.`;
  return `Only ${who} sent comparable reports on these days, ${nothing}.`;
}

/** Joins the names of reporters: `a`, `a and b`, `4 reporters`. */
export function names(reporters: readonly string[]): string {
  if (reporters.length === 0) return 'the reporter';
  return reporters.length <= 3 ? reporters.join(' and ') : `${reporters.length} reporters`;
}

/** Returns a share with one decimal, at least 0.1 %. */
export function percent(share: number): string {
  return `${Math.max(0.1, Math.round(share * 1000) / 10)} %`;
}
