import { createHash, X509Certificate } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:tls';
import type { Connection, Network } from '../../net/index.js';

/** Looks for the answer to a challenge; what was wrong, or undefined. */
export type ValidateChallenge = (
  type: string,
  host: string,
  token: string,
  keyAuthorization: string,
) => Promise<string | undefined>;

/**
 * Looks over the network, as a CA does: at ports 80 and 443 of the host, or at its TXT
 * record, behind the aliases `aliasOf` knows.
 */
export function validateOver(
  network: Network,
  addressOf: (host: string) => string | undefined,
  textsOf: (name: string) => readonly string[],
  aliasOf: (name: string) => string | undefined = () => undefined,
): ValidateChallenge {
  const textsBehind = (name: string, left = 8): readonly string[] => {
    const alias = aliasOf(name);
    if (alias === undefined) return textsOf(name);
    return left === 0 ? [] : textsBehind(alias, left - 1);
  };
  return async (type, host, token, keyAuthorization) => {
    const digest = createHash('sha256').update(keyAuthorization).digest();
    if (type === 'dns-01')
      return textsBehind(`_acme-challenge.${host}`).includes(digest.toString('base64url'))
        ? undefined
        : `no such TXT record at ${host}`;
    if (type === 'dns-persist-01')
      return textsBehind(`_validation-persist.${host}`).includes(keyAuthorization)
        ? undefined
        : `no such TXT record at ${host}`;
    const dialled = await network.dial({
      address: addressOf(host) ?? '',
      port: type === 'http-01' ? 80 : 443,
      timeoutMs: 20_000,
    });
    if (!dialled.ok) return `${host}: ${dialled.failure.code}`;
    try {
      if (type === 'http-01')
        return (await get(dialled.connection, host, `/.well-known/acme-challenge/${token}`)) ===
          keyAuthorization
          ? undefined
          : 'another text';
      return (await alpnDigest(dialled.connection, host))?.equals(digest)
        ? undefined
        : 'another certificate';
    } finally {
      dialled.connection.close();
    }
  };
}

function get(connection: Connection, host: string, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = request(
      { createConnection: () => connection.stream, path, headers: { host, connection: 'close' } },
      (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => resolve(response.statusCode === 200 ? text : undefined));
      },
    );
    sent.on('error', () => resolve(undefined)).end();
  });
}

/**
 * The digest that the certificate of `acme-tls/1` carries: the last 32 octets of its
 * acmeIdentifier extension (RFC 8737 §3).
 */
function alpnDigest(connection: Connection, host: string): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      socket: connection.stream,
      servername: host,
      ALPNProtocols: ['acme-tls/1'],
      rejectUnauthorized: false,
    });
    socket.once('error', () => resolve(undefined));
    socket.once('secureConnect', () => {
      const { raw } = socket.getPeerCertificate();
      const address = raw.indexOf(Buffer.from('06082b0601050507011f0101ff', 'hex'));
      const named = new X509Certificate(raw).subjectAltName === `DNS:${host}`;
      const value = raw.subarray(address + 13, address + 13 + 36);
      resolve(
        socket.alpnProtocol === 'acme-tls/1' && named && address >= 0
          ? value.subarray(4)
          : undefined,
      );
    });
  });
}
