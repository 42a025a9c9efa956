/** A difference caused by a fault of the other program, with the reason. */
export interface PeerFault {
  readonly peer: RegExp;
  readonly server: RegExp;
  /** The pattern of a line of `differences`. */
  readonly line: RegExp;
  readonly why: string;
}

export const peerFaults: readonly PeerFault[] = [
  {
    peer: /^(sslscan|nmap)$/,
    server: /./,
    line: /^keys: only here (RSA|EC)$/,
    why: 'shows the certificate of one handshake; a server with an RSA and an ECDSA key has two',
  },
  {
    peer: /^(sslscan|testssl.sh)$/,
    server: /^opensmtpd/,
    line: /only here|order: here server, there client/,
    why: 'counts only handshakes that go on; this server chooses a suite and then cannot sign',
  },
  {
    peer: /^(sslscan|nmap|testssl.sh)$/,
    server: /^haproxy/,
    line: /^TLSv1\.2 suites: only here (TLS_(ECDHE|DHE)_RSA_\S+ ?)+$/,
    why: 'HAProxy gives whoever offers an ECDSA suite its ECDSA certificate and nothing else; only a hello without any shows its RSA suites',
  },
  {
    peer: /^sslscan$/,
    server: /^exim-tls12$/,
    line: /^groups: only here (ffdhe\d+ ?)+$/,
    why: 'asks TLS 1.2 for curves alone; this server takes finite-field groups by name too (RFC 7919)',
  },
  {
    peer: /^nmap$/,
    server: /^haproxy/,
    line: /^TLSv1\.3 order: here server, there client$/,
    why: 'puts ChaCha20 first, which alone HAProxy follows its client in; otherwise it goes by its own order',
  },
];

/** Returns the lines that no known fault explains. */
export function unexplained(
  server: string,
  peer: string,
  lines: readonly string[],
): readonly string[] {
  return lines.filter(
    (line) =>
      !peerFaults.some(
        (fault) => fault.peer.test(peer) && fault.server.test(server) && fault.line.test(line),
      ),
  );
}
