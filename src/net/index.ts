/**
 * The only network port. All traffic leaves through a {@link Network}; guard,
 * budget, recorder, the lab and its attackers wrap or replace it.
 *
 * @example const net = guarded(nodeNetwork()); const dialled = await net.dial({ address:
 * '127.0.0.1', port: 25 }); if (!dialled.ok) console.log(dialled.failure.code); //
 * net-guarded
 */
export { nodeNetwork } from './node-network.js';
export { askSocket, type SocketQuestion } from './node-ask-socket.js';
export { isSocketInUse } from './node-socket-in-use.js';
export { guarded, specialPurpose } from './guarded.js';
export { budgeted, type Budget } from './budgeted.js';
export { recorded, type NetEvent } from './recorded.js';
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
