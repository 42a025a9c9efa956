import type { ConnectionEvidence, Evidence } from '../../evidence/index.js';
import {
  exposureOf,
  type Exposure,
  type HostView,
  type Known,
  type ServerView,
  type View,
} from '../../tls-policy/index.js';
import { judgeHost, type JudgedAddress, type JudgedHost } from './judge-host.js';

/**
 * Computes the outcome for every class of sender, today and under each attack, from
 * evidence.
 */
export function assessExposure(
  evidence: Evidence,
  hosts = evidence.hosts.map((host) => judgeHost(evidence, host)),
): Exposure {
  return exposureOf(viewOf(evidence, hosts));
}

/**
 * Converts evidence to the view of `tls-policy`: three-valued, without addresses that
 * this machine could not try.
 */
function viewOf(evidence: Evidence, hosts: readonly JudgedHost[]): View {
  const tried = hosts.map((host) => ({
    host,
    servers: host.addresses.filter((address) => address.summary.status !== 'skipped'),
  }));
  const any = tried.some(({ servers }) => servers.length > 0);
  return {
    route: { kind: evidence.route.kind, dnssec: evidence.route.dnssec },
    mtaSts: stsView(evidence),
    hosts: tried
      .filter(({ host, servers }) => servers.length > 0 || !any || host.addresses.length === 0)
      .map(({ host, servers }) =>
        hostView(evidence, host, servers.length > 0 ? servers : host.addresses),
      ),
  };
}

function stsView(evidence: Evidence): View['mtaSts'] {
  const { mx = [], maxAge } = evidence.mtaSts.policy ?? {};
  const live = livePolicy(evidence);
  if (maxAge === undefined) return { live, mx };
  return { live, mx, maxAge };
}

function livePolicy({ mtaSts }: Evidence): View['mtaSts']['live'] {
  if (mtaSts.status === 'found') return mtaSts.policy?.mode ?? 'unavailable';
  if (mtaSts.status === 'absent') return 'absent';
  if (mtaSts.txt.lookup === 'failed') return 'unknown';
  return 'unavailable';
}

function hostView(
  evidence: Evidence,
  host: JudgedHost,
  addresses: readonly JudgedAddress[],
): HostView {
  const { name, preference, tlsa, addressLookup } = host.evidence;
  const dnssec = dnssecOf(host);
  const notTold: ServerView = {
    ip: '',
    reachable: 'unknown',
    starttls: 'unknown',
    tls: 'unknown',
    pkix: 'unknown',
    dane: 'unknown',
    attacker: false,
  };
  return {
    name,
    preference,
    dnssec,
    tlsa: tlsa.dnssec === 'indeterminate' && resolverAtFault(evidence) ? 'unknown' : tlsa.status,
    servers:
      addresses.length === 0 && addressLookup.status === 'failed' && dnssec !== 'bogus'
        ? [notTold]
        : addresses.flatMap((address) => serverViews(address, ownNetworkStrips(evidence))),
  };
}

/** A name without addresses is passed over whether its absence is proved or not. */
function dnssecOf({
  evidence: { dnssec },
  summary: { passedOver },
}: JudgedHost): HostView['dnssec'] {
  if (passedOver !== undefined && dnssec === 'indeterminate') return 'insecure';
  return dnssec;
}

/** Returns true if the resolver of this machine prevents a statement about DNSSEC. */
export function resolverAtFault({ network }: Evidence): boolean {
  return (
    network.resolver.length > 0 &&
    network.resolver.every(({ state }) => state !== 'answers' && state !== 'untried')
  );
}

/**
 * Returns true if the control host also lacks STARTTLS: then this network strips it, and
 * observations from here say nothing about the domain.
 */
export function ownNetworkStrips({ network: { control } }: Evidence): boolean {
  return control !== undefined && ['absent', 'mangled'].includes(control.starttls);
}

/** Two servers behind one address where STARTTLS comes and goes. */
function serverViews(address: JudgedAddress, stripped: boolean): readonly ServerView[] {
  const view = serverView(address, stripped);
  if (!address.intermittent) return [view];
  return [view, { ...view, reachable: 'yes', starttls: stripped ? 'unknown' : 'no' }];
}

function serverView(
  { evidence, connection, insideTls, certificates, summary }: JudgedAddress,
  stripped: boolean,
): ServerView {
  const all = (judge: (certificate: JudgedAddress['certificates'][number]) => Known): Known => {
    const found = certificates.map(judge);
    if (found.includes('no')) return 'no';
    if (found.length === 0 || found.includes('unknown')) return 'unknown';
    return 'yes';
  };
  const missing = stripped ? 'unknown' : 'no';
  return {
    ip: evidence.ip,
    reachable: reachableAs(summary.status, insideTls),
    starttls: (
      {
        offered: 'yes',
        absent: missing,
        mangled: missing,
        refused: 'no',
        unknown: 'unknown',
      } as const
    )[summary.starttls],
    tls: tlsWorks(connection),
    pkix: all((certificate) => certificate.pkix),
    dane: all(({ summary: { dane } }) => {
      if (dane === 'match') return 'yes';
      if (dane === 'unverifiable') return 'unknown';
      return 'no';
    }),
    attacker: false,
  };
}

/**
 * Whether mail can be handed over there at all. A session that fails inside TLS takes
 * none.
 */
function reachableAs(
  status: JudgedAddress['summary']['status'],
  inside: JudgedAddress['insideTls'],
): Known {
  if (status === 'unreachable' || inside === 'refused') return 'no';
  if (status === 'reachable' && inside !== 'unknown') return 'yes';
  return 'unknown';
}

/**
 * Returns true for a handshake that the server itself failed. Silence and a full queue
 * are not such failures.
 */
export function handshakeFailed(code: string | undefined): boolean {
  return (
    code !== undefined && code.startsWith('tls-') && !/timeout|aborted|closed-early/.test(code)
  );
}

function tlsWorks(connection: ConnectionEvidence | undefined): 'yes' | 'no' | 'unknown' {
  if (connection?.handshake) return 'yes';
  return handshakeFailed(connection?.failure?.code) ? 'no' : 'unknown';
}
