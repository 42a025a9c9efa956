import type { CheckResult } from '../../evidence/index.js';
import type { Attack, Sender } from '../../policy/index.js';
import { whyUnclear } from './why-unclear.js';
import { senderNames } from './words.js';

const hostile: readonly Attack[] = ['stripStarttls', 'swapCertificate', 'spoofMx', 'suppress'];

/** What happens to this domain's mail today and under attack: two sentences. */
export function headline(result: CheckResult): string {
  const { exposure, route } = result;
  const nonexistent = result.findings.find((f) => f.id === 'domain-nonexistent');
  if (nonexistent) return `${nonexistent.title}.`;
  if (route.kind === 'null-mx') return 'This domain says that it takes no mail.';
  if (route.kind === 'none') return 'This domain has no mail host: mail to it bounces at once.';
  const all = Object.keys(senderNames) as Sender[];
  const now = (outcome: string): Sender[] => all.filter((s) => exposure[s].none === outcome);
  const held = all.filter((s) => hostile.every((a) => exposure[s][a] === 'deferred'));
  const lost = all.filter((s) =>
    hostile.some((a) => ['cleartext', 'to-attacker'].includes(exposure[s][a])),
  );
  return `${today(all, now) ?? unclear(result)} ${attacked(all, held, lost)}`;
}

function today(all: readonly Sender[], now: (outcome: string) => Sender[]): string | undefined {
  const is = (outcome: string): boolean => now(outcome).length === all.length;
  if (is('cleartext')) return 'Today mail travels in clear text.';
  if (is('deferred')) return 'Today no mail gets through: it waits and finally bounces.';
  if (is('unverified')) return 'Today mail travels encrypted, but no sender verifies to whom.';
  const waiting = now('deferred');
  if (waiting.length > 0) {
    const others =
      waiting.length + now('cleartext').length === all.length
        ? '; that of the others travels in clear text'
        : '';
    return `Today mail from senders with ${classes(waiting)} waits and finally bounces${others}.`;
  }
  if (now('verified').length > 0)
    return `Today mail travels encrypted, and verified from senders with ${classes(now('verified'))}.`;
  if (now('cleartext').length > 0)
    return `Today mail from ${now('opportunistic').length > 0 ? 'senders that check nothing' : 'most senders'} travels in clear text.`;
  return undefined;
}

function unclear(result: CheckResult): string {
  const why = whyUnclear(result);
  // What one server did not say is told below, beside that server.
  const because =
    why && why.id !== 'mx-inconclusive'
      ? `: ${why.title.charAt(0).toLowerCase()}${why.title.slice(1)}`
      : '';
  return `What happens to mail today could not be told from here${because}.`;
}

function attacked(
  all: readonly Sender[],
  held: readonly Sender[],
  lost: readonly Sender[],
): string {
  if (lost.length === all.length)
    return 'An attacker on the path can read the mail of every sender.';
  if (held.length > 0 && lost.length > 0)
    return `Under attack, mail from senders with ${classes(held)} waits; that of the others can be read.`;
  if (lost.length > 0)
    return `Under attack, mail from ${lost.length === 1 ? 'senders that check nothing' : 'unprotected senders'} can be read; for the others it could not be told.`;
  return held.length === all.length
    ? 'Under attack it waits as well.'
    : 'What an attacker could do could not be told.';
}

function classes(senders: readonly Sender[]): string {
  const dane = senders.includes('dane');
  const sts = senders.includes('mtaStsCached');
  if (dane && sts) return 'DANE or MTA-STS';
  if (dane) return 'DANE';
  if (sts) return 'MTA-STS';
  return 'both DANE and MTA-STS';
}
