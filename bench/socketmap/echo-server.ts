import { createServer, type AddressInfo } from 'node:net';
import { reportUsage } from './usage.js';

/**
 * The minimum work of a socketmap server in Node: reads netstrings, looks them up in a
 * map, writes netstrings. The measured server is compared with it.
 */
const count = Number(process.argv[2]);
const replies = new Map<string, string>();
const framed = (text: string): string => `${text.length}:${text},`;
const absent = framed('NOTFOUND ');
for (let i = 0; i < count; i++)
  replies.set(
    `d${i}.example`,
    framed(`OK secure match=mx.d${i}.example servername=hostname protocols=>=TLSv1.2`),
  );

const server = createServer({ noDelay: true }, (socket) => {
  let pending = '';
  socket.on('data', (bytes: Buffer) => {
    pending += bytes.toString('latin1');
    let at = 0;
    let out = '';
    for (;;) {
      const colon = pending.indexOf(':', at);
      if (colon < 0) break;
      const end = colon + 1 + Number(pending.slice(at, colon));
      if (pending.length <= end) break;
      out += replies.get(pending.slice(pending.indexOf(' ', colon) + 1, end)) ?? absent;
      at = end + 1;
    }
    pending = pending.slice(at);
    if (out !== '') socket.write(out, 'latin1');
  });
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => reportUsage((server.address() as AddressInfo).port));
