import type { CaseHost, CaseZone, SenderCase } from './sender-case.js';

const insecure: CaseZone = { dnssec: 'insecure' };

interface Traits extends Pick<
  SenderCase,
  'id' | 'says' | 'tells' | 'clause' | 'rules' | 'decidedAt' | 'quick' | 'needs'
> {
  readonly expect?: SenderCase['expect'];
  readonly evidenceOf?: SenderCase['evidenceOf'];
  readonly host?: CaseHost;
  readonly zone?: CaseZone;
}

/** Returns a case without MTA-STS and without DNSSEC: TLS is opportunistic. */
function opportunistic({ host = {}, zone = insecure, ...traits }: Traits): SenderCase {
  return { group: 'base', expect: 'inform', evidenceOf: [], host, zone, ...traits };
}

/** Domains without a policy, which show the TLS of the sender itself. */
export const baseCases: readonly SenderCase[] = [
  opportunistic({
    id: 'plain',
    says: 'valid certificate, no policy',
    tells: 'mail reaches this test, and the sender uses STARTTLS if it is offered',
    expect: 'deliver',
    evidenceOf: ['starttls'],
    clause: 'RFC 3207 §4',
    rules: '[3207-4-2]',
    decidedAt: 'starttls',
    quick: true,
  }),
  opportunistic({
    id: 'clear',
    quick: true,
    says: 'no STARTTLS, no policy',
    tells: 'whether the sender delivers in plaintext if TLS is not offered',
    clause: 'RFC 3207 §6',
    rules: '[7672-2.2-6]',
    decidedAt: 'ehlo',
    host: { starttls: 'absent' },
  }),
  opportunistic({
    id: 'self-signed',
    quick: true,
    says: 'self-signed certificate, no policy',
    tells: 'whether the sender is stricter than opportunistic TLS',
    expect: 'deliver',
    evidenceOf: ['starttls'],
    clause: 'RFC 7435 §3',
    rules: '[7672-2.2-6]',
    decidedAt: 'certificate',
    host: { certificate: 'self-signed' },
  }),
  opportunistic({
    id: 'expired',
    says: 'expired certificate, no policy',
    tells: 'whether the sender is stricter than opportunistic TLS',
    expect: 'deliver',
    evidenceOf: ['starttls'],
    clause: 'RFC 7435 §3',
    rules: '[7672-2.2-6]',
    decidedAt: 'certificate',
    host: { certificate: 'expired' },
  }),
  opportunistic({
    id: 'wrong-name',
    says: 'certificate for another name, no policy',
    tells: 'whether the sender is stricter than opportunistic TLS',
    expect: 'deliver',
    evidenceOf: ['starttls'],
    clause: 'RFC 7435 §3',
    rules: '[7672-2.2-6]',
    decidedAt: 'certificate',
    host: { certificate: 'wrong-name' },
  }),
  opportunistic({
    id: 'starttls-454',
    says: 'STARTTLS offered, and answered with 454',
    tells: 'whether the sender falls back to plaintext',
    clause: 'RFC 3207 §4',
    rules: '[3207-4-1, 3207-4-4]',
    decidedAt: 'starttls',
    host: { starttls: 'deferred' },
  }),
  opportunistic({
    id: 'handshake-broken',
    says: 'STARTTLS accepted, but the handshake fails',
    tells: 'whether the sender falls back to plaintext',
    clause: 'RFC 3207 §4.1',
    rules: '[3207-4.1-1]',
    decidedAt: 'handshake',
    host: { starttls: 'broken' },
  }),
  opportunistic({
    id: 'tls10',
    says: 'TLS 1.0 only',
    tells: 'whether the sender still speaks TLS 1.0',
    clause: 'RFC 8996 §4',
    decidedAt: 'handshake',
    host: { version: 'TLSv1' },
  }),
  opportunistic({
    id: 'tls11',
    says: 'TLS 1.1 only',
    tells: 'whether the sender still speaks TLS 1.1',
    clause: 'RFC 8996 §5',
    decidedAt: 'handshake',
    host: { version: 'TLSv1.1' },
  }),
  opportunistic({
    id: 'tls12',
    says: 'TLS 1.2 only',
    tells: 'whether the sender speaks TLS 1.2',
    clause: 'RFC 9325 §3.1.1',
    decidedAt: 'handshake',
    host: { version: 'TLSv1.2' },
  }),
  opportunistic({
    id: 'tls13',
    says: 'TLS 1.3 only',
    tells: 'whether the sender speaks TLS 1.3',
    clause: 'RFC 9325 §3.1.1',
    decidedAt: 'handshake',
    host: { version: 'TLSv1.3' },
  }),
  opportunistic({
    id: 'old-ciphers',
    says: 'TLS 1.2 with static RSA and CBC only',
    tells: 'whether the sender still uses suites without forward secrecy',
    clause: 'RFC 9325 §4.1',
    decidedAt: 'handshake',
    host: { version: 'TLSv1.2', suites: 'AES128-SHA:AES256-SHA', certificate: 'valid-rsa' },
  }),
  opportunistic({
    id: 'pq',
    says: 'TLS 1.3 with the hybrid group X25519MLKEM768 only',
    tells: 'whether the sender offers post-quantum key exchange',
    clause: 'RFC 10024 §3',
    decidedAt: 'handshake',
    host: { version: 'TLSv1.3', requiresHybrid: true },
  }),
  opportunistic({
    id: 'needs-sni',
    says: 'handshakes without SNI are refused',
    tells: 'whether the sender names the MX host in SNI without a policy',
    clause: 'RFC 6066 §3',
    decidedAt: 'handshake',
    host: { withoutSni: 'refused' },
  }),
  opportunistic({
    id: 'large-hello',
    says: 'a middlebox drops a ClientHello of more than one packet',
    tells: 'whether the sender delivers despite the large ClientHello of post-quantum key exchange',
    clause: 'RFC 9846 §4.2.2',
    decidedAt: 'handshake',
    host: { dropsLargeHello: true },
  }),
  opportunistic({
    id: 'client-certificate',
    says: 'the host asks for a client certificate',
    tells: 'whether the sender presents a client certificate',
    clause: 'RFC 9846 §4.4.2',
    decidedAt: 'handshake',
    host: { asksClientCertificate: true },
  }),
  opportunistic({
    id: 'second-mx',
    says: 'nothing listens at the preferred MX host',
    tells: 'whether the sender tries the next MX host',
    expect: 'deliver',
    clause: 'RFC 5321 §5.1',
    rules: '[5321-5.1-1]',
    decidedAt: 'connection',
    zone: { dnssec: 'insecure', deadMx: true },
  }),
  opportunistic({
    id: 'v4',
    says: 'the MX host has an IPv4 address only',
    tells: 'whether the sender delivers over IPv4',
    clause: 'RFC 5321 §5.2',
    decidedAt: 'connection',
    zone: { dnssec: 'insecure', family: 'ipv4' },
    needs: 'ipv4',
  }),
  opportunistic({
    id: 'v6',
    says: 'the MX host has an IPv6 address only',
    tells: 'whether the sender delivers over IPv6',
    clause: 'RFC 5321 §5.2',
    decidedAt: 'connection',
    zone: { dnssec: 'insecure', family: 'ipv6' },
    needs: 'ipv6',
  }),
];
