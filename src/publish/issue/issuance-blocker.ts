import { Name } from '../../base/index.js';
import {
  formatCaa,
  judgeCaa,
  lookupAddresses,
  lookupCaa,
  type CaaRequest,
  type RelevantCaa,
} from '../../dns/index.js';
import type { Alert } from '../actions.js';
import type { Observer } from '../observe/observer.js';

/** The facts about a planned certificate that CAA and DNSSEC checks need. */
export interface IssuanceRequest extends Omit<CaaRequest, 'wildcard'> {
  /** Every name of the certificate. */
  readonly names: readonly string[];
}

/**
 * Returns the reason why a CA would refuse the certificate: CAA records exclude the CA,
 * the account or the validation method (RFC 8659 §4, RFC 8657), or DNSSEC is bogus at a
 * name that the CA looks up. Returns undefined if no reason is known. Another lookup
 * failure, or a CA with unknown identifiers, does not stop the order: the CA's own lookup
 * may succeed.
 */
export async function findIssuanceBlocker(
  { names, ...request }: IssuanceRequest,
  observer: Pick<Observer, 'resolver' | 'signal'>,
): Promise<Alert | undefined> {
  for (const name of names) {
    const blocker = await blockerOf(name, request, observer);
    if (blocker) return blocker;
  }
  return undefined;
}

async function blockerOf(
  name: string,
  request: Omit<IssuanceRequest, 'names'>,
  { resolver, signal }: Pick<Observer, 'resolver' | 'signal'>,
): Promise<Alert | undefined> {
  const domainName = Name.of(name.replace(/^\*\./, ''));
  const [found, addresses] = await Promise.all([
    lookupCaa(resolver, domainName, { signal }),
    lookupAddresses(resolver, domainName, { signal }),
  ]);
  if (found.status === 'failed' && found.dnssec === 'bogus')
    return bogus(name, `the CAA lookup at ${found.at.toLower()} fails`);
  if (addresses.dnssec === 'bogus') return bogus(name, `the address lookup of ${name} fails`);
  if (found.status !== 'found') return undefined;
  const wildcard = name.startsWith('*.');
  const { answer, reason } = judgeCaa(found.properties, { ...request, wildcard });
  if (answer !== 'refused') return undefined;
  const detail = `${describeCaa(found)}: ${reason}; ${wanted(request)}`;
  return { code: 'publish-caa-refuses', subject: name, detail };
}

function bogus(subject: string, what: string): Alert {
  return { code: 'publish-issuance-bogus', subject, detail: `${what} DNSSEC validation` };
}

/** Maximum number of properties that a message quotes. */
const MAX_QUOTED = 3;

/** Returns the text of the CAA records with the name that owns them. */
function describeCaa({ at, canonicalName, properties }: RelevantCaa): string {
  const where = canonicalName.equals(at)
    ? at.toLower()
    : `${at.toLower()}, an alias of ${canonicalName.toLower()}`;
  const quoted = properties.slice(0, MAX_QUOTED).map(formatCaa).join(', ');
  const more = properties.length > MAX_QUOTED ? ' and others' : '';
  return `CAA at ${where} (${quoted}${more})`;
}

/** Returns the CA, account and methods that the records would have to permit. */
function wanted({ issuers, accountUri, methods }: Omit<IssuanceRequest, 'names'>): string {
  const parts = [
    issuers ? `the CA here is ${issuers.join(' or ')}` : 'no CA may issue',
    ...(accountUri === undefined ? [] : [`account ${accountUri}`]),
    ...(methods ? [`method ${methods.join(' or ')}`] : []),
  ];
  return parts.join(', ');
}
