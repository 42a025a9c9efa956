import { createSocket, type Socket } from 'node:dgram';

/**
 * An on-path attacker in front of the resolver: answers questions of one type with
 * NXDOMAIN or an empty answer, and forwards the others. UDP only.
 */
export class LyingResolver {
  readonly #front: Socket = createSocket('udp4');

  constructor(private readonly upstreamPort: number) {}

  async start(port: number, type: number, rcode: 0 | 3): Promise<void> {
    this.#front.on('message', (query, from) => {
      if (typeOf(query) === type) {
        const reply = Buffer.from(query);
        reply.writeUInt16BE(0x8180 | rcode, 2);
        this.#front.send(reply, from.port, from.address);
        return;
      }
      const back = createSocket('udp4');
      const done = setTimeout(() => back.close(), 5000);
      back.on('message', (reply) => {
        this.#front.send(reply, from.port, from.address);
        clearTimeout(done);
        back.close();
      });
      back.send(query, this.upstreamPort, '127.0.0.1');
    });
    await new Promise<void>((resolve) => this.#front.bind(port, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#front.close(resolve));
  }
}

function typeOf(query: Buffer): number {
  let at = 12;
  while ((query[at] ?? 0) > 0) at += 1 + (query[at] ?? 0);
  return query.readUInt16BE(at + 1);
}
