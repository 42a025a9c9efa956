import type { Step } from '../actions.js';
import { nextChange } from './next-change.js';
import { nextDeployment, pendingDeployments } from './next-deployment.js';
import { findBlockers } from './blockers.js';
import { applyRolloverObservation, publishedRrset } from './apply-observation.js';
import type {
  RolloverAction,
  RolloverObservation,
  TlsaRolloverState,
  RolloverStep,
  DesiredRollover,
} from './types.js';

/**
 * Returns the state of a host before its first observation. The records belong to the
 * name of the host itself, so all domains that use it as MX share them. [7672-2.2.3-6]
 */
export function startRollover(hostName: string, portNumber = 25): TlsaRolloverState {
  return {
    schema: 'hermetic.rollover/1',
    host: hostName,
    owner: `_${portNumber}._tcp.${hostName}`,
    alive: [],
    slots: {},
  };
}

/**
 * Plans one step of a TLSA rollover (RFC 7671 §8).
 *
 * The invariant: *every RRset that may be in a cache matches every key that the server
 * may present*. Therefore an RRset is published only when it covers every presentable
 * key, and a key is deployed only when every cached RRset covers it.
 *
 * The plan makes one change at a time [7671-8.4-2] , in this order: repair a missing
 * match, change the parameters, remove a retired key, announce the next key, deploy it.
 * The operator or the age of a key starts a deployment.
 *
 * The returned state must be saved before its steps are executed. A crash at any point is
 * then harmless: every action can be repeated. Pure.
 */
export function stepRollover(
  before: TlsaRolloverState,
  observed: RolloverObservation,
  desired: DesiredRollover,
): RolloverStep {
  const tlsaRolloverState = applyRolloverObservation(before, observed, desired.types);
  const { dns, server, alerts } = findBlockers(tlsaRolloverState, observed, desired);
  const holdWith = (waits: RolloverStep['waits']): RolloverStep => ({
    state: tlsaRolloverState,
    steps: pendingDeployments(tlsaRolloverState),
    waits,
    alerts,
  });
  if (dns.length > 0) return holdWith(dns);
  const pending = tlsaRolloverState.pushing;
  if (pending)
    return {
      ...holdWith([serversBehind(tlsaRolloverState, observed)]),
      steps: [repeatChange(tlsaRolloverState.owner, pending)],
    };
  const published = publishedRrset(observed);
  if (!published) return holdWith([serversBehind(tlsaRolloverState, observed)]);
  const rrsetChange = nextChange(tlsaRolloverState, published, observed, desired);
  if (rrsetChange && (rrsetChange.harmless || server.length === 0)) {
    const pushing = { from: published.own, to: rrsetChange.to };
    const { action } = repeatChange(tlsaRolloverState.owner, pushing);
    return {
      state: { ...tlsaRolloverState, pushing, alive: [...tlsaRolloverState.alive, rrsetChange.to] },
      steps: [{ action, because: rrsetChange.because, clause: rrsetChange.clause }],
      waits: [],
      alerts,
    };
  }
  if (server.length > 0) return holdWith(server);
  return { ...nextDeployment(tlsaRolloverState, observed, desired), alerts };
}

function repeatChange(
  ownerName: string,
  { from, to }: NonNullable<TlsaRolloverState['pushing']>,
): Step<RolloverAction> {
  return {
    action: { kind: 'set-rrset', name: ownerName, type: 'TLSA', from, to: to.records, ttl: to.ttl },
    because:
      'the change was started and not every authoritative server shows it; repeating it changes nothing',
    clause: 'RFC 2136 §2.4',
  };
}

function serversBehind(
  { owner }: TlsaRolloverState,
  observed: RolloverObservation,
): RolloverStep['waits'][number] {
  return { subject: owner, why: whyUnpublished(observed) };
}

function whyUnpublished(observed: RolloverObservation): string {
  const { nameservers, dnssec } = observed;
  const silent = nameservers
    .filter(({ rrset, alias }) => rrset === 'unknown' && alias === undefined)
    .map(({ server }) => server);
  if (silent.length > 0) return `no answer from ${silent.join(', ')}`;
  if (nameservers.length === 0) return 'no answer from any authoritative server';
  if (publishedRrset(observed))
    return 'every authoritative server still shows the records from before the change';
  if (dnssec === 'secure' || dnssec === 'insecure')
    return 'the authoritative servers do not all show the same records yet';
  return `the answer cannot be validated (${dnssec})`;
}
