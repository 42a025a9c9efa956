/**
 * The single port for network traffic. All parts reach the network through a
 * {@link Network}: `dial` opens a TCP connection, `exchange` sends a datagram and returns
 * its answer. Destinations are literal addresses: names are resolved elsewhere.
 *
 * `nodeNetwork` implements the port with sockets of this machine. `guarded` wraps a
 * network and refuses private and special-purpose addresses, because records of foreign
 * domains contain the destinations. The lab and its attackers replace `nodeNetwork` in
 * tests, so that the whole program runs without a network. A test verifies that no other
 * file opens a socket.
 *
 * @example
 * ```ts
 * const net = guarded(nodeNetwork());
 * const dialled = await net.dial({ address: '127.0.0.1', port: 25 });
 * if (!dialled.ok) console.log(dialled.failure.code); // net-guarded
 * ```
 */
export { nodeNetwork } from './node-network.js';
export { askSocket, type SocketQuestion } from './node-ask-socket.js';
export { isSocketInUse } from './node-socket-in-use.js';
export { guarded, specialPurpose } from './guarded.js';
export { netFailures } from './failures.js';
export type {
  Endpoint,
  Connection,
  DialRequest,
  DialResult,
  ExchangeRequest,
  ExchangeResult,
  Network,
  NetFailure,
  NetFailureCode,
} from './types.js';
