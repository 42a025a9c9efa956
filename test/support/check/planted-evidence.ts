import type {
  AddressEvidence,
  ConnectionEvidence,
  Evidence,
  HandshakeEvidence,
  HostEvidence,
} from '../../../src/evidence/index.js';

/**
 * Returns evidence for planted causes: a domain with STARTTLS on one host, no MTA-STS, no
 * DANE, no signed zone.
 */
export function plantedEvidence(changes: Partial<Evidence> = {}): Evidence {
  const txt = { texts: [], lookup: 'absent', dnssec: 'insecure' } as const;
  return {
    schema: 'hermetic.evidence/1',
    domain: 'planted.example',
    collectedAt: '2026-06-01T12:00:00Z',
    depth: 'triage',
    helo: 'probe.example',
    smtpPort: 25,
    route: { kind: 'mx', dnssec: 'insecure', status: 'found' },
    hosts: [plantedHost()],
    mtaSts: { txt, status: 'absent', problems: [] },
    tlsRpt: { txt, status: 'absent', rua: [], problems: [] },
    network: {
      port25: 'open',
      ipv6: 'unknown',
      resolver: [{ label: '192.0.2.53:53', state: 'answers' }],
    },
    ...changes,
  };
}

export function plantedHost(changes: Partial<HostEvidence> = {}): HostEvidence {
  return {
    name: 'mx.planted.example',
    preference: 10,
    dnssec: 'insecure',
    addressLookup: { status: 'found' },
    tlsa: { status: 'absent', base: 'mx.planted.example', dnssec: 'insecure', records: [] },
    addresses: [plantedAddress()],
    ...changes,
  };
}

export function plantedAddress(
  connection: Partial<ConnectionEvidence> = {},
  changes: Partial<AddressEvidence> = {},
): AddressEvidence {
  return {
    ip: '192.0.2.25',
    status: 'reachable',
    connections: [plantedConnection(connection)],
    ...changes,
  };
}

export function plantedConnection(changes: Partial<ConnectionEvidence> = {}): ConnectionEvidence {
  return {
    purpose: 'handshake',
    at: 0,
    milliseconds: 40,
    dial: 'open',
    greeting: { code: 220, lines: ['mx.planted.example ESMTP'] },
    ehlo: { code: 250, lines: ['mx.planted.example', 'STARTTLS'] },
    starttls: 'offered',
    ...(changes.starttls === undefined
      ? {
          handshake: plantedHandshake([]),
          ehloAfterTls: { code: 250, lines: ['mx.planted.example'] },
        }
      : {}),
    transcript: [{ from: 'S', text: '220 mx.planted.example ESMTP', at: 1 }],
    ...changes,
  };
}

/** Returns a completed handshake in which the server presented these certificates. */
export function plantedHandshake(
  chain: readonly Uint8Array[],
  pkix: Partial<HandshakeEvidence['pkix']> = {},
): HandshakeEvidence {
  return {
    version: 'TLSv1.3',
    suite: 'TLS_AES_256_GCM_SHA384',
    group: 'x25519',
    sni: 'mx.planted.example',
    chain: chain.map((der) => Buffer.from(der).toString('base64')),
    pkix: { chain: 'trusted', validity: 'valid', problems: [], ...pkix },
  };
}

/** Returns MTA-STS evidence with a policy. */
export function plantedPolicy(
  mode: 'enforce' | 'testing' | 'none',
  mx: readonly string[] = ['mx.planted.example'],
): Evidence['mtaSts'] {
  return {
    txt: { texts: ['v=STSv1; id=1'], lookup: 'found', dnssec: 'insecure' },
    status: 'found',
    id: '1',
    policy: { mode, maxAge: 604800, mx, body: '' },
    problems: [],
  };
}
