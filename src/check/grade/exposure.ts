import type { ConnectionEvidence, Evidence } from '../../evidence/index.js';
import {
  exposureOf,
  type Exposure,
  type HostView,
  type Known,
  type ServerView,
  type View,
} from '../../tls-policy/index.js';
import { isUntried, judgeHost, type JudgedAddress, type JudgedHost } from './judge-host.js';
import { handshakeFailed } from './session.js';

/**
 * Returns the outcome for the mail of every class of sender, today and under each attack,
 * from the evidence alone.
 */
export function assessExposure(
  evidence: Evidence,
  judgedHosts = evidence.hosts.map((host) => judgeHost(evidence, host)),
): Exposure {
  return exposureOf(viewOf(evidence, judgedHosts));
}

/**
 * Returns the evidence in the three-valued form of the policy model. Addresses that this
 * machine could not try are omitted if it tried other addresses, since untried addresses
 * would make every outcome unknown.
 */
function viewOf(evidence: Evidence, judgedHosts: readonly JudgedHost[]): View {
  const tried = judgedHosts.map((judgedHost) => ({
    host: judgedHost,
    servers: judgedHost.addresses.filter((address) => address.summary.status !== 'skipped'),
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

/**
 * Returns the policy as a sender would obtain it now. The model adds the cached policy.
 */
function stsView(evidence: Evidence): View['mtaSts'] {
  const { mx = [], maxAge } = evidence.mtaSts.policy ?? {};
  const live = livePolicy(evidence);
  if (maxAge === undefined) return { live, mx };
  return { live, mx, maxAge };
}

/**
 * Returns the state of the policy for a sender without a cache. After a failed TXT
 * lookup, or a fetch that may succeed later or from another network, the policy is
 * unknown. After any other failure with a valid record, the policy is unavailable, and
 * senders deliver without a policy (RFC 8461 §3.3).
 */
function livePolicy({ mtaSts }: Evidence): View['mtaSts']['live'] {
  switch (mtaSts.status) {
    case 'found':
      return mtaSts.policy?.mode ?? 'unavailable';
    case 'absent':
      return 'absent';
    case 'tempfail':
      return 'unknown';
    case 'invalid':
      return 'unavailable';
  }
}

/**
 * Returns one host for the model. A host whose address lookup failed becomes one server
 * with unknown properties, so that the model does not treat it as a host without servers.
 */
function hostView(
  evidence: Evidence,
  judgedHost: JudgedHost,
  addresses: readonly JudgedAddress[],
): HostView {
  const { name, preference, tlsa, addressLookup } = judgedHost.evidence;
  const dnssec = dnssecOf(judgedHost);
  const unseen = addresses.length === 0 && addressLookup.status === 'failed' && dnssec !== 'bogus';
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
    servers: [
      ...addresses.flatMap((address) => serverViews(address, ownNetworkStrips(evidence))),
      ...(unseen || isUntried(judgedHost) ? [notTold] : []),
    ],
  };
}

/**
 * Returns the DNSSEC state of a host. Senders skip a host without addresses even if
 * DNSSEC does not prove the absence, so an indeterminate state then counts as insecure.
 */
function dnssecOf({
  evidence: { dnssec },
  summary: { passedOver },
}: JudgedHost): HostView['dnssec'] {
  if (passedOver !== undefined && dnssec === 'indeterminate') return 'insecure';
  return dnssec;
}

/**
 * Returns true if no resolver of this check passed DNSSEC records, so that the state of
 * the domain's DNSSEC is unknown. A resolver without a query yet does not count as
 * faulty.
 */
export function resolverAtFault({ network }: Evidence): boolean {
  return (
    network.resolver.length > 0 &&
    network.resolver.every(({ state }) => state !== 'answers' && state !== 'untried')
  );
}

/**
 * Returns true when the control host seems to lack STARTTLS as well: a missing keyword
 * then proves nothing about the domain.
 */
export function ownNetworkStrips({ network: { control } }: Evidence): boolean {
  return control !== undefined && ['absent', 'mangled'].includes(control.starttls);
}

/**
 * Returns the servers that a sender may reach at an address. An address with intermittent
 * STARTTLS counts as two servers, one with STARTTLS and one without.
 */
function serverViews(address: JudgedAddress, stripped: boolean): readonly ServerView[] {
  const view = serverView(address, stripped);
  if (!address.intermittent) return [view];
  const reached = { ...view, reachable: 'yes' } as const;
  const { step } = address.intermittent;
  if (step === 'session') return [view, { ...reached, reachable: 'no' }];
  if (step === 'handshake') return [view, { ...reached, starttls: 'yes', tls: 'no' }];
  if (step === 'command') return [view, { ...reached, starttls: 'no' }];
  return [view, { ...reached, starttls: stripped ? 'unknown' : 'no' }];
}

/**
 * Returns one server for the model. A property applies only if all certificates of the
 * server have it, because the sender's algorithms select one of them.
 */
function serverView(
  { evidence, connection, insideTls, certificates, summary, strictTls }: JudgedAddress,
  stripped: boolean,
): ServerView {
  const all = (judge: (certificate: JudgedAddress['certificates'][number]) => Known): Known => {
    // A sender that requires TLS requires TLS 1.2 or newer with a current suite (RFC 8461
    // §7.2, RFC 9325 §3.1.1, RFC 10015).
    const found = [strictAs(strictTls), ...certificates.map(judge)];
    if (found.includes('no')) return 'no';
    if (certificates.length === 0 || found.includes('unknown')) return 'unknown';
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
 * Returns whether the server accepts mail at all. A server accepts no mail if the session
 * fails inside TLS.
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
 * Returns whether version and suite satisfy a sender that requires TLS. Without a
 * handshake the result is `yes`, and the missing certificate makes the server unknown.
 */
function strictAs(strict: JudgedAddress['strictTls']): Known {
  if (strict === 'old-version' || strict === 'old-suites') return 'no';
  return strict === 'unknown' ? 'unknown' : 'yes';
}

function tlsWorks(connection: ConnectionEvidence | undefined): 'yes' | 'no' | 'unknown' {
  if (connection?.handshake) return 'yes';
  return handshakeFailed(connection?.failure?.code) ? 'no' : 'unknown';
}
