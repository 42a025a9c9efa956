import type { View } from '../../tls-policy/index.js';
import { caseNames } from '../cases/case-names.js';
import type { SenderCase } from '../cases/sender-case.js';
import { viewOfCase } from '../cases/view-of-case.js';
import { predictDelivery, type PredictedDelivery, type ServerFacts } from './predict-delivery.js';
import { requirementOf, type PolicyInForce } from './requirement.js';
import type { SenderModel } from './sender-model.js';

/** The zone under which the names of the cases are formed for a prediction. */
const ZONE = 'sender.example';

/** The predicted outcome of one case. */
export interface CasePrediction {
  readonly case: SenderCase;
  readonly delivery: PredictedDelivery;
}

/** Predicts every case for a sender. Pure. */
export function predictCases(
  model: SenderModel,
  cases: readonly SenderCase[],
): readonly CasePrediction[] {
  return cases.map((senderCase) => ({
    case: senderCase,
    delivery: predictCase(model, senderCase),
  }));
}

function predictCase(model: SenderModel, senderCase: SenderCase): PredictedDelivery {
  const hindered = hindrance(model, senderCase);
  if (hindered) return hindered;
  const message = senderCase.withdrawn ? 2 : 1;
  const view = asResolved(viewOfCase(senderCase, message), model);
  const [host] = view.hosts;
  if (host === undefined) return unreached(model);
  const policy = policyInForce(view, senderCase);
  return predictDelivery(
    model,
    requirementOf({ rules: model.rules, host, mxDnssec: view.route.dnssec, policy }),
    serverFacts(senderCase, view),
  );
}

/**
 * Returns the facts that decide before the rules for TLS: another server, or the address
 * family.
 */
function hindrance(model: SenderModel, { zone }: SenderCase): PredictedDelivery | undefined {
  const { smartHost, families } = model;
  if (!smartHost.known)
    return { result: 'unknown', reason: smartHost.reason, source: smartHost.source };
  if (smartHost.value !== undefined)
    return {
      result: 'unknown',
      reason: `mail goes through ${smartHost.value}, so that server decides`,
      source: smartHost.source,
    };
  const { resolver } = model;
  if (zone.dnssec === 'bogus' && !resolver.known)
    return { result: 'unknown', reason: resolver.reason, source: resolver.source };
  const { family } = zone;
  if (family === undefined) return undefined;
  const name = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;
  const { source } = families;
  if (families.known && families.value !== 'both' && families.value !== family)
    return { result: 'deferred', reason: `the sender uses ${name[families.value]} only`, source };
  // Nearly every mail server has IPv4, and a configuration shows whether IPv4 is
  // disabled.
  if (family === 'ipv4' && families.known) return undefined;
  return {
    result: 'unknown',
    reason: `the result depends on the ${name[family]} connection of the sender`,
    source,
  };
}

function unreached({ rules }: SenderModel): PredictedDelivery {
  return { result: 'unknown', reason: 'the case has no host', source: rules.tls.source };
}

/**
 * Returns the view of the case through the resolver of the sender: without validation, no
 * answer is bogus or counts as signed.
 */
export function asResolved(view: View, { resolver }: Pick<SenderModel, 'resolver'>): View {
  if (!resolver.known || resolver.value === 'validates') return view;
  return {
    ...view,
    route: { kind: view.route.kind === 'error' ? 'mx' : view.route.kind, dnssec: 'insecure' },
    hosts: view.hosts.map((host) => ({ ...host, dnssec: 'insecure', tlsa: 'insecure' })),
  };
}

/**
 * Returns the policy in the cache of a sender: in a withdrawn case, the policy of the
 * first message.
 */
function policyInForce(view: View, senderCase: SenderCase): PolicyInForce | undefined {
  const { live, mx } = senderCase.withdrawn ? viewOfCase(senderCase, 1).mtaSts : view.mtaSts;
  const { policy } = senderCase;
  if (live === 'unknown') return policy && { mode: policy.mode, mx, otherMediaType: true };
  if (live === 'absent' || live === 'unavailable') return undefined;
  return { mode: live, mx };
}

function serverFacts(senderCase: SenderCase, view: View): ServerFacts {
  const { id, host } = senderCase;
  const { domain, mxHost } = caseNames(id, 'me', ZONE);
  const server = view.hosts[0]?.servers[0];
  const starttls = {
    offered: 'offered',
    broken: 'offered',
    deferred: 'refused',
    absent: 'absent',
  } as const;
  let needs: ServerFacts['needs'];
  if (host.suites !== undefined) needs = 'oldSuites';
  else if (host.dropsLargeHello) needs = 'smallHello';
  else if (host.requiresHybrid) needs = 'hybridGroup';
  return {
    starttls: senderCase.withdrawn ? 'absent' : starttls[host.starttls ?? 'offered'],
    handshake: host.starttls === 'broken' ? 'fails' : 'works',
    needs,
    version: host.version,
    needsServerName: host.withoutSni === 'refused',
    pkix: server?.pkix ?? 'unknown',
    dane: server?.dane ?? 'unknown',
    attacker: false,
    name: mxHost,
    domain,
  };
}
