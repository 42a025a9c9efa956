import { reportFailures } from '../../tls-rpt/index.js';
import { bodyCollector } from './body-collector.js';
import type { Receipt, Receiver } from './receiver.js';

/** The receiver of reports that arrive by POST, and the limits of their bodies. */
export interface HttpsHandlerOptions {
  readonly receiver: Receiver;
  /** Maximum octets of one body, before unpacking. Default 10 MB (RFC 8460 §5.2). */
  readonly maxBody?: number;
  /**
   * Maximum octets of all large bodies that are being read. Default: 24 MB, shared by all
   * intakes of the process.
   */
  readonly maxHeld?: number;
}

type Handler = (request: Request, peer: { readonly address: string }) => Promise<Response>;

/**
 * A function that reads the body of a request within its limits and receives it as a
 * report.
 */
export type BodyIntake = (
  body: Request['body'],
  peerAddress: string,
  /**
   * A function that replaces {@link Receiver.receive}, for a caller that examines the
   * body first.
   */
  receive?: (bodyBytes: Uint8Array) => Promise<Receipt>,
) => Promise<Receipt>;

/**
 * Returns a function that receives bodies. It never rejects because of the content of a
 * body.
 */
export function bodyIntake({
  receiver,
  maxBody = 10_000_000,
  maxHeld,
}: HttpsHandlerOptions): BodyIntake {
  const collect = bodyCollector(maxHeld);
  return async (body, peer, receive) => {
    if (!receiver.admits(peer)) return { status: 'later', why: 'source' };
    return collect<Receipt>((body ?? new Blob([]).stream()) as AsyncIterable<Uint8Array>, {
      most: maxBody,
      async use(bodyBytes) {
        if (bodyBytes === 'no-room') return { status: 'later', why: 'busy' };
        if (bodyBytes !== 'too-large')
          return receive
            ? receive(bodyBytes)
            : receiver.receive(bodyBytes, { via: 'https', peer, name: 'body' });
        receiver.charge(peer, maxBody);
        return { status: 'refused', failure: reportFailures.make('report-too-large', '') };
      },
    });
  };
}

/**
 * Accepts reports by POST (RFC 8460 §3, §5.4)
 * [8460-3-21, 8460-5.4-2, 8460-5.4-3, 8460-5.4-4]: 201 when a report is durable, 200 for
 * a copy; 400, 413 and 405 for permanent refusals; 429 and 503, with Retry-After, for
 * bodies that should be sent again (§5.5). The content decides whether a body is a
 * report, not the media type.
 */
export function httpsHandler(options: HttpsHandlerOptions): Handler {
  const intake = bodyIntake(options);
  return async (request, peer) =>
    request.method === 'POST'
      ? responseTo(await intake(request.body, peer.address))
      : answer(405, 'Send reports by POST.', { allow: 'POST' });
}

function responseTo(receipt: Receipt): Response {
  switch (receipt.status) {
    case 'stored':
      return receipt.reports.some((report) => report.outcome !== 'repeated')
        ? answer(201, 'Stored.')
        : answer(200, 'Stored before.');
    case 'refused': {
      const { code } = receipt.failure;
      const { message = '', fix = '' } = reportFailures.find(code) ?? {};
      return answer(code === 'report-too-large' ? 413 : 400, `${message} ${fix} (${code})`);
    }
    case 'later':
      return receipt.why === 'source'
        ? later(429, 'Too many requests from this address.')
        : later(503, 'Not stored: no space at present.');
  }
}

function later(status: 429 | 503, says: string): Response {
  return answer(status, says, { 'retry-after': '600' });
}

function answer(
  status: number,
  says: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${says}\n`, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  });
}
