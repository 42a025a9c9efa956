import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { fail, neutralise, type Failure } from '../base/index.js';
import type { Connection } from '../net/index.js';
import { tlsFailures } from './failures.js';
import { classicalGroups, unnamedGroup } from './sender-groups.js';
import { groupTable } from './wire/index.js';

/** Maximum certificates of a chain that are parsed. */
const MAX_CERTIFICATES = 100;

/** The connection and parameters of one handshake. */
export interface HandshakeRequest {
  readonly connection: Connection;
  /** SNI: a host name in A-labels; empty sends no SNI. */
  readonly serverName: string;
  /** Protocols for ALPN (RFC 7301); without any, the hello has no ALPN extension. */
  readonly alpn?: readonly string[];
  /** Milliseconds for the whole handshake. Default 15 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Default TLSv1. The caller decides whether the negotiated version is acceptable. */
  readonly minVersion?: SecureVersion;
  /** Default TLSv1.3. */
  readonly maxVersion?: SecureVersion;
  /** The only kind of server key to accept. Default both. */
  readonly authentication?: 'RSA' | 'ECDSA';
  /** OpenSSL cipher list. Default: every suite with authentication and encryption. */
  readonly ciphers?: string;
  /**
   * OpenSSL group list, such as {@link senderGroups}. The default is fixed, so that results
   * do not depend on the version of Node.
   */
  readonly groups?: string;
}

/** The negotiated parameters of a completed handshake. */
export interface HandshakeFacts {
  /** Version in the spelling of node:tls: `TLSv1.3`. */
  readonly version: string;
  /** IANA name. */
  readonly suite: string;
  /** IANA name; absent if no group was agreed on (static RSA). */
  readonly group?: string;
  readonly serverName: string;
  /** The certificates of the server, DER, in the order sent. */
  readonly chain: readonly Uint8Array[];
  readonly alpn?: string;
}

/** A completed handshake, or its failure. */
export type HandshakeResult =
  | { readonly ok: true; readonly connection: Connection; readonly facts: HandshakeFacts }
  | { readonly ok: false; readonly failure: Failure };

/** Milliseconds for a handshake. */
const TIMEOUT = 15_000;
/** Signature algorithms that leave the server only one kind of key to use. */
const schemesOf = {
  RSA: 'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA1',
  ECDSA: 'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ECDSA+SHA1',
} as const;
/**
 * Every suite of OpenSSL with authentication and encryption: a probe must also complete
 * handshakes with old servers [7672-8.2-1].
 */
const CIPHERS = 'ALL:!aNULL:!eNULL:@SECLEVEL=0';

/**
 * Completes one TLS handshake over a connection (RFC 9846, RFC 5246). The certificate is
 * not judged: opportunistic TLS accepts any, and callers with a policy verify the chain
 * themselves. On failure the connection is closed. Rejects only with `signal.reason`.
 */
export function handshake(request: HandshakeRequest): Promise<HandshakeResult> {
  const { connection, timeoutMs = TIMEOUT, signal: abortSignal } = request;
  const { groups = classicalGroups } = request;
  return new Promise((resolve, reject) => {
    if (abortSignal?.aborted) {
      connection.close();
      return reject(abortSignal.reason as Error);
    }
    const serverName = request.serverName.replace(/\.$/, '');
    const socket = connect({
      socket: connection.stream,
      servername: isIP(serverName) === 0 && serverName !== '' ? serverName : undefined, // [8461-7.1-2, 7671-3-1]
      ALPNProtocols: request.alpn && [...request.alpn],
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      minVersion: request.minVersion ?? 'TLSv1',
      maxVersion: request.maxVersion ?? 'TLSv1.3',
      ciphers: request.ciphers ?? CIPHERS,
      ecdhCurve: groups,
      sigalgs: request.authentication ? schemesOf[request.authentication] : undefined,
    });
    const close = (): void => {
      socket.destroy();
      connection.close();
    };
    const settle = (): void => {
      clearTimeout(timer);
      abortSignal?.removeEventListener('abort', stop);
      socket
        .removeListener('error', broke)
        .removeListener('close', closed)
        .removeListener('secureConnect', done);
      connection.stream.removeListener('close', closed);
      socket.on('error', () => undefined);
    };
    const failed = (code: string, detail = ''): void => {
      settle();
      close();
      resolve(fail(tlsFailures.make(code, neutralise(detail, 200))));
    };
    const stop = (): void => {
      settle();
      close();
      reject(abortSignal?.reason as Error);
    };
    // The `keylog` event fires after a ServerHello. A connection that closes after that
    // event is `tls-cut`, not `tls-closed`.
    let keyed = false;
    socket.on('keylog', () => (keyed = true));
    const before = octetsFrom(connection);
    const cutOff = (detail = ''): void =>
      failed(keyed || octetsFrom(connection) > before ? 'tls-cut' : 'tls-closed', detail);
    const broke = (error: Error): void => {
      const [code, detail] = classify(error);
      if (code === 'tls-closed') cutOff(detail);
      else failed(code, detail);
    };
    const closed = (): void => cutOff();
    const done = (): void => {
      settle();
      const handshakeFacts = factsOf(socket, serverName, groups);
      // OpenSSL completes a handshake without a certificate only for anonymous suites,
      // which are not offered.
      if (handshakeFacts)
        resolve({
          ok: true,
          connection: { stream: socket, local: connection.local, remote: connection.remote, close },
          facts: handshakeFacts,
        });
      else cutOff();
    };
    const timer = setTimeout(() => failed('tls-timeout', `${timeoutMs} ms`), timeoutMs);
    abortSignal?.addEventListener('abort', stop, { once: true });
    socket.once('error', broke).once('close', closed).once('secureConnect', done);
    connection.stream.once('close', closed);
  });
}

/** Returns the number of octets received, if the stream counts them. */
function octetsFrom({ stream }: Connection): number {
  return (stream as { readonly bytesRead?: number }).bytesRead ?? 0;
}

/** Reads the negotiated parameters; undefined without a certificate. */
function factsOf(
  socket: TLSSocket,
  serverName: string,
  groups: string,
): HandshakeFacts | undefined {
  const version = socket.getProtocol();
  if (version === null) return undefined;
  const group = groupOf(socket) ?? (version === 'TLSv1.3' ? unnamedGroup(groups) : undefined);
  return {
    version,
    suite: socket.getCipher().standardName,
    group,
    serverName,
    chain: peerChain(socket),
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
  };
}

/** IANA names of the groups that OpenSSL names differently. */
const openSslGroups: Readonly<Record<string, string>> = {
  prime256v1: 'secp256r1',
  'p-256': 'secp256r1',
  'p-384': 'secp384r1',
  'p-521': 'secp521r1',
};

/**
 * Returns the IANA name of the group; Node calls the type ECDH, or TLSGroup since OpenSSL
 * 3.5.
 */
function groupOf(socket: TLSSocket): string | undefined {
  const info = socket.getEphemeralKeyInfo() as {
    type?: string;
    name?: string;
    size?: number;
  } | null;
  if (info?.type === 'DH')
    return groupTable.find(({ name }) => name === `ffdhe${info.size ?? 0}`)?.name;
  const name = info?.name?.toLowerCase();
  if (!name) return undefined;
  return (
    openSslGroups[name] ??
    groupTable.find((group) => group.name.toLowerCase() === name)?.name ??
    info?.name
  );
}

/** Maps errors of OpenSSL and of the system to codes of the catalogue. */
function classify(error: Error & { code?: string }): [code: string, detail: string] {
  const { code = '', message } = error;
  const alert = /SSL alert number (\d+)/.exec(message);
  if (alert) {
    const known = `tls-alert-${alert[1] as string}`;
    if (known in tlsFailures.entries) return [known, ''];
    return ['tls-alert-other', alert[1] as string];
  }
  const [system = ''] = /ECONNRESET|EPIPE|ECONNABORTED|ETIMEDOUT/.exec(`${code} ${message}`) ?? [];
  if (
    system !== '' ||
    /disconnected|ERR_STREAM_PREMATURE_CLOSE|unexpected eof/i.test(`${code} ${message}`)
  )
    return ['tls-closed', system];
  const reason = code.replace(/^ERR_SSL_/, '').toLowerCase();
  if (
    /wrong_version_number|http_request|https_proxy_request|packet_length|record_type|bad_record_type|record_too/.test(
      reason,
    )
  )
    return ['tls-garbage', reason];
  if (/unsupported_protocol|wrong_ssl_version|version_too_low/.test(reason))
    return ['tls-no-shared-version', reason];
  return ['tls-failed', reason || message];
}

/**
 * Returns the certificates in the order in which the server sent them, including
 * unrelated ones, which `getPeerCertificate(true)` would hide. Some versions of Node set
 * the last certificate as its own issuer, so a repeated object ends the list.
 */
function peerChain(socket: TLSSocket): Uint8Array[] {
  const certificateChain: Uint8Array[] = [];
  const seen = new Set<X509Certificate>();
  let certificate = socket.getPeerX509Certificate();
  while (certificate && !seen.has(certificate) && certificateChain.length < MAX_CERTIFICATES) {
    seen.add(certificate);
    certificateChain.push(new Uint8Array(certificate.raw));
    certificate = certificate.issuerCertificate;
  }
  return certificateChain;
}
