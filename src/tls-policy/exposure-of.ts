import type { Dnssec } from '../dns/index.js';
import { attackView } from './attack-view.js';
import { decideHost, type Rules } from './decide-host.js';
import { deliverTo } from './deliver-to.js';
import {
  attacks,
  senders,
  type Attack,
  type HostView,
  type DeliveryResult,
  type SenderClass,
  type StsView,
  type View,
} from './types.js';

/** The delivery result for each class of sender under each attack. */
export type Exposure = Readonly<Record<SenderClass, Readonly<Record<Attack, DeliveryResult>>>>;

/**
 * Delivery results from worst to best. Under attack the worst result counts: an attacker
 * who can block hosts chooses the host that a sender reaches.
 */
const worstFirst: readonly DeliveryResult[] = [
  'cleartext',
  'to-attacker',
  'unknown',
  'deferred',
  'unverified',
  'verified',
  'not-applicable',
];

const abilities: Readonly<
  Record<SenderClass, { readonly dane: boolean; readonly mtaSts: 'no' | 'first' | 'cached' }>
> = {
  opportunistic: { dane: false, mtaSts: 'no' },
  mtaStsFirst: { dane: false, mtaSts: 'first' },
  mtaStsCached: { dane: false, mtaSts: 'cached' },
  dane: { dane: true, mtaSts: 'no' },
  bothFirst: { dane: true, mtaSts: 'first' },
  bothCached: { dane: true, mtaSts: 'cached' },
};

/**
 * Predicts how mail to a domain is delivered, by class of sender, without an attack and
 * under each attack. Pure: `check` fills the view from evidence, the lab from a scenario,
 * and the two tables must agree.
 */
export function exposureOf(view: View): Exposure {
  return table((sender, attack) => cell(view, sender, attack));
}

/** Returns one cell of {@link exposureOf}. */
export function cell(view: View, sender: SenderClass, attack: Attack): DeliveryResult {
  const { dane, mtaSts } = abilities[sender];
  const { kind, dnssec } = view.route;
  if (kind === 'null-mx' || kind === 'none') return 'not-applicable';
  if (kind === 'error') return dane && dnssec === 'bogus' ? 'deferred' : 'unknown';

  const attacked = attackView(view, attack, dane);
  // RFC 8461 §3.2: a policy with max_age 0 is never cached, so each message is a first
  // contact.
  const cached = mtaSts === 'cached' && view.mtaSts.maxAge !== 0;
  const found = policiesInForce(cached ? view.mtaSts : attacked.mtaSts, mtaSts).map((policy) =>
    walk(attacked, { dane, mtaSts: policy }, attack),
  );
  return found.every((outcome) => outcome === found[0]) ? (found[0] as DeliveryResult) : 'unknown';
}

/**
 * Returns the policies that a sender may apply; more than one if the result of the fetch
 * is unknown.
 */
function policiesInForce(sts: StsView, knows: 'no' | 'first' | 'cached'): Rules['mtaSts'][] {
  if (knows === 'no') return [undefined];
  switch (sts.live) {
    case 'enforce':
    case 'testing':
    case 'none':
      return [{ mode: sts.live, mx: sts.mx }];
    case 'unknown': // Two cases: no policy, or a policy with unknown patterns.
      return [undefined, { mode: 'enforce', mx: sts.mx }];
    case 'absent':
    case 'unavailable':
      return [undefined];
  }
}

function walk(view: View, rules: Rules, attack: Attack): DeliveryResult {
  const candidates = view.hosts.map((host, place) => ({
    preference: host.preference ?? place,
    outcomes: outcomesAt(host, view.route.dnssec, rules),
  }));
  const all = candidates.flatMap(({ outcomes }) => outcomes);
  // An attacker chooses which servers remain reachable.
  if (attack !== 'none') return worstOf(all);
  // Without an attack, the sender stops at the first server that accepts the mail
  // [7672-2.1.2-4]. Any accepting server of the best preference may be the first, since
  // senders use equal hosts and addresses in any order (RFC 5321 §5.1).
  const preferences = [...new Set(candidates.map(({ preference }) => preference))].sort(
    (left, right) => left - right,
  );
  for (const preference of preferences) {
    const deliveries = candidates
      .filter((candidate) => candidate.preference === preference)
      .flatMap(({ outcomes }) => outcomes)
      .filter((outcome) => outcome !== 'deferred');
    if (deliveries.length > 0) return worstOf(deliveries);
  }
  return 'deferred';
}

function outcomesAt(host: HostView, mxDnssec: Dnssec, rules: Rules): readonly DeliveryResult[] {
  const decision = decideHost(host, mxDnssec, rules);
  if (host.servers.length > 0) return host.servers.map((server) => deliverTo(server, decision));
  return [decision.action === 'unknown' ? 'unknown' : 'deferred'];
}

function worstOf(outcomes: readonly DeliveryResult[]): DeliveryResult {
  return worstFirst.find((outcome) => outcomes.includes(outcome)) ?? 'deferred';
}

function table(fill: (sender: SenderClass, attack: Attack) => DeliveryResult): Exposure {
  return Object.fromEntries(
    senders.map((sender) => [
      sender,
      Object.fromEntries(attacks.map((attack) => [attack, fill(sender, attack)])),
    ]),
  ) as unknown as Exposure;
}
