import { fail, ok, type Failure, type Result } from '../base/index.js';
import type { Connection, Network } from '../net/index.js';
import { authenticate } from '../tls/index.js';
import type { ChainVerdict, TrustStore } from '../x509/index.js';
import { httpFailures } from './failures.js';
import { watchClosure, type WatchedClosure } from './watch-closure.js';

export interface Secured {
  readonly connection: Connection;
  readonly chainVerdict: ChainVerdict;
  readonly closedByAlert: WatchedClosure['closedByAlert'];
}

export interface SecureDial {
  readonly network: Network;
  /** Literal addresses of the host, tried in turn. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly host: string;
  readonly anchors: TrustStore;
  readonly validationTime: number;
  /** Returns the milliseconds left for all addresses together. */
  left(): number;
  readonly signal: AbortSignal;
}

/**
 * Returns a connection to the first address that completes a handshake. If the
 * certificate of that server is not accepted, the function tries no other address.
 */
export async function secureDial(request: SecureDial): Promise<Result<Secured>> {
  const {
    network,
    addresses,
    port,
    host,
    anchors,
    validationTime: dateOfJudgement,
    left,
    signal,
  } = request;
  let failure: Failure = httpFailures.make('http-unreachable', NO_ADDRESS);
  for (const [at, address] of addresses.entries()) {
    if (left() <= 0) break;
    // Each address gets an equal share of the remaining time, so an address that drops
    // packets cannot use all of the time.
    const timeoutMs = Math.max(1, left() / (addresses.length - at));
    const dialled = await network.dial({ address, port, timeoutMs, signal });
    if (!dialled.ok) {
      failure = notReached(address, dialled.failure.code, failure);
      continue;
    }
    const { connection, watch, closedByAlert } = watchClosure(dialled.connection);
    const shaken = await authenticate({
      connection,
      serverName: host, // [8461-7.1-1]
      anchors,
      validationTime: dateOfJudgement,
      alpn: ['http/1.1'],
      timeoutMs: Math.max(1, left() / (addresses.length - at)),
      signal,
    });
    if (shaken.ok) {
      watch(shaken.value.connection.stream);
      return ok({ ...shaken.value, closedByAlert });
    }
    const judged = certificateFailure(shaken.failure);
    if (judged) return fail(judged);
    failure = httpFailures.make('http-tls-failed', `${address}: ${shaken.failure.code}`);
  }
  return fail(failure);
}

const NO_ADDRESS = 'no address';

/**
 * Returns the failure of this part for a certificate that TLS refused; undefined for
 * another failure of TLS.
 */
export function certificateFailure({ code, detail }: Failure): Failure | undefined {
  const judged = certificateFailures[code];
  return judged && httpFailures.make(judged, detail);
}

const certificateFailures: Readonly<Record<string, Parameters<typeof httpFailures.make>[0]>> = {
  'tls-certificate-untrusted': 'http-certificate-untrusted',
  'tls-certificate-expired': 'http-certificate-expired',
  'tls-certificate-name': 'http-certificate-name',
};

/**
 * Returns the failure to report after one more address without a connection. The guard
 * refuses addresses that no public name may resolve to. If the guard refused every
 * address, the host is not public.
 */
function notReached(address: string, code: string, before: Failure): Failure {
  const isFirst = before.detail === NO_ADDRESS;
  if (code === 'net-guarded' && (isFirst || before.code === 'http-not-public'))
    return httpFailures.make('http-not-public', isFirst ? address : `${before.detail}, ${address}`);
  return httpFailures.make('http-unreachable', `${address}: ${code}`);
}
