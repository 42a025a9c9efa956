import type { Socket } from 'node:net';
import type { Endpoint, Network } from '../../net/index.js';

/**
 * `remove` takes the line out of the EHLO answer; `mangle` puts X in its place, as some
 * firewalls do.
 */
export type Stripping = 'remove' | 'mangle';

/**
 * Somebody on the path between two mail servers who passes everything on but the word
 * STARTTLS. What the client still says in clear, this one reads.
 *
 * @param target where the real server is
 */
export function stripStarttls(
  network: Network,
  target: Endpoint,
  how: Stripping,
): (socket: Socket) => void {
  return (client) => {
    void network.dial(target).then((dialled) => {
      if (!dialled.ok) return client.destroy();
      const server = dialled.connection.stream;
      client.pipe(server);
      let pending = '';
      server.on('data', (bytes: Buffer) => {
        pending += bytes.toString('latin1');
        const end = pending.lastIndexOf('\n') + 1;
        client.write(strip(pending.slice(0, end), how), 'latin1');
        pending = pending.slice(end);
      });
      server.on('end', () => client.end()).on('error', () => client.destroy());
      client.on('close', () => dialled.connection.close());
    });
  };
}

function strip(text: string, how: Stripping): string {
  if (how === 'mangle') return text.replace(/STARTTLS/gi, 'XXXXXXXA');
  const kept: string[] = [];
  for (const line of text.split('\r\n')) {
    const last = kept.length - 1;
    if (/^250-STARTTLS$/i.test(line)) continue;
    // The last line of a reply has a blank after its code, whichever line that now is.
    if (/^250 STARTTLS$/i.test(line)) kept[last] = (kept[last] ?? '').replace(/^250-/, '250 ');
    else kept.push(line);
  }
  return kept.join('\r\n');
}
