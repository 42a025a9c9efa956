import { reportFailures } from '../../tls-rpt/index.js';
import { bodyCollector } from './body-collector.js';
import type { Receipt, Receiver } from './receiver.js';

/** The receiver of reports that are POSTed, and the limit of a body. */
export interface HttpsHandlerOptions {
  readonly receiver: Receiver;
  /** Octets of one body, still packed. Default 10 MB (RFC 8460 §5.2). */
  readonly maxBody?: number;
  /**
   * Octets of all large bodies that are being read. Default: 24 MB, shared by all intakes
   * of the process.
   */
  readonly maxHeld?: number;
}

type Handler = (request: Request, peer: { readonly address: string }) => Promise<Response>;

/**
 * Accepts reports by POST (RFC 8460 §3, §5.4)
 * [8460-3-21, 8460-5.4-2, 8460-5.4-3, 8460-5.4-4]:
 * 201 when a report is durable, 200 for a copy; 400, 413 and 405 for
 * permanent refusals; 429 and 503, with Retry-After, for bodies that should be sent again
 * (§5.5). The content is judged, not its media type.
 */
export function httpsHandler({
  receiver,
  maxBody = 10_000_000,
  maxHeld,
}: HttpsHandlerOptions): Handler {
  const collect = bodyCollector(maxHeld);
  return async (request, peer) => {
    if (request.method !== 'POST')
      return answer(405, 'Reports are sent by POST.', { allow: 'POST' });
    if (!receiver.admits(peer.address)) return later(429, 'Too much from this address.');
    return collect((request.body ?? new Blob([]).stream()) as AsyncIterable<Uint8Array>, {
      most: maxBody,
      async use(bodyBytes) {
        if (bodyBytes === 'no-room') return later(503, 'Too many bodies at once.');
        if (bodyBytes !== 'too-large')
          return responseTo(
            await receiver.receive(bodyBytes, { via: 'https', peer: peer.address, name: 'body' }),
          );
        receiver.charge(peer.address, maxBody);
        return answer(413, reportFailures.entries['report-too-large'].message);
      },
    });
  };
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
        ? later(429, 'Too much from this address.')
        : later(503, 'Not stored: no room at present.');
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
