import { formatTime, safeUnicode, version } from '../../base/index.js';
import {
  evidenceDigest,
  type CheckResult,
  type Evidence,
  type Finding,
  type MailHost,
  type PolicyAddressEvidence,
  type PolicyHostAddress,
  type Provenance,
  type Verdict,
  type ZoneSignature,
} from '../../evidence/index.js';
import { parseCertificate, type TrustStore } from '../../x509/index.js';
import { assessExposure, ownNetworkStrips, resolverAtFault } from './exposure.js';
import { handshakeFailed } from './session.js';
import { baseline } from '../profiles/baseline.js';
import { severityOf } from '../profiles/goals.js';
import type { FindingId } from '../findings/catalogue.js';
import { noOptions, type CommandOptions } from '../findings/entry.js';
import type { Profile, Rule } from '../profiles/profile.js';
import { continuityRules, undecidedContinuity } from './continuity-rules.js';
import { daneRules } from './dane-rules.js';
import { policyRules, routeRules } from './domain-rules.js';
import { hostRules } from './host-rules.js';
import { isUntried, judgeHost, type JudgedAddress, type JudgedHost } from './judge-host.js';
import { FindingCollector } from './finding-collector.js';
import { rejudge } from './rejudge.js';
import { passedTests } from './passed-tests.js';
import { undecidedRules } from './undecided-rules.js';
import { undecidedWithoutSni } from './without-sni-rules.js';

/** Depths from the fewest connections to the most. */
const depths = ['triage', 'verdict', 'inventory'];

/** Facts about the check that the evidence does not contain. */
export interface GradeOptions {
  /** Options that the commands in the steps repeat. Default: none. */
  readonly options?: CommandOptions | undefined;
  /**
   * Roots against which the saved chains are judged again. Default: the judgements in the
   * evidence apply.
   */
  readonly trustStore?: TrustStore | undefined;
  /**
   * True to omit the exposure of single hosts and addresses, the passed tests and the
   * provenance, which take most of the time of grading. Default false.
   */
  readonly brief?: boolean | undefined;
}

/**
 * Grades evidence. The function is pure: the date is that of the evidence, and no server
 * is contacted. The digest in the result lets a reader verify the evidence that the
 * result was graded from. The verdicts in order of precedence are `fail`, `inconclusive`,
 * `warn` and `pass`; `inconclusive` applies only if an unknown fact could change the
 * verdict.
 */
export function grade(
  collected: Evidence,
  profile: Profile = baseline,
  { options = noOptions, trustStore, brief = false }: GradeOptions = {},
): CheckResult {
  const evidence = trustStore ? rejudge(collected, trustStore) : collected;
  const judgedHosts = evidence.hosts.map((host) => judgeHost(evidence, host));
  const findings = findingsOf(
    new FindingCollector({ evidence, profile, hosts: judgedHosts, options }),
  );
  const {
    mtaSts,
    tlsRpt,
    network: { control },
  } = evidence;
  const notLookedAt = beyondDepth(evidence, profile);
  const undecided = [...undecidedContinuity(evidence), ...undecidedWithoutSni(judgedHosts)].filter(
    (id) => !notLookedAt.includes(id),
  );
  return {
    schema: 'hermetic.check/1',
    domain: evidence.domain,
    domainUnicode: safeUnicode(evidence.domain),
    checkedAt: evidence.collectedAt,
    profile: profile.name,
    depth: evidence.depth,
    verdict: verdictOf(evidence, profile, judgedHosts, findings),
    exposure: assessExposure(evidence, judgedHosts),
    route: { kind: evidence.route.kind, dnssec: evidence.route.dnssec },
    hosts: judgedHosts.map((judgedHost) =>
      brief ? judgedHost.summary : withExposure(evidence, judgedHost),
    ),
    mtaSts: {
      status: mtaSts.status,
      id: mtaSts.id,
      mode: mtaSts.policy?.mode,
      maxAge: mtaSts.policy?.maxAge,
      mx: mtaSts.policy?.mx,
      problems: mtaSts.problems.map((problem) => problem.code),
      addresses: mtaSts.policyAddresses?.map(policyHostAddress),
    },
    signatures: zoneSignatures(evidence),
    tlsRpt: {
      status: tlsRpt.status,
      rua: tlsRpt.rua,
      problems: tlsRpt.problems.map((problem) => problem.code),
    },
    control: control && { host: control.host, starttls: control.starttls },
    findings,
    notLookedAt,
    undecided: undecided.length > 0 ? undecided : undefined,
    passed: brief
      ? undefined
      : passedTests(evidence, profile, {
          hosts: judgedHosts,
          findings,
          notLookedAt: [...notLookedAt, ...undecided],
        }),
    connections: judgedHosts
      .flatMap((judgedHost) =>
        judgedHost.summary.addresses.flatMap((address) => [address, ...(address.submission ?? [])]),
      )
      .reduce((sum, { connections }) => sum + connections, 0),
    provenance: brief
      ? undefined
      : { ...provenanceOf(evidence, profile), evidenceSha256: evidenceDigest(collected) },
  };
}

function policyHostAddress({ address, chain, failure }: PolicyAddressEvidence): PolicyHostAddress {
  const leaf = chain?.[0];
  const parsed = leaf === undefined ? undefined : parseCertificate(Buffer.from(leaf, 'base64'));
  return {
    ip: address,
    notAfter: parsed?.ok ? formatTime(parsed.value.notAfter) : undefined,
    problem: failure?.code,
  };
}

function zoneSignatures({ continuity }: Evidence): readonly ZoneSignature[] | undefined {
  return continuity?.signatures.map(({ zone, rrset, expiration }) => ({
    zone,
    rrset,
    notAfter: expiration,
  }));
}

/**
 * Runs the rules in the order in which they depend on each other: the route, the hosts,
 * DANE, and then the policy, whose rules depend on whether DANE protects every host.
 */
function findingsOf(raised: FindingCollector): readonly Finding[] {
  routeRules(raised);
  const { kind } = raised.evidence.route;
  if (kind === 'mx' || kind === 'implicit') {
    hostRules(raised);
    policyRules(raised, daneRules(raised));
    continuityRules(raised);
  }
  return raised.list();
}

/**
 * Returns the rules of the profile that need more connections than this check made. The
 * result lists these rules, so that readers do not mistake a shallow check for a complete
 * one.
 */
function beyondDepth(evidence: Evidence, profile: Profile): readonly string[] {
  const intrusive = evidence.hosts.some((host) =>
    host.addresses.some((address) =>
      address.connections.some((connection) => connection.injection),
    ),
  );
  const isBeyond = ({ depth = 'triage' }: Rule): boolean =>
    depth === 'intrusive' ? !intrusive : depths.indexOf(depth) > depths.indexOf(evidence.depth);
  return Object.entries(profile.rules)
    .filter(([, rule]) => isBeyond(rule))
    .map(([id]) => id);
}

/**
 * Returns the origin of the result: versions, vantage point, resolvers and root stores.
 */
function provenanceOf(evidence: Evidence, profile: Profile): Omit<Provenance, 'evidenceSha256'> {
  const { network, helo, tool } = evidence;
  return {
    tool: { name: 'hermetic', version },
    collector: tool,
    profileDate: profile.date,
    vantage: { addresses: network.sources ?? [], helo, ipv6: network.ipv6 },
    resolvers: network.resolver.map(({ label }) => label),
    trustStores: evidence.trustStores,
  };
}

/**
 * Adds the outcomes of mail if the host, or one address of it, were the only one of the
 * domain.
 */
function withExposure(evidence: Evidence, judgedHost: JudgedHost): MailHost {
  return {
    ...judgedHost.summary,
    exposure: assessExposure(evidence, [judgedHost]),
    addresses: judgedHost.addresses.map((address) => ({
      ...address.summary,
      exposure: assessExposure(evidence, [{ ...judgedHost, addresses: [address] }]),
    })),
  };
}

/**
 * Returns the verdict. No unknown fact can remove a failure, so `fail` comes first.
 * Unknown facts come before a warning, because one of them might be a failure.
 */
function verdictOf(
  evidence: Evidence,
  profile: Profile,
  judgedHosts: readonly JudgedHost[],
  findings: readonly Finding[],
): Verdict {
  const { kind } = evidence.route;
  if (kind === 'null-mx' || kind === 'none') return 'not-applicable';
  if (findings.some((finding) => finding.severity === 'fail')) return 'fail';
  if (somethingUnknown(evidence, judgedHosts)) return 'inconclusive';
  // Findings that were neither raised nor ruled out. Some of them may make the verdict
  // worse.
  const open: FindingId[] = judgedHosts.flatMap((judgedHost) =>
    judgedHost.addresses.flatMap((address) =>
      undecidedRules(evidence, profile, judgedHost, address),
    ),
  );
  // The record that the check did not obtain may be an invalid one.
  if (evidence.tlsRpt.status === 'tempfail') open.push('tlsrpt-invalid');
  const severities = open
    .filter((id) => !findings.some((finding) => finding.id === id))
    .map((id) => severityOf(profile, id));
  const warned = findings.some((finding) => finding.severity === 'warn');
  if (severities.includes('fail') || (!warned && severities.includes('warn')))
    return 'inconclusive';
  return warned ? 'warn' : 'pass';
}

/**
 * Returns whether an unknown fact may be a failure, which would outweigh every lesser
 * finding.
 */
function somethingUnknown(evidence: Evidence, judgedHosts: readonly JudgedHost[]): boolean {
  if (
    evidence.route.kind === 'error' ||
    evidence.route.dnssec === 'indeterminate' ||
    resolverAtFault(evidence)
  )
    return true;
  if (ownNetworkStrips(evidence)) return true;
  // A policy that the check did not obtain may be enforced and exclude a host.
  if (evidence.mtaSts.status === 'tempfail') return true;
  const reached = judgedHosts.some((judgedHost) =>
    judgedHost.addresses.some((address) => address.summary.status === 'reachable'),
  );
  if (evidence.route.skipped !== undefined && !reached) return true;
  return judgedHosts.some((judgedHost) => {
    const { evidence: host, addresses, summary: shown } = judgedHost;
    if (shown.passedOver !== undefined) return false;
    if (isUntried(judgedHost)) return true;
    if (host.dnssec === 'indeterminate' || host.addressLookup.status === 'failed') return true;
    // If the check observed one address of the domain, an address that this machine could
    // not try does not make the verdict inconclusive.
    const tried = addresses.filter((address) => address.summary.status !== 'skipped');
    if (tried.length === 0 && addresses.length > 0) return !reached;
    return tried.some(
      (address) =>
        address.summary.status === 'inconclusive' ||
        sessionUnknown(evidence, host.tlsa.status === 'usable', address),
    );
  });
}

/**
 * Returns true if the server offered STARTTLS and the result does not show whether a
 * sender's session works.
 */
function sessionUnknown(
  { mtaSts }: Evidence,
  dane: boolean,
  { summary: shown, connection, insideTls, certificates, strictTls }: JudgedAddress,
): boolean {
  if (shown.starttls !== 'offered') return false;
  if (insideTls === 'unknown') return true;
  if (!connection?.handshake) return !handshakeFailed(connection?.failure?.code);
  const authenticated = dane || mtaSts.policy?.mode === 'enforce';
  if (certificates.length === 0 || strictTls === 'unknown') return authenticated;
  return (
    authenticated &&
    certificates.some(
      (connection) => connection.pkix === 'unknown' || connection.summary.dane === 'unverifiable',
    )
  );
}
