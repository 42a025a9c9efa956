import { Duplex } from 'node:stream';
import type { Connection } from '../src/net/index.js';
import { frame, serveSocketmap } from '../src/send/index.js';
import type { Random } from './random.js';

const MAP = 'hermetic';
/**
 * Maximum octets of requests on one connection: enough for several requests, cut at any
 * position.
 */
const MOST = 40;

/**
 * Sends valid, damaged and random requests, cut at any position, with several on one
 * connection; the server answers some at once and some later. Replies must come in the
 * order of their requests, no reply may follow an invalid request, and the memory of a
 * connection stays bounded.
 */
export async function fuzz(count: number, random: Random): Promise<string> {
  const seen = { replies: 0, malformed: 0, later: 0 };
  for (let done = 0; done < count;) {
    const requests = Array.from({ length: 1 + random.below(MOST) }, () => requestOf(random));
    done += requests.length;
    const bytes = Buffer.concat(requests);
    const { replies, malformed, later } = await converse(bytes, random);
    const wanted = expected(bytes);
    if (replies !== wanted.replies || malformed !== wanted.malformed)
      throw new Error(
        `${JSON.stringify(bytes.toString('latin1'))}: ${JSON.stringify(replies)}, wanted ${JSON.stringify(wanted.replies)}`,
      );
    seen.replies += wanted.count;
    seen.later += later;
    seen.malformed += Number(malformed);
  }
  return `${seen.replies} replies, each to its request, ${seen.later} of them not at once; ${seen.malformed} connections ended by a malformed request`;
}

function requestOf(random: Random): Uint8Array {
  const key = random.pick([
    'example.com',
    '.example.com',
    '[mx.example]',
    '[mx.example]:25',
    '',
    'a'.repeat(random.below(300)),
    'later.example',
  ]);
  const whole = Buffer.from(frame(`${random.once(20) ? 'other' : MAP} ${key}`), 'latin1');
  switch (random.below(60)) {
    case 0:
      return random.damage(whole);
    case 1:
      return random.once(4) ? random.bytes(random.below(40)) : whole;
    default:
      return whole;
  }
}

/**
 * Returns a slow and simple reference: the replies that the protocol requires for these
 * octets, implemented independently of the server.
 */
function expected(bytes: Buffer): { replies: string; malformed: boolean; count: number } {
  let text = bytes.toString('latin1');
  let replies = '';
  let count = 0;
  for (;;) {
    const length = /^(0|[1-9]\d{0,4}):/.exec(text);
    if (!length) return { replies, count, malformed: !/^(0|[1-9]\d{0,4})?$/.test(text) };
    const size = Number(length[1]);
    if (size > 10_000) return { replies, count, malformed: true };
    const rest = text.slice(length[0].length);
    if (rest.length <= size) return { replies, count, malformed: false };
    const request = rest.slice(0, size);
    const space = request.indexOf(' ');
    if (rest[size] !== ',' || space < 0) return { replies, count, malformed: true };
    replies += frame(
      request.slice(0, space) === MAP
        ? `OK ${request.slice(space + 1)}`
        : `PERM this server has only the map ${MAP}`,
    );
    count++;
    text = rest.slice(size + 1);
  }
}

/** Returns one connection; resolves when the server has sent its last reply. */
async function converse(
  bytes: Buffer,
  random: Random,
): Promise<{ replies: string; malformed: boolean; later: number }> {
  let replies = '';
  let malformed = false;
  let later = 0;
  let waiting = 0;
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      replies += chunk.toString('latin1');
      // A client that reads slowly.
      if (random.once(8)) setImmediate(done);
      else done();
    },
  });
  const conn: Connection = {
    stream,
    local: { address: '', port: 0 },
    remote: { address: '', port: 0 },
    close: () => void stream.destroy(),
  };
  serveSocketmap(conn, {
    map: MAP,
    answer(key) {
      if (!key.startsWith('later') && !random.once(50)) return frame(`OK ${key}`);
      later++;
      waiting++;
      return new Promise((resolve) =>
        setImmediate(() => {
          waiting--;
          resolve(frame(`OK ${key}`));
        }),
      );
    },
    onMalformed: () => (malformed = true),
  });
  for (let at = 0; at < bytes.length;) {
    const length = random.once(3) ? 1 + random.below(8) : 1 + random.below(4000);
    stream.push(bytes.subarray(at, at + length));
    at += length;
    if (random.once(4)) await new Promise(setImmediate);
  }
  for (let quiet = 0; quiet < 3;) {
    const before = replies.length;
    await new Promise(setImmediate);
    quiet =
      waiting === 0 && replies.length === before && stream.writableLength === 0 ? quiet + 1 : 0;
  }
  stream.destroy();
  return { replies, malformed, later };
}
