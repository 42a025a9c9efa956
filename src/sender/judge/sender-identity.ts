import { groupName, isPostQuantum, ProtocolVersion } from '../../tls/index.js';
import type { Observation, ObservationOf } from '../observation.js';
import type { SenderIdentity, SenderTls } from '../verdict.js';
import { senderNetwork, type Attempt } from './attempts.js';

/** The maximum number of names and networks shown. */
const MAX_SHOWN = 20;

/**
 * Returns the identity that the connections show. The network that attempted the most
 * cases comes first, because its attempts decide the test.
 */
export function identityOf(
  networks: readonly string[],
  observations: readonly Observation[],
): SenderIdentity | undefined {
  if (networks.length === 0) return undefined;
  const ehloNames = distinct(
    ofKind(observations, 'ehlo')
      .filter(({ source }) => senderNetwork(source) === networks[0])
      .map(({ name }) => name),
  );
  const via = distinct(ofKind(observations, 'submitted').map((one) => one.via ?? ''));
  const agents = distinct(ofKind(observations, 'policy').map((one) => one.userAgent ?? ''));
  const signing = distinct(
    ofKind(observations, 'data')
      .filter(({ source }) => senderNetwork(source) === networks[0])
      .flatMap(({ signedBy = [] }) => signedBy),
  );
  return {
    networks: networks.slice(0, MAX_SHOWN),
    ehloNames,
    software: softwareOf([...agents, ...ehloNames]),
    signingDomains: signing.length === 0 ? undefined : signing,
    smartHost: via.some((address) => !networks.includes(senderNetwork(address))),
  };
}

/**
 * Returns the networks of the attempts, sorted: first networks that sent MAIL, then the
 * rest, such as scanners. Within each group, networks with more cases come first, and
 * networks with equally many cases stay in the order of arrival.
 */
export function networksByCases(attempts: readonly AttemptAtCase[]): readonly string[] {
  return byCases(attempts, ({ network }) => network);
}

/**
 * Returns the domain of the EHLO names that a network used at the most cases. Another
 * domain belongs to another server behind the same address, such as a host behind the
 * same NAT.
 */
export function nameDomainByCases(attempts: readonly AttemptAtCase[]): string | undefined {
  return byCases(attempts, ({ nameDomain }) => nameDomain)[0];
}

/** An attempt with its case. */
export interface AttemptAtCase {
  readonly caseId: string;
  readonly attempt: Attempt;
}

function byCases(
  attempts: readonly AttemptAtCase[],
  keyOf: (attempt: Attempt) => string | undefined,
): readonly string[] {
  const cases = new Map<string, Set<string>>();
  const willing = new Set<string>();
  const byTime = [...attempts].sort((a, b) => a.attempt.firstAt - b.attempt.firstAt);
  for (const { caseId, attempt } of byTime) {
    const key = keyOf(attempt);
    if (key === undefined || attempt.reached === 'connection') continue;
    const seen = cases.get(key) ?? new Set();
    cases.set(key, seen.add(caseId));
    if (attempt.willing !== undefined) willing.add(key);
  }
  return [...cases]
    .sort(
      ([left, a], [right, b]) =>
        Number(willing.has(right)) - Number(willing.has(left)) || b.size - a.size,
    )
    .map(([key]) => key);
}

/** Software by the part of an EHLO name or user agent that identifies it. */
const software: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\.outbound\.protection\.outlook\.com$/i, 'Microsoft Exchange Online'],
  [/\.google\.com$/i, 'Gmail'],
  [/postfix-mta-sts-resolver/i, 'Postfix with postfix-mta-sts-resolver'],
  [/postfix-tlspol/i, 'Postfix with postfix-tlspol'],
  [/^hermetic\b/i, 'Hermetic'],
  [/\bmox\b/i, 'mox'],
  [/\bstalwart\b/i, 'Stalwart'],
  [/\bmaddy\b/i, 'maddy'],
];

function softwareOf(texts: readonly string[]): string | undefined {
  return software.find(([pattern]) => texts.some((shown) => pattern.test(shown)))?.[1];
}

/** Returns the abilities that the ClientHellos of the judged network show. */
export function tlsOf(
  network: string | undefined,
  observations: readonly Observation[],
): SenderTls | undefined {
  const hellos = ofKind(observations, 'hello').filter(
    ({ source }) => senderNetwork(source) === network,
  );
  if (hellos.length === 0) return undefined;
  const groups = [...new Set(hellos.flatMap((hello) => hello.groups))];
  const named = hellos.filter(({ serverName }) => serverName !== undefined).length;
  let sni: SenderTls['sni'] = named > 0 ? 'sometimes' : 'never';
  if (named === hellos.length) sni = 'always';
  return {
    versions: Object.entries(ProtocolVersion)
      .filter(([, version]) => hellos.some((hello) => offers(hello, version)))
      .map(([name]) => name),
    postQuantum: groups.map(groupName).some(isPostQuantum),
    sni,
    groups: groups.filter((group) => !isReserved(group)).map(groupName),
  };
}

/**
 * Returns whether a ClientHello offers a version. A ClientHello before TLS 1.3 names only
 * its highest version, so it does not show lower versions (RFC 9846 §E.1).
 */
function offers({ versions, maxVersion }: ObservationOf<'hello'>, version: number): boolean {
  return versions.length > 0 ? versions.includes(version) : maxVersion === version;
}

/**
 * Returns whether a group is a GREASE value, with which clients test that servers
 * tolerate unknown values (RFC 8701).
 */
function isReserved(group: number): boolean {
  return (group & 0x0f0f) === 0x0a0a && group >> 8 === (group & 0xff);
}

function ofKind<K extends Observation['kind']>(
  observations: readonly Observation[],
  kind: K,
): ObservationOf<K>[] {
  return observations.filter((one): one is ObservationOf<K> => one.kind === kind);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((one) => one !== ''))].slice(0, MAX_SHOWN);
}
