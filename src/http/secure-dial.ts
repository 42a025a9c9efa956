import { fail, ok, type Failure, type Result } from '../base/index.js';
import type { Conn, Network } from '../net/index.js';
import { handshake } from '../tls/index.js';
import { accepts, matchesDnsName, parseCertificate, verifyChain, type ChainVerdict, type TrustStore } from '../x509/index.js';
import { httpFailures } from './failures.js';

export interface Secured {
  readonly conn: Conn;
  readonly chainVerdict: ChainVerdict;
}

export interface SecureDial {
  readonly network: Network;
  /** Literals, tried in turn. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly host: string;
  readonly anchors: TrustStore;
  readonly at: number;
  /** Milliseconds left for all addresses together. */
  left(): number;
  readonly signal: AbortSignal;
}

/**
 * A connection to the first address that completes a handshake. Then its certificate decides: another address is not a second chance for a server that
 * answered with a bad one.
 */
export async function secureDial(request: SecureDial): Promise<Result<Secured>> {
  const { network, addresses, port, host, left, signal } = request;
  let failure: Failure = httpFailures.make('http-unreachable', 'no address');
  for (const [at, address] of addresses.entries()) {
    if (left() <= 0) break;
    // An address that swallows everything leaves its share of the time to the others.
    const timeoutMs = Math.max(1, left() / (addresses.length - at));
    const dialled = await network.dial({ address, port, timeoutMs, signal });
    if (!dialled.ok) {
      failure = httpFailures.make('http-unreachable', `${address}: ${dialled.failure.code}`);
      continue;
    }
    const shaken = await handshake({
      conn: dialled.conn,
      servername: host, // [8461-7.1-1]
      alpn: ['http/1.1'],
      minVersion: 'TLSv1.2',
      timeoutMs: Math.max(1, left() / (addresses.length - at)),
      signal,
    });
    if (!shaken.ok) {
      failure = httpFailures.make('http-tls-failed', `${address}: ${shaken.failure.code}`);
      continue;
    }
    const judged = judge(shaken.facts.chain, request);
    if (judged.ok) return ok({ conn: shaken.conn, chainVerdict: judged.value });
    shaken.conn.close();
    return judged;
  }
  return fail(failure);
}

/** [8461-3.3-1, 8461-3.3-3] */
function judge(chain: readonly Uint8Array[], { host, anchors, at }: SecureDial): Result<ChainVerdict> {
  const [leaf, ...rest] = chain.map(parseCertificate);
  if (!leaf?.ok) return fail(httpFailures.make('http-certificate-untrusted', leaf ? leaf.failure.code : 'x509-no-certificate'));
  const sent = [leaf.value, ...rest.flatMap((parsed) => (parsed.ok ? [parsed.value] : []))];
  const verdict = verifyChain({ sent, anchors, at });
  const { chain: trust, validity, problems } = verdict;
  if (trust !== 'trusted') return fail(httpFailures.make('http-certificate-untrusted', problems.join(' ')));
  if (validity !== 'valid') return fail(httpFailures.make('http-certificate-expired', validity));
  if (!accepts(verdict)) return fail(httpFailures.make('http-certificate-untrusted', problems.join(' ')));
  if (!matchesDnsName(leaf.value, host)) return fail(httpFailures.make('http-certificate-name', leaf.value.subjectText));
  return ok(verdict);
}
