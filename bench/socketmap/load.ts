import { connect, type Socket } from 'node:net';

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Concurrent requests on each connection. */
  readonly depth: number;
  /** Complete framed requests, sent in rotation. */
  readonly requests: readonly string[];
}

/** A load that runs until a call stops it. */
export interface RunningLoad {
  readonly answered: number;
  stop(): void;
}

/** Keeps `depth` requests in progress on every connection. */
export async function startLoad({
  port,
  connections,
  depth,
  requests,
}: Load): Promise<RunningLoad> {
  let answered = 0;
  let next = 0;
  const ask = (socket: Socket, count: number): void => {
    let text = '';
    for (let i = 0; i < count; i++) text += requests[next++ % requests.length] as string;
    socket.write(text, 'latin1');
  };
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await connected(port);
      let pending = '';
      socket.on('data', (bytes: Buffer) => {
        pending += bytes.toString('latin1');
        let at = 0;
        let got = 0;
        for (;;) {
          const colon = pending.indexOf(':', at);
          if (colon < 0) break;
          const end = colon + 1 + Number(pending.slice(at, colon));
          if (pending.length <= end) break;
          at = end + 1;
          got++;
        }
        pending = pending.slice(at);
        answered += got;
        if (got > 0) ask(socket, got);
      });
      return socket;
    }),
  );
  for (const socket of sockets) ask(socket, depth);
  return {
    get answered() {
      return answered;
    },
    stop: () => sockets.forEach((socket) => socket.destroy()),
  };
}

/**
 * Sends each request once, many concurrently; resolves to the replies without framing.
 */
export async function askAll(
  port: number,
  requests: readonly string[],
): Promise<readonly string[]> {
  const socket = await connected(port);
  const replies: string[] = [];
  let pending = '';
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (bytes: Buffer) => {
      pending += bytes.toString('latin1');
      let at = 0;
      for (;;) {
        const colon = pending.indexOf(':', at);
        if (colon < 0) break;
        const end = colon + 1 + Number(pending.slice(at, colon));
        if (pending.length <= end) break;
        replies.push(pending.slice(colon + 1, end));
        at = end + 1;
      }
      pending = pending.slice(at);
      if (replies.length === requests.length) {
        socket.destroy();
        resolve(replies);
      }
    });
    socket.write(requests.join(''), 'latin1');
  });
}

export function requestFor(map: string, key: string): string {
  const text = `${map} ${key}`;
  return `${text.length}:${text},`;
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}
