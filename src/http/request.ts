import { request as httpRequest, type IncomingMessage } from 'node:http';
import { concat, fail, neutralise, ok, type Result } from '../base/index.js';
import type { Network } from '../net/index.js';
import type { ChainVerdict, TrustStore } from '../x509/index.js';
import { httpFailures } from './failures.js';
import { secureDial, type Secured } from './secure-dial.js';

export interface HttpRequest {
  readonly network: Network;
  /** Literal addresses of the host, tried in turn: this part resolves no names. */
  readonly addresses: readonly string[];
  /** Default 443. */
  readonly port?: number;
  /**
   * The host in A-labels: the name in SNI and `Host`, for which the certificate must be
   * valid.
   */
  readonly host: string;
  readonly path: string;
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly anchors: TrustStore;
  /** Date at which the certificate is judged, milliseconds since 1970. */
  readonly validationTime: number;
  /** Maximum number of body octets to read. Default 64 KiB. */
  readonly maxBytes?: number;
  /** Milliseconds for the whole request. Default 60 000 (RFC 8461 §3.3). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several fields of one name are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /**
   * True if the end of the body is marked inside TLS: by its length, by chunks, or by a
   * closure alert (RFC 9112 §6.3, §9.8 [9112-9.8-1]). Otherwise an on-path attacker may
   * have truncated the body.
   */
  readonly whole: boolean;
  readonly chainVerdict: ChainVerdict;
  /** The address that answered. */
  readonly address: string;
}

const MAX_HEADER = 16 * 1024;
/** Maximum number of interim responses (RFC 9110 §15.2). */
const MAX_INTERIM = 8;

/**
 * Sends one HTTPS request and returns the response (RFC 9110, RFC 9112). The certificate
 * is judged before anything is sent. A redirect is a response like any other: the
 * function follows none, caches and decompresses no response, and closes the connection.
 * Rejects only with `signal.reason`.
 */
export async function request(options: HttpRequest): Promise<Result<HttpResponse>> {
  const { timeoutMs = 60_000, signal } = options;
  signal?.throwIfAborted();
  const deadline = performance.now() + timeoutMs;
  const left = (): number => deadline - performance.now();
  const secured = await secureDial({
    ...options,
    port: options.port ?? 443,
    left,
    signal: signal ?? new AbortController().signal,
  });
  if (!secured.ok) return secured;
  try {
    return await exchange(options, secured.value, left());
  } finally {
    secured.value.connection.close();
  }
}

function exchange(
  options: HttpRequest,
  { connection, chainVerdict, closedByAlert }: Secured,
  timeoutMs: number,
): Promise<Result<HttpResponse>> {
  const {
    host,
    path,
    method = 'GET',
    port = 443,
    headers = {},
    body,
    maxBytes = 64 * 1024,
    signal,
  } = options;
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      // No agent: with `agent: false` Node would ignore createConnection and open a
      // separate socket.
      createConnection: () => connection.stream,
      method,
      path,
      maxHeaderSize: MAX_HEADER,
      headers: {
        host: port === 443 ? host : `${host}:${port}`,
        'user-agent': 'hermetic',
        'accept-encoding': 'identity',
        connection: 'close',
        ...(body ? { 'content-length': String(body.length) } : {}),
        ...headers,
      },
    });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      sent.on('error', () => undefined).destroy();
    };
    const failed = (code: keyof typeof httpFailures.entries, detail = ''): void => {
      settle();
      resolve(fail(httpFailures.make(code, neutralise(detail, 200))));
    };
    const stop = (): void => {
      settle();
      reject(signal?.reason as Error);
    };
    const broke = (error: Error & { code?: string }): void => {
      const code = error.code ?? '';
      if (code === 'HPE_HEADER_OVERFLOW') failed('http-too-large', 'header');
      else
        failed(
          code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE'
            ? 'http-malformed'
            : 'http-closed',
          code,
        );
    };
    const timer = setTimeout(() => failed('http-timeout'), Math.max(1, timeoutMs));
    signal?.addEventListener('abort', stop, { once: true });

    sent.once('error', broke);
    let interim = 0;
    sent.on('information', () => {
      if (++interim === MAX_INTERIM + 1) failed('http-malformed', 'interim responses without end');
    });
    sent.once('upgrade', () => failed('http-malformed', 'upgrade'));
    sent.once('response', (incoming: IncomingMessage) => {
      const parts: Uint8Array[] = [];
      let length = 0;
      incoming.on('error', broke);
      incoming.on('data', (part: Buffer) => {
        length += part.length;
        if (length > maxBytes) failed('http-too-large', `more than ${maxBytes} octets`);
        else parts.push(part);
      });
      incoming.once('close', () => failed('http-closed'));
      incoming.once('end', () => {
        if (!incoming.complete) return failed('http-closed');
        settle();
        resolve(
          ok({
            status: incoming.statusCode ?? 0,
            headers: joined(incoming),
            body: concat(...parts),
            whole: isFramed(incoming) || closedByAlert(),
            chainVerdict,
            address: connection.remote.address,
          }),
        );
      });
    });
    sent.end(body);
  });
}

/**
 * Returns whether the message itself marks its end (RFC 9112 §6.3): no body, chunks as
 * the last coding, or a length.
 */
function isFramed({ statusCode = 0, headers }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding'];
  if (statusCode === 204 || statusCode === 304) return true;
  if (coding === undefined) return 'content-length' in headers;
  return /(^|,)\s*chunked\s*$/i.test(coding);
}

function joined({ headersDistinct }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
  );
}
