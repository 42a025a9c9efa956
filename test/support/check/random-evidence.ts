import fc from 'fast-check';
import { formatTime } from '../../../src/base/index.js';
import type {
  AddressEvidence,
  ConnectionEvidence,
  Evidence,
  HostEvidence,
} from '../../../src/evidence/index.js';
import { issue, createCa, selfSigned, type Issued } from '../../../src/pki/index.js';
import { parseCertificate, spkiSha256 } from '../../../src/x509/index.js';
import {
  plantedAddress,
  plantedConnection,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
  plantedPolicy,
} from './planted-evidence.js';

const DAY = 86_400_000;
const NAMES = ['mx1.planted.example', 'mx2.planted.example', 'mx3.planted.example'] as const;

type Certificate = 'trusted' | 'self-signed' | 'expired' | 'wrong-name';
type Showing = { readonly issued: Issued; readonly key: string };

/** Certificates for each name, made once for a run. */
function certificates(now: number): (name: string, kind: Certificate) => Showing {
  const ca = createCa({ name: 'Random Root' });
  const made = new Map<string, Showing>();
  return (name, kind) => {
    const known = made.get(`${name} ${kind}`);
    if (known) return known;
    const names = [kind === 'wrong-name' ? 'www.elsewhere.example' : name];
    const dates = kind === 'expired' ? { notBefore: now - 90 * DAY, notAfter: now - DAY } : {};
    const issued = kind === 'self-signed' ? selfSigned({ names }) : issue(ca, { names, ...dates });
    const parsed = parseCertificate(issued.der);
    const showing = { issued, key: parsed.ok ? spkiSha256(parsed.value) : '' };
    made.set(`${name} ${kind}`, showing);
    return showing;
  };
}

const failure = (code: string, detail = ''): { code: string; detail: string } => ({ code, detail });
const reply = (code: number, text: string) => ({ code, lines: [text] });

/** A connection of each kind that a server, a network or an attacker can cause. */
const behaviours = {
  good: {},
  absent: { starttls: 'absent' },
  mangled: { starttls: 'mangled', mangledAs: 'XXXXXXXA' },
  refused: {
    starttls: 'refused',
    starttlsReply: reply(502, '5.5.1 no'),
    failure: failure('smtp-starttls-refused', '502 5.5.1 no'),
  },
  deferred: {
    starttls: 'refused',
    starttlsReply: reply(454, '4.7.0 later'),
    failure: failure('smtp-starttls-refused', '454 4.7.0 later'),
  },
  broken: { starttls: 'offered', failure: failure('tls-alert-40') },
  cut: { starttls: 'offered', failure: failure('tls-timeout') },
  refusedInside: { failure: failure('smtp-ehlo-refused', '550 5.7.1 no') },
  busyInside: { failure: failure('smtp-busy', '451 later') },
  closedInside: { failure: failure('smtp-closed') },
  busy: { starttls: 'unknown', failure: failure('smtp-busy', '421 too many connections') },
  noMail: { starttls: 'unknown', failure: failure('smtp-takes-no-mail', '521 no mail here') },
  dead: { starttls: 'unknown', dial: failure('net-refused') },
  silent: { starttls: 'unknown', dial: failure('net-timeout') },
} as const satisfies Record<string, Partial<ConnectionEvidence>>;
type Behaviour = keyof typeof behaviours;

/**
 * The first value most of the time: with a fault in every part, all evidence would look
 * alike.
 */
function mostly<T>(weight: number, usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );
}

const behaviour = mostly<Behaviour>(12, 'good', ...(Object.keys(behaviours) as Behaviour[]));
const certificate = mostly<Certificate>(12, 'trusted', 'self-signed', 'expired', 'wrong-name');

function connectionOf(
  kind: Behaviour,
  shown: Certificate,
  { issued }: Showing,
): ConnectionEvidence {
  const changes: Partial<ConnectionEvidence> = behaviours[kind];
  if (changes.starttls !== undefined) {
    const early = changes.starttls === 'unknown';
    const { ehlo, ...rest } = plantedConnection(changes);
    return early || !ehlo ? rest : { ...rest, ehlo };
  }
  const { ehloAfterTls, ...whole } = plantedConnection({
    ...changes,
    handshake: plantedHandshake(issued.chain, {
      chain: shown === 'self-signed' ? 'self-signed' : 'trusted',
      validity: shown === 'expired' ? 'expired' : 'valid',
    }),
  });
  return kind === 'good' && ehloAfterTls ? { ...whole, ehloAfterTls } : whole;
}

function addressOf(ip: string, connections: readonly ConnectionEvidence[]): AddressEvidence {
  const [first] = connections;
  const dial = first?.dial ?? 'open';
  if (dial !== 'open')
    return plantedAddress(
      {},
      {
        ip,
        connections,
        status: dial.code === 'net-refused' ? 'unreachable' : 'inconclusive',
        reason: dial.code,
      },
    );
  const told = first?.ehlo !== undefined && first.starttls !== 'unknown';
  return plantedAddress(
    {},
    told
      ? { ip, connections }
      : { ip, connections, status: 'inconclusive', reason: first?.failure?.code ?? '' },
  );
}

/** Evidence of any possible domain. Its parts agree as those of real evidence do. */
export function randomEvidence(): fc.Arbitrary<Evidence> {
  const evidence = plantedEvidence();
  const now = Date.parse(evidence.collectedAt);
  const certificateFor = certificates(now);
  const address = fc.record({ first: behaviour, second: fc.option(behaviour), shown: certificate });
  const host = fc.record({
    preference: fc.constantFrom(10, 10, 20),
    dnssec: mostly<RandomHost['dnssec']>(12, 'secure', 'insecure', 'bogus', 'indeterminate'),
    lookup: mostly<RandomHost['lookup']>(16, 'found', 'absent', 'failed'),
    tlsa: fc.oneof(
      mostly<RandomHost['tlsa']>(4, 'absent', 'ee'),
      mostly<RandomHost['tlsa']>(6, 'ee', 'stale', 'unusable', 'bogus', 'tempfail'),
    ),
    addresses: fc.array(address, { minLength: 1, maxLength: 4 }),
    special: mostly(10, false, true),
  });
  return fc
    .record({
      route: fc.oneof(
        mostly<Evidence['route']['dnssec']>(4, 'secure', 'insecure'),
        mostly<Evidence['route']['dnssec']>(8, 'insecure', 'bogus', 'indeterminate'),
      ),
      kind: mostly<Evidence['route']['kind']>(8, 'mx', 'implicit', 'error', 'none', 'null-mx'),
      hosts: fc.array(host, { minLength: 1, maxLength: 3 }),
      policy: fc.oneof(
        mostly<RandomPolicy>(3, 'absent', 'testing', 'none', 'invalid', 'failed'),
        fc.constant<RandomPolicy>('enforce'),
      ),
      listed: mostly<readonly string[]>(8, NAMES, NAMES.slice(1), NAMES.slice(0, 1)),
      maxAge: mostly(5, 604_800, 0),
      control: mostly<'offered' | 'absent' | undefined>(8, undefined, 'offered', 'absent'),
    })
    .map(({ route, kind: found, hosts, policy, listed, maxAge, control }): Evidence => {
      // A bogus answer is never used, so nothing is known about the route.
      const kind = route === 'bogus' ? 'error' : found;
      const sts = stsOf(policy, listed, maxAge);
      const withHosts = kind === 'mx' || kind === 'implicit';
      return {
        ...evidence,
        collectedAt: formatTime(now),
        route: {
          kind,
          dnssec: kind === 'error' && route === 'secure' ? 'indeterminate' : route,
          status: kind === 'error' ? 'failed' : 'found',
        },
        mtaSts: sts,
        hosts: withHosts
          ? hosts
              .map((one, i) => hostOf(one, NAMES[i] ?? NAMES[0], i, certificateFor))
              .sort((a, b) => a.preference - b.preference)
          : [],
        network:
          control === undefined
            ? evidence.network
            : { ...evidence.network, control: { host: 'mx.control.example', starttls: control } },
      };
    });
}

function stsOf(
  policy: RandomPolicy,
  listed: readonly string[],
  maxAge: number,
): Evidence['mtaSts'] {
  const { mtaSts } = plantedEvidence();
  if (policy === 'absent') return mtaSts;
  if (policy === 'failed')
    return {
      ...mtaSts,
      status: 'tempfail',
      txt: { ...mtaSts.txt, lookup: 'failed' },
      problems: [failure('dns-servfail')],
    };
  if (policy === 'invalid')
    return { ...mtaSts, status: 'invalid', problems: [failure('sts-policy-malformed')] };
  const planted = plantedPolicy(policy, listed);
  return planted.policy ? { ...planted, policy: { ...planted.policy, maxAge } } : planted;
}

type RandomPolicy = 'absent' | 'enforce' | 'testing' | 'none' | 'invalid' | 'failed';

interface RandomHost {
  readonly preference: number;
  readonly dnssec: HostEvidence['dnssec'];
  readonly lookup: 'found' | 'absent' | 'failed';
  readonly tlsa: 'absent' | 'ee' | 'stale' | 'unusable' | 'bogus' | 'tempfail';
  readonly addresses: readonly {
    readonly first: Behaviour;
    readonly second: Behaviour | null;
    readonly shown: Certificate;
  }[];
  readonly special: boolean;
}

function hostOf(
  random: RandomHost,
  name: string,
  place: number,
  certificateFor: (name: string, kind: Certificate) => Showing,
): HostEvidence {
  const { preference, lookup, dnssec } = random;
  if (random.special)
    return plantedHost({
      name: 'token.invalid',
      preference,
      addresses: [],
      addressLookup: { status: 'absent' },
    });
  if (lookup !== 'found')
    return plantedHost({
      name,
      preference,
      dnssec,
      addresses: [],
      addressLookup: { status: lookup },
    });
  const addresses = random.addresses.map(({ first, second, shown }, i) => {
    const showing = certificateFor(name, shown);
    const met = [first, ...(second === null ? [] : [second])];
    return addressOf(
      `192.0.2.${16 * place + i + 1}`,
      met.map((kind) => connectionOf(kind, shown, showing)),
    );
  });
  const secure = dnssec === 'secure';
  const kind = random.tlsa;
  const records = {
    ee: [`3 1 1 ${certificateFor(name, random.addresses[0]?.shown ?? 'trusted').key}`],
    stale: [`3 1 1 ${'0d'.repeat(32)}`],
    unusable: [`1 1 1 ${'ab'.repeat(32)}`],
  } as const;
  const status = tlsaStatus(kind, secure);
  return plantedHost({
    name,
    preference,
    dnssec,
    addresses,
    tlsa: {
      status,
      base: name,
      dnssec: secure ? 'secure' : 'insecure',
      records: kind === 'ee' || kind === 'stale' || kind === 'unusable' ? records[kind] : [],
    },
  });
}

function tlsaStatus(kind: RandomHost['tlsa'], secure: boolean): HostEvidence['tlsa']['status'] {
  if (kind === 'absent') return 'absent';
  if (!secure) return kind === 'bogus' || kind === 'tempfail' ? 'absent' : 'insecure';
  return kind === 'ee' || kind === 'stale' ? 'usable' : kind;
}
