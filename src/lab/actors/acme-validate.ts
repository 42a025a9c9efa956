import { createHash, X509Certificate } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:tls';
import type { Connection, Network } from '../../net/index.js';

/** Validates a challenge; returns its fault, or undefined. */
export type ValidateChallenge = (
  type: string,
  hostName: string,
  token: string,
  keyAuthorization: string,
) => Promise<string | undefined>;

/**
 * Returns a function that validates over the network, as a CA does: at ports 80 and 443
 * of the host, or by its TXT record after the aliases of `aliasOf`.
 */
export function validateOver(
  network: Network,
  addressOf: (hostName: string) => string | undefined,
  textsOf: (domainName: string) => readonly string[],
  aliasOf: (domainName: string) => string | undefined = () => undefined,
): ValidateChallenge {
  const textsBehind = (domainName: string, left = 8): readonly string[] => {
    const aliasName = aliasOf(domainName);
    if (aliasName === undefined) return textsOf(domainName);
    return left === 0 ? [] : textsBehind(aliasName, left - 1);
  };
  return async (type, hostName, token, keyAuthorization) => {
    const digest = createHash('sha256').update(keyAuthorization).digest();
    if (type === 'dns-01')
      return textsBehind(`_acme-challenge.${hostName}`).includes(digest.toString('base64url'))
        ? undefined
        : `no such TXT record at ${hostName}`;
    if (type === 'dns-persist-01')
      return textsBehind(`_validation-persist.${hostName}`).includes(keyAuthorization)
        ? undefined
        : `no such TXT record at ${hostName}`;
    const dialled = await network.dial({
      address: addressOf(hostName) ?? '',
      port: type === 'http-01' ? 80 : 443,
      timeoutMs: 20_000,
    });
    if (!dialled.ok) return `${hostName}: ${dialled.failure.code}`;
    try {
      if (type === 'http-01')
        return (await get(dialled.connection, hostName, `/.well-known/acme-challenge/${token}`)) ===
          keyAuthorization
          ? undefined
          : 'another text';
      return (await alpnDigest(dialled.connection, hostName))?.equals(digest)
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
 * Returns the digest that the certificate of `acme-tls/1` carries: the last 32 octets of
 * its acmeIdentifier extension (RFC 8737 §3).
 */
function alpnDigest(connection: Connection, hostName: string): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      socket: connection.stream,
      servername: hostName,
      ALPNProtocols: ['acme-tls/1'],
      rejectUnauthorized: false,
    });
    socket.once('error', () => resolve(undefined));
    socket.once('secureConnect', () => {
      const { raw } = socket.getPeerCertificate();
      const address = raw.indexOf(Buffer.from('06082b0601050507011f0101ff', 'hex'));
      const named = new X509Certificate(raw).subjectAltName === `DNS:${hostName}`;
      const value = raw.subarray(address + 13, address + 13 + 36);
      resolve(
        socket.alpnProtocol === 'acme-tls/1' && named && address >= 0
          ? value.subarray(4)
          : undefined,
      );
    });
  });
}
