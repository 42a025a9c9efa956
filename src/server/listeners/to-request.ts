import type { IncomingMessage, ServerResponse } from 'node:http';
import { HermeticError } from '../../base/index.js';

/** Target of a request: its host in lower case without port, and its path with query. */
export interface RequestTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly path: string;
  /** The path without query. */
  readonly pathname: string;
}

/** The HTTP status of a request that is refused because of its form. */
export type RefusedForm = 400 | 421 | 501 | 505;

const AUTHORITY = /^([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])?(?::(\d*))?$/;

/**
 * Returns the target of a request (RFC 9112 §3.2, §3.3): origin-form with Host, or
 * absolute-form, whose authority replaces Host. Returns 400 for two Host fields, a
 * malformed Host field or another form, and 421 for an `https` URI over plain HTTP (RFC
 * 9110 §7.4).
 */
export function targetOf(
  { rawHeaders, url = '', method }: IncomingMessage,
  scheme: 'http' | 'https',
): RequestTarget | RefusedForm {
  const hostFields = rawHeaders.filter(
    (_, index) => index % 2 === 1 && isHost(rawHeaders[index - 1]),
  );
  const hostField = authority(hostFields[0] ?? '');
  if (hostFields.length > 1 || hostField === undefined) return 400;
  if (url.includes('#') || url.includes('\\')) return 400;
  if (url.startsWith('/')) return { scheme, ...pathOf(url), host: hostField };
  if (url === '*' && method === 'OPTIONS') return { scheme, ...pathOf('*'), host: hostField };
  const [, given = '', place = '', requestPath = ''] =
    /^(https?):\/\/([^/?]+)([/?].*)?$/i.exec(url) ?? [];
  const hostName = authority(place);
  if (hostName === undefined || hostName === '') return 400;
  if (given.toLowerCase() === 'https' && scheme === 'http') return 421;
  return {
    scheme,
    ...pathOf(requestPath.startsWith('/') ? requestPath : `/${requestPath}`),
    host: hostName,
  };
}

function isHost(hostName: string | undefined): boolean {
  return hostName?.toLowerCase() === 'host';
}

/** Returns the host of `host[:port]` in lower case; undefined if it is malformed. */
function authority(text: string): string | undefined {
  const [whole, hostName = '', port = ''] = AUTHORITY.exec(text) ?? [];
  if (whole === undefined || Number(port) > 65_535 || (hostName === '' && text !== ''))
    return undefined;
  return hostName.toLowerCase().replace(/\.$/, '');
}

function pathOf(requestPath: string): Pick<RequestTarget, 'path' | 'pathname'> {
  return { path: requestPath, pathname: requestPath.split('?')[0] ?? '' };
}

/**
 * Returns the status for a request whose body could end in two places, or whose HTTP
 * version is not 1 (RFC 9112 §6.1, §6.3): client and server would disagree where the next
 * request on the connection begins. Node itself refuses a request with both
 * Transfer-Encoding and Content-Length, or with two lengths.
 */
export function faultOfForm({
  httpVersionMajor,
  httpVersion,
  headers,
}: IncomingMessage): RefusedForm | undefined {
  if (httpVersionMajor !== 1) return 505;
  const coding = headers['transfer-encoding']?.toLowerCase();
  if (coding === undefined || (coding === 'chunked' && httpVersion === '1.1')) return undefined;
  return httpVersion === '1.1' && coding.endsWith(', chunked') ? 501 : 400;
}

/**
 * Converts a request of Node to a `Request` of the web standard. The body can be read
 * once. Reading more than `maxBody` octets rejects with `body-too-large`. When the body
 * is first read, a client that waits for `100 Continue` receives it (RFC 9110 §10.1.1).
 * Returns undefined for TRACE and CONNECT, which `Request` does not support.
 */
export function toRequest(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { scheme, host, path }: RequestTarget,
  maxBody: number,
): Request | undefined {
  const { method = 'GET', headers } = incoming;
  const requestHeaders = new Headers();
  for (const [fieldName, values] of Object.entries(headers))
    for (const value of [values ?? []].flat()) requestHeaders.append(fieldName, value);
  const url = `${scheme}://${host === '' ? 'localhost' : host}${path}`;
  if (!URL.canParse(url) || method === 'TRACE' || method === 'CONNECT') return undefined;
  // `Request` throws for GET and HEAD with a body.
  if (method === 'GET' || method === 'HEAD')
    return new Request(url, { method, headers: requestHeaders });
  return new Request(url, {
    method,
    headers: requestHeaders,
    body: bounded(incoming, outgoing, maxBody),
    duplex: 'half',
  });
}

function bounded(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  maxBody: number,
): ReadableStream<Uint8Array> {
  // The rest of the body is discarded after the answer is sent: if the connection were
  // destroyed now, the answer would be lost.
  const chunks = incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let octets = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (octets === 0 && expectsContinue(incoming)) outgoing.writeContinue();
        const next = await chunks.next();
        if (next.done) return controller.close();
        const { value } = next;
        octets += value.length;
        if (octets > maxBody) {
          await chunks.return?.();
          throw new HermeticError('body-too-large', `more than ${maxBody} octets`);
        }
        // The chunks are not copied, because the copies would become garbage of the size
        // of the body.
        controller.enqueue(value);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Returns whether the client sends the body only after `100 Continue`. */
export function expectsContinue({ headers: { expect } }: IncomingMessage): boolean {
  return expect?.toLowerCase() === '100-continue';
}
