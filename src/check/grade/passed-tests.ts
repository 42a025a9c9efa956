import type { Evidence, Finding, PassedTest, Severity, Topic } from '../../evidence/index.js';
import { passedTest, type FindingId } from '../findings/catalogue.js';
import type { Profile, Rule } from '../profiles/profile.js';
import { ownNetworkStrips, resolverAtFault } from './exposure.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';
import { undecidedRules } from './undecided-rules.js';

/** The part of a result that the tests are chosen from. */
interface Graded {
  readonly hosts: readonly JudgedHost[];
  readonly findings: readonly Finding[];
  readonly notLookedAt: readonly string[];
}

/**
 * Returns the tests of the profile that were completed and found no fault. A test is
 * listed only if the check observed everything that the test depends on: a topic with an
 * open question has no passed tests.
 */
export function passedTests(
  evidence: Evidence,
  profile: Profile,
  { hosts, findings, notLookedAt }: Graded,
): readonly PassedTest[] {
  const tried = hosts.filter((judgedHost) => judgedHost.summary.passedOver === undefined);
  const open = new Set<string>([
    ...notLookedAt,
    ...findings.map(({ id }) => id),
    ...tried.flatMap((judgedHost) =>
      judgedHost.addresses.flatMap((address) =>
        undecidedRules(evidence, profile, judgedHost, address),
      ),
    ),
  ]);
  return Object.entries(profile.rules).flatMap(([id, rule]) => {
    const { topic, passed } = passedTest(id as FindingId);
    if (passed === undefined || open.has(id) || !canFail(rule)) return [];
    return isKnown(topic, evidence, tried)
      ? [{ id, topic, title: passed, reference: rule.clause }]
      : [];
  });
}

/**
 * Returns true for a rule that could change the verdict. A test that can never fail
 * proves nothing and is not listed.
 */
function canFail({ severity, whenAll }: Rule): boolean {
  const severities: readonly Severity[] =
    typeof severity === 'string' ? [severity] : Object.values(severity);
  return [...severities, whenAll].some((severity) => severity === 'fail' || severity === 'warn');
}

/**
 * Returns true when every fact of the topic was observed on every host and address. One
 * unknown address removes the passed tests of the whole topic, since readers understand a
 * passed test as a statement about the domain.
 */
function isKnown(topic: Topic, evidence: Evidence, judgedHosts: readonly JudgedHost[]): boolean {
  const { route, mtaSts, tlsRpt } = evidence;
  const addresses = judgedHosts.flatMap((judgedHost) => judgedHost.addresses);
  const [mail, every] = [route.kind === 'mx' || route.kind === 'implicit', addresses.length > 0];
  const signed =
    mail &&
    !resolverAtFault(evidence) &&
    route.dnssec !== 'indeterminate' &&
    judgedHosts.every(({ evidence: host }) => host.dnssec !== 'indeterminate');
  switch (topic) {
    case 'mx':
      return mail && every && addresses.every(({ summary }) => summary.status === 'reachable');
    case 'dnssec':
      // An unsigned zone has no signature that could be valid.
      return (
        signed &&
        [route.dnssec, ...judgedHosts.map((judgedHost) => judgedHost.evidence.dnssec)].includes(
          'secure',
        )
      );
    case 'starttls':
      return every && !ownNetworkStrips(evidence) && addresses.every(hasSession);
    case 'tls-version':
    case 'cipher':
      return every && addresses.every(hasSession);
    case 'certificate':
      return every && addresses.every((address) => hasSession(address) && isJudged(address));
    case 'dane':
      return (
        signed && every && judgedHosts.some(({ evidence: host }) => host.tlsa.status === 'usable')
      );
    case 'mta-sts':
      return mail && mtaSts.status === 'found';
    case 'tls-rpt':
      return mail && tlsRpt.status === 'found';
    case 'network':
      return false;
  }
}

/** A complete session: EHLO was answered inside TLS. */
const hasSession = ({ insideTls, summary }: JudgedAddress): boolean =>
  summary.status === 'reachable' && summary.starttls === 'offered' && insideTls === 'works';

/** Every certificate was compared with the root stores. */
const isJudged = ({ certificates }: JudgedAddress): boolean =>
  certificates.length > 0 && certificates.every(({ pkix }) => pkix !== 'unknown');
