import type { IncomingMessage } from 'node:http';
import { HermeticError } from '../../base/index.js';

/** A request of Node as a web standard one. Its body can be read once and up to `maxBody` octets; more rejects with `body-too-large`. Undefined where it can be none: TRACE, a port beyond all ports. */
export function toRequest(
  incoming: IncomingMessage,
  scheme: 'http' | 'https',
  maxBody = 64 * 1024,
): Request | undefined {
  const { method = 'GET', headers, url = '/' } = incoming;
  const given = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const one of [value ?? []].flat()) given.append(name, one);
  const bodiless = method === 'GET' || method === 'HEAD';
  const at = `${scheme}://${headers.host ?? 'localhost'}${url}`;
  if (!URL.canParse(at) || method === 'TRACE' || method === 'CONNECT') return undefined;
  return new Request(at, {
    method,
    headers: given,
    ...(bodiless ? {} : { body: bounded(incoming, maxBody), duplex: 'half' }),
  });
}

function bounded(incoming: IncomingMessage, maxBody: number): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let octets = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) return controller.close();
      const { value } = next;
      octets += value.length;
      if (octets > maxBody)
        throw new HermeticError('body-too-large', `more than ${maxBody} octets`);
      controller.enqueue(new Uint8Array(value));
    },
    cancel: () => void incoming.destroy(),
  });
}
