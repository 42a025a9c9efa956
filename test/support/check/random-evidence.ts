import fc from 'fast-check';
import { formatTime } from '../../../src/base/index.js';
import type {
  AddressEvidence,
  ConnectionEvidence,
  Evidence,
  HandshakeEvidence,
  HostEvidence,
  PresentedChain,
} from '../../../src/evidence/index.js';
import {
  issue,
  createCa,
  selfSigned,
  type Authority,
  type Issued,
} from '../../../src/pki/index.js';
import { parseCertificate, spkiSha256 } from '../../../src/x509/index.js';
import {
  plantedAddress,
  plantedConnection,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
  plantedPolicy,
} from './planted-evidence.js';
import { randomContinuity, randomPolicyAddresses } from './random-continuity.js';

const DAY = 86_400_000;
const MAX_HOSTS = 10;
const NAMES = Array.from({ length: MAX_HOSTS }, (_, place) => `mx${place + 1}.planted.example`);

type Certificate =
  | 'trusted'
  | 'self-signed'
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-name'
  | 'weakly-signed'
  | 'incomplete'
  | 'path-expired'
  | 'unknown';
type Showing = { readonly issued: Issued; readonly key: string };

/** Days from the date of the evidence; default valid. */
const datesOf: Partial<Record<Certificate, readonly [from: number, to: number]>> = {
  expired: [-90, -1],
  'not-yet-valid': [1, 90],
};

const issueBy =
  (ca: Authority) =>
  (options: Parameters<typeof selfSigned>[0]): Issued =>
    issue(ca, options);

/** Returns the certificates for each name, generated once for each run. */
function certificates(now: number): (name: string, kind: Certificate) => Showing {
  const ca = createCa({ name: 'Random Root' });
  const made = new Map<string, Showing>();
  return (name, kind) => {
    const known = made.get(`${name} ${kind}`);
    if (known) return known;
    const names = [kind === 'wrong-name' ? 'www.elsewhere.example' : name];
    const [from, to] = datesOf[kind] ?? [-10, 80];
    const dates = { notBefore: now + from * DAY, notAfter: now + to * DAY };
    const issued = (kind === 'self-signed' ? selfSigned : issueBy(ca))({ names, ...dates });
    const parsed = parseCertificate(issued.der);
    const showing = { issued, key: parsed.ok ? spkiSha256(parsed.value) : '' };
    made.set(`${name} ${kind}`, showing);
    return showing;
  };
}

/** The verdict of this run's trust store on a chain. */
const trustOf: Readonly<Record<Certificate, Partial<PresentedChain['pkix']>>> = {
  trusted: {},
  'self-signed': { chain: 'self-signed', problems: ['x509-self-signed'] },
  expired: { validity: 'expired' },
  'not-yet-valid': { validity: 'not-yet-valid' },
  'wrong-name': {},
  'weakly-signed': { problems: ['x509-weak-signature'] },
  incomplete: { chain: 'incomplete', problems: ['x509-issuer-missing'] },
  'path-expired': { validity: 'expired' },
  unknown: { chain: 'unknown', problems: ['x509-limit'] },
};

const failure = (code: string, detail = ''): { code: string; detail: string } => ({ code, detail });
const reply = (code: number, text: string) => ({ code, lines: [text] });

/** A connection of each kind that a server, a network or an attacker can cause. */
const behaviours = {
  good: {},
  absent: { starttls: 'absent' },
  heloOnly: { starttls: 'absent', failure: failure('smtp-ehlo-refused', '502 5.5.1 no') },
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
  closed: { starttls: 'offered', failure: failure('tls-closed') },
  refusedInside: { failure: failure('smtp-ehlo-refused', '550 5.7.1 no') },
  busyInside: { failure: failure('smtp-busy', '451 later') },
  closedInside: { failure: failure('smtp-closed') },
  oldVersion: {},
  oldSuites: {},
  busy: { starttls: 'unknown', failure: failure('smtp-busy', '421 too many connections') },
  noMail: { starttls: 'unknown', failure: failure('smtp-takes-no-mail', '521 no mail here') },
  dead: { starttls: 'unknown', dial: failure('net-refused') },
  silent: { starttls: 'unknown', dial: failure('net-timeout') },
  guarded: { starttls: 'unknown', dial: failure('net-guarded') },
  unroutable: { starttls: 'unknown', dial: failure('net-no-route') },
  untried: { starttls: 'unknown', dial: failure('too-many') },
} as const satisfies Record<string, Partial<ConnectionEvidence>>;
type Behaviour = keyof typeof behaviours;

/**
 * Returns an arbitrary that yields mostly the first value, because evidence with a fault
 * in every part would not vary.
 */
function mostly<T>(weight: number, usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );
}

/** Returns an arbitrary that yields undefined in three cases of four. */
function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary, weight: 1 });
}

const behaviour = mostly<Behaviour>(12, 'good', ...(Object.keys(behaviours) as Behaviour[]));
const certificate = mostly<Certificate>(
  12,
  'trusted',
  'self-signed',
  'expired',
  'not-yet-valid',
  'wrong-name',
  'weakly-signed',
  'incomplete',
  'path-expired',
  'unknown',
);

/** Results of handshakes that a sender with mandatory TLS would refuse. */
const sessions: Partial<Record<Behaviour, Pick<HandshakeEvidence, 'version' | 'suite'>>> = {
  oldVersion: { version: 'TLSv1', suite: 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA' },
  oldSuites: { version: 'TLSv1.2', suite: 'TLS_RSA_WITH_AES_128_GCM_SHA256' },
};

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
    handshake: { ...plantedHandshake(issued.chain, trustOf[shown]), ...sessions[kind] },
  });
  const works = kind === 'good' || kind in sessions;
  return works && ehloAfterTls ? { ...whole, ehloAfterTls } : whole;
}

function addressOf(ip: string, connections: readonly ConnectionEvidence[]): AddressEvidence {
  const [first] = connections;
  const dial = first?.dial ?? 'open';
  if (dial !== 'open') {
    // The guard refuses an address before the connection.
    const met = ['net-guarded', 'too-many'].includes(dial.code) ? [] : connections;
    const status = dialled[dial.code] ?? 'inconclusive';
    return plantedAddress({}, { ip, connections: met, status, reason: dial.code });
  }
  const told = first?.ehlo !== undefined && first.starttls !== 'unknown';
  return plantedAddress(
    {},
    told
      ? { ip, connections }
      : { ip, connections, status: 'inconclusive', reason: first?.failure?.code ?? '' },
  );
}

/** The status of an address, by the failure code of its first connection. */
const dialled: Readonly<Record<string, AddressEvidence['status']>> = {
  'net-refused': 'unreachable',
  'net-guarded': 'unreachable',
  'net-no-route': 'skipped',
  'too-many': 'skipped',
};

/**
 * Returns evidence of any possible domain. The parts of the evidence are consistent, as
 * in real evidence.
 */
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
    alias: mostly<RandomHost['alias']>(12, 'none', 'secure', 'insecure'),
    retired: mostly(8, false, true),
    misplaced: mostly(8, false, true),
  });
  const few = fc.array(host, { minLength: 1, maxLength: 3 });
  const many = fc.array(host, { minLength: 4, maxLength: MAX_HOSTS });
  return fc
    .record({
      route: fc.oneof(
        mostly<Evidence['route']['dnssec']>(4, 'secure', 'insecure'),
        mostly<Evidence['route']['dnssec']>(8, 'insecure', 'bogus', 'indeterminate'),
      ),
      kind: mostly<Evidence['route']['kind']>(8, 'mx', 'implicit', 'error', 'none', 'null-mx'),
      hosts: fc.oneof({ arbitrary: few, weight: 12 }, { arbitrary: many, weight: 1 }),
      policy: fc.oneof(
        mostly<RandomPolicy>(3, 'absent', 'testing', 'none', 'invalid', 'failed'),
        fc.constant<RandomPolicy>('enforce'),
      ),
      listed: mostly<readonly string[]>(8, NAMES, NAMES.slice(1), NAMES.slice(0, 1)),
      maxAge: mostly(5, 604_800, 0),
      control: mostly<'offered' | 'absent' | undefined>(8, undefined, 'offered', 'absent'),
      port25: mostly<Evidence['network']['port25']>(12, 'open', 'blocked', 'unknown'),
      resolver: mostly(12, 'answers', 'does-not-validate', 'silent'),
      depth: mostly<Evidence['depth']>(4, 'triage', 'verdict', 'inventory'),
      besideNullMx: mostly(12, undefined, true as const),
      skipped: mostly(12, undefined, ['mx11.planted.example'] as readonly string[]),
      tlsRpt: mostly<Evidence['tlsRpt']['status']>(5, 'found', 'absent', 'invalid', 'tempfail'),
      coming: rarely(randomContinuity(now, NAMES)),
      served: rarely(randomPolicyAddresses()),
    })
    .map((random): Evidence => {
      const { route, kind: found, hosts, policy, listed, maxAge, control } = random;
      // A check never uses a bogus answer, so the route stays unknown.
      const kind = route === 'bogus' ? 'error' : found;
      const sts = stsOf(policy, listed, maxAge);
      const { tlsRpt } = plantedEvidence();
      const withHosts = kind === 'mx' || kind === 'implicit';
      return {
        ...evidence,
        collectedAt: formatTime(now),
        route: {
          kind,
          dnssec: kind === 'error' && route === 'secure' ? 'indeterminate' : route,
          status: kind === 'error' ? 'failed' : 'found',
          besideNullMx: kind === 'mx' ? random.besideNullMx : undefined,
          skipped: kind === 'mx' ? random.skipped : undefined,
        },
        depth: random.depth,
        mtaSts: { ...sts, policyAddresses: random.served },
        tlsRpt: { ...tlsRpt, status: random.tlsRpt },
        continuity: withHosts ? random.coming : undefined,
        hosts: withHosts
          ? hosts
              .map((one, i) => hostOf(one, NAMES[i] ?? '', i, certificateFor))
              .sort((a, b) => a.preference - b.preference)
          : [],
        network: {
          ...evidence.network,
          port25: random.port25,
          resolver: [{ label: '192.0.2.53:53', state: random.resolver }],
          control:
            control === undefined ? undefined : { host: 'mx.control.example', starttls: control },
        },
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
  readonly alias: 'none' | 'secure' | 'insecure';
  readonly retired: boolean;
  readonly misplaced: boolean;
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
      i === 3 ? `2001:db8::${place + 1}` : `192.0.2.${16 * place + i + 1}`,
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
  const elsewhere = secure && status === 'absent' && random.misplaced;
  return plantedHost({
    name,
    preference,
    dnssec,
    addresses,
    alias:
      random.alias === 'none'
        ? undefined
        : { canonicalName: 'mail.elsewhere.example', secure: random.alias === 'secure' },
    unsupported:
      random.retired && dnssec === 'insecure'
        ? { zone: 'planted.example', algorithms: ['RSASHA1 (5)'] }
        : undefined,
    tlsa: {
      status,
      base: name,
      dnssec: secure ? 'secure' : 'insecure',
      records: kind === 'ee' || kind === 'stale' || kind === 'unusable' ? records[kind] : [],
      elsewhere: elsewhere ? [`_465._tcp.${name} TLSA 3 1 1 ${'5e'.repeat(32)}`] : undefined,
    },
  });
}

function tlsaStatus(kind: RandomHost['tlsa'], secure: boolean): HostEvidence['tlsa']['status'] {
  if (kind === 'absent') return 'absent';
  if (!secure) return kind === 'bogus' || kind === 'tempfail' ? 'absent' : 'insecure';
  return kind === 'ee' || kind === 'stale' ? 'usable' : kind;
}
