import type { Connection } from '../../net/index.js';

/**
 * Maximum octets of a question. A valid question contains a name of at most 255 octets
 * and EDNS options.
 */
const MAX_QUERY = 4096;
/**
 * Maximum questions of one connection. A resolver then opens another connection (RFC 7766
 * §6.2.1).
 */
const MAX_QUESTIONS = 500;
/** Maximum octets of answers in the send buffer that the client has not read. */
const MAX_UNREAD = 256 * 1024;

/**
 * Answers the questions of one TCP connection. A length prefix precedes each message (RFC
 * 1035 §4.2.2, RFC 7766 §8). The server closes the connection after 500 questions, after
 * a question of more than 4096 octets, and when the client does not read its answers. The
 * listener closes idle connections.
 */
export function serveDnsStream(
  { stream, close }: Connection,
  answer: (query: Uint8Array) => Uint8Array | undefined,
): void {
  let pending: Buffer = Buffer.alloc(0);
  let questions = 0;
  stream.on('error', close);
  stream.on('end', () => stream.end());
  stream.on('data', (octets: Buffer) => {
    pending = pending.length === 0 ? octets : Buffer.concat([pending, octets]);
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0);
      if (length > MAX_QUERY) return close();
      if (pending.length < 2 + length) return;
      const reply = answer(pending.subarray(2, 2 + length));
      pending = pending.subarray(2 + length);
      // RFC 7766 §8: length and message in one segment.
      if (reply) stream.write(Buffer.concat([lengthOf(reply), reply]));
      if (stream.writableLength > MAX_UNREAD) return close();
      if (++questions >= MAX_QUESTIONS) {
        stream.removeAllListeners('data').resume().end();
        return;
      }
    }
  });
}

function lengthOf(reply: Uint8Array): Uint8Array {
  return Uint8Array.of(reply.length >> 8, reply.length & 0xff);
}
