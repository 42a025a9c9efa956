import type { Decision } from './decide-host.js';
import type { Known, DeliveryResult, ServerView } from './types.js';

type SettledFacts = Readonly<Record<'reachable' | 'starttls' | 'tls' | 'pkix' | 'dane', boolean>>;

const facts = ['reachable', 'starttls', 'tls', 'pkix', 'dane'] as const;

/**
 * What becomes of mail handed to one server under a decision. Unknown facts are tried
 * both ways: where every way ends alike the outcome is known, else it is `unknown`.
 */
export function deliverTo(server: ServerView, decision: Decision): DeliveryResult {
  // A host that must not be used delays the mail, it never bounces it (RFC 7672 §2.2
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
