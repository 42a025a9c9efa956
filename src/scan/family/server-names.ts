import type { AddressEvidence, PresentedChain } from '../../evidence/index.js';
import type { VisitObservation } from '../facts/observations.js';
import { visitCertificates } from '../facts/visit-certificates.js';
import { visitDigest } from '../grade/facts-key.js';
import { familyOf } from './family-of.js';
import { coversName, PROBED_NAMES, SAMPLE_EVERY, type PlannedVisit } from './inference.js';
import { hashFraction } from './sample.js';

/**
 * The visits to one address whose answer does not depend on the host name. Plain JSON.
 *
 * A client sends the host name only in SNI. A session that ends before the ClientHello is
 * the same for every name. If a server presents its own certificate for a foreign name,
 * it has no certificate for that name; hosting servers of many customers behave in this
 * way.
 */
export interface ServerAtAddress {
  /** The host whose visit represents the other names. */
  readonly model: string;
  readonly digest: string;
  /** The session ended before TLS. */
  readonly beforeTls: boolean;
  /**
   * The organisational domain of a trusted certificate: a CA verified that the operator
   * of the server controls this domain. The names at all servers of this operator are
   * counted together. Absent for other certificates.
   */
  readonly operator?: string | undefined;
  /** Number of further names with the same answer. */
  readonly equal: number;
  /** Number of visited names. */
  readonly visited: number;
  /** The answer for one name differed, so every further name is visited. */
  readonly ended: boolean;
}

/**
 * Decides whether the answer of the server applies to a name. `equalInScan`: names with
 * an equal answer at all servers of the operator.
 */
export function planServerName(
  server: ServerAtAddress,
  {
    host,
    address,
    seed,
  }: { readonly host: string; readonly address: string; readonly seed: string },
  { model, equalInScan }: { readonly model: AddressEvidence; readonly equalInScan: number },
): Exclude<PlannedVisit, 'leave'> {
  if (server.ended) return 'visit';
  const isKnown = Math.max(server.equal, equalInScan) >= PROBED_NAMES;
  if (!server.beforeTls && (!isKnown || coversName(model, host))) return 'visit';
  return hashFraction(seed, address, host) * SAMPLE_EVERY < 1 ? 'check' : 'infer';
}

/**
 * Returns the state after a visit; undefined while no answer applies to other names. An
 * answer that differs ends inference. A session that ended early does not count as a
 * difference.
 */
export function afterServerVisit(
  server: ServerAtAddress | undefined,
  visit: VisitObservation,
): ServerAtAddress | undefined {
  const beforeTls = endsBeforeTls(visit.address);
  const chains = visitCertificates(visit.address);
  if (chains.length === 0 && (!beforeTls || server?.beforeTls === false)) return server;
  const isForeign = beforeTls || !coversName(visit.address, visit.host);
  const digest = visitDigest(visit.address);
  if (server) {
    const isEqual = server.digest === digest;
    const counted = isEqual && isForeign ? 1 : 0;
    return {
      ...server,
      equal: server.equal + counted,
      visited: server.visited + (isForeign ? 1 : 0),
      ended: server.ended || !isEqual,
    };
  }
  if (!isForeign) return undefined;
  const operator = beforeTls ? undefined : operatorOfServer(visit.address);
  return { model: visit.host, digest, beforeTls, operator, equal: 0, visited: 1, ended: false };
}

/**
 * Returns whether no connection sent a ClientHello, so that the server does not know the
 * name.
 */
function endsBeforeTls({ connections }: AddressEvidence): boolean {
  return (
    connections.length > 0 &&
    connections.every(
      ({ dial, starttls, failure }) =>
        dial !== 'open' || (starttls === 'absent' && failure === undefined),
    )
  );
}

function operatorOfServer({ connections }: AddressEvidence): string | undefined {
  const shown = connections.flatMap(({ handshake }) => (handshake ? [handshake] : []));
  if (shown.length === 0 || !shown.every(isTrusted)) return undefined;
  const [leaf] = visitCertificates({ connections } as AddressEvidence)[0] ?? [];
  const name = leaf?.dnsNames[0];
  return name === undefined ? undefined : familyOf(name.replace(/^\*\./, ''));
}

function isTrusted({ pkix }: PresentedChain): boolean {
  return pkix.chain === 'trusted' && pkix.validity === 'valid';
}
