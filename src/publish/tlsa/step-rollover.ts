import type { Step } from '../actions.js';
import { nextChange } from './next-change.js';
import { nextDeployment, pendingDeployments } from './next-deployment.js';
import { blockers } from './blockers.js';
import { publishedRrset, readWorld } from './apply-observation.js';
import type {
  RolloverAction,
  RolloverReading,
  RolloverState,
  RolloverStep,
  DesiredRollover,
} from './types.js';

/**
 * A host nothing is known of yet. Its records stand at its own name, whoever uses it as
 * MX. [7672-2.2.3-6]
 */
export function startRollover(host: string, port = 25): RolloverState {
  return {
    schema: 'hermetic.rollover/1',
    host,
    owner: `_${port}._tcp.${host}`,
    alive: [],
    slots: {},
  };
}

/**
 * One step of a TLSA rollover (RFC 7671 §8). The rule it rests on: *what may be in a
 * cache matches whatever the server may show*. So an RRset is published only when it
 * covers every key that may be shown, and a key is deployed only when every RRset that
 * may be alive covers it. One change at a time [7671-8.4-2], in this order: repair,
 * parameters, retire, announce the next key; deploy it when a person or its age asks for
 * it.
 *
 * The state that is returned must be written down before its steps are carried out; then
 * a crash at any point is harmless.
 */
export function stepRollover(
  before: RolloverState,
  seen: RolloverReading,
  wish: DesiredRollover,
): RolloverStep {
  const state = readWorld(before, seen, wish.types);
  const { dns, server, alerts } = blockers(state, seen, wish);
  const hold = (waits = dns): RolloverStep => ({
    state,
    steps: pendingDeployments(state),
    waits,
    alerts,
  });
  if (dns.length > 0) return hold();
  if (state.pushing)
    return { ...hold([behind(state, seen)]), steps: [resent(state.owner, state.pushing)] };
  const published = publishedRrset(seen);
  if (!published) return hold([behind(state, seen)]);
  const change = nextChange(state, published, seen, wish);
  if (change && (change.harmless || server.length === 0)) {
    const pushing = { from: published.own, to: change.to };
    const { action } = resent(state.owner, pushing);
    const sent = { ...state, pushing, alive: [...state.alive, change.to] };
    return {
      state: sent,
      steps: [{ action, because: change.because, clause: change.clause }],
      waits: [],
      alerts,
    };
  }
  return server.length > 0 ? hold(server) : { ...nextDeployment(state, seen, wish), alerts };
}

function resent(
  owner: string,
  { from, to }: NonNullable<RolloverState['pushing']>,
): Step<RolloverAction> {
  return {
    action: { kind: 'set-rrset', name: owner, type: 'TLSA', from, to: to.records, ttl: to.ttl },
    because:
      'it was begun and is not on every authoritative server yet; setting it again changes nothing',
    clause: 'RFC 2136 §2.4',
  };
}

function behind(
  state: RolloverState,
  { nameservers, dnssec }: RolloverReading,
): RolloverStep['waits'][number] {
  const silent = nameservers
    .filter(({ rrset, alias }) => rrset === 'unknown' && alias === undefined)
    .map(({ server }) => server);
  const why =
    silent.length > 0 || nameservers.length === 0
      ? `no answer from ${silent.join(', ') || 'any authoritative server'}`
      : dnssec === 'secure' || dnssec === 'insecure'
        ? 'the authoritative servers do not all show the same records yet'
        : `the answer cannot be validated (${dnssec})`;
  return { subject: state.owner, why };
}
