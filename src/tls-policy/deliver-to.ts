import type { Decision } from './decide-host.js';
import type { Known, DeliveryResult, ServerView } from './types.js';

type SettledFacts = Readonly<Record<'reachable' | 'starttls' | 'tls' | 'pkix' | 'dane', boolean>>;

const facts = ['reachable', 'starttls', 'tls', 'pkix', 'dane'] as const;

/**
 * Predicts the delivery to one server under a decision. Each unknown fact is assumed both
 * true and false: if all combinations give the same result, that result is returned,
 * otherwise `unknown`. A guess in favour of the server could hide an exposure.
 */
export function deliverTo(server: ServerView, decision: Decision): DeliveryResult {
  // Mail for a host that must not be used is deferred and never bounced (RFC 7672 §2.2
  // [7672-2.2-4]).
  if (decision.action === 'skip') return 'deferred';
  if (decision.action === 'unknown') return 'unknown';
  const found = new Set(
    completions(server).map((settled) => settleFacts(settled, server.attacker, decision)),
  );
  return found.size === 1 ? ([...found][0] as DeliveryResult) : 'unknown';
}

function settleFacts(
  server: SettledFacts,
  attacker: boolean,
  decision: Extract<Decision, { action: 'use' }>,
): DeliveryResult {
  if (!server.reachable) return 'deferred';
  // RFC 3207 §6 [3207-6-1]
  if (!server.starttls || !server.tls) {
    if (decision.tls === 'mandatory') return 'deferred';
    return attacker ? 'to-attacker' : 'cleartext';
  }
  if (!decision.authenticate.every((mechanism) => server[mechanism])) return 'deferred';
  if (attacker) return 'to-attacker';
  return decision.authenticate.length > 0 ? 'verified' : 'unverified';
}

function completions(server: ServerView): SettledFacts[] {
  let all: Partial<SettledFacts>[] = [{}];
  for (const fact of facts) {
    all = all.flatMap((partial) =>
      values(server[fact]).map((value) => ({ ...partial, [fact]: value })),
    );
  }
  return all as SettledFacts[];
}

function values(known: Known): boolean[] {
  return known === 'unknown' ? [true, false] : [known === 'yes'];
}
