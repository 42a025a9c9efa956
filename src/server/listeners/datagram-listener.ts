import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../listen-address.js';
import type { DatagramPort } from '../service.js';
import type { Listener } from './listener-set.js';
import { unavailable } from './open-port.js';
import { ResponseRate } from './response-rate.js';

/** Settings of a port for datagrams. */
export interface DatagramSettings extends Pick<DatagramPort, 'answer' | 'perSecond'> {
  /** The number of descriptors: one, which all clients share. */
  readonly limits: { readonly connections: number };
}

/**
 * Octets in the system's receive buffer, which holds questions that arrive in one burst.
 */
const RECEIVE_BUFFER = 1 << 20;
/**
 * Maximum number of answers that the system has not yet sent. The port drops further
 * questions.
 */
const MAX_WAITING = 1000;

/**
 * Listens for datagrams and answers them, up to the permitted rate for each network.
 * Rejects with a HermeticError when the address is not available.
 */
export async function listenDatagrams(
  listenAddress: ListenAddress,
  settings: DatagramSettings,
): Promise<Listener<DatagramSettings>> {
  if ('path' in listenAddress)
    throw new TypeError(`${listenAddress.path}: datagrams need an address and a port`);
  const port = new DatagramListener(settings);
  await port.bind(listenAddress);
  return port;
}

class DatagramListener implements Listener<DatagramSettings> {
  readonly open = 0;
  accepted = 0;
  refused = 0;
  most = 1;
  #socket: Socket | undefined;
  #at: ListenAddress = { address: '', port: 0 };
  #rate: ResponseRate;
  #waiting = 0;

  constructor(private settings: DatagramSettings) {
    this.#rate = new ResponseRate(settings.perSecond);
  }

  get at(): ListenAddress {
    return this.#at;
  }

  async bind(listenAddress: Exclude<ListenAddress, { readonly path: string }>): Promise<void> {
    const { address, port, ipv6Only = false } = listenAddress;
    const socket = createSocket({
      type: isIPv6(address) ? 'udp6' : 'udp4',
      ipv6Only,
      recvBufferSize: RECEIVE_BUFFER,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) =>
        reject(unavailable(listenAddress, error)),
      );
      socket.bind({ address, port, exclusive: true }, resolve);
    });
    // The socket reports an undeliverable answer as an error, which is ignored: the
    // client asks again.
    socket.removeAllListeners('error').on('error', () => undefined);
    socket.on('message', (query, peer) => this.#receive(query, peer));
    this.#socket = socket;
    this.#at = { ...listenAddress, port: socket.address().port };
  }

  #receive(query: Buffer, peer: RemoteInfo): void {
    const decision = this.#rate.decide(peer.address);
    if (decision === 'drop' || this.#waiting >= MAX_WAITING) {
      this.refused++;
      return;
    }
    this.accepted++;
    const reply = this.settings.answer(query, peer, decision === 'truncate');
    if (!reply) return;
    this.#waiting++;
    this.#socket?.send(reply, peer.port, peer.address, () => this.#waiting--);
  }

  use(settings: DatagramSettings): void {
    if (settings.perSecond !== this.settings.perSecond)
      this.#rate = new ResponseRate(settings.perSecond);
    this.settings = settings;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket) this.#socket.close(() => resolve());
      else resolve();
    });
  }
}
