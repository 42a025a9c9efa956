import { countOf } from '../../base/index.js';
import type {
  CheckResult,
  MailAddress,
  MailCertificate,
  MailHost,
  Severity,
  Topic,
} from '../../evidence/index.js';
import type { Tone } from '../../page/index.js';
import { suiteStrength } from './suite-strength.js';
import { duration, tlsVersions, versionList } from './words.js';

/**
 * The mark of a topic. `pass`: tested without a fault. `absent`: not in use, which is not
 * a fault here. `unknown`: could not be determined. `warn` and `fail`: the worst finding
 * of the topic.
 */
export type Mark = 'pass' | 'warn' | 'fail' | 'absent' | 'unknown';

/** One row of the scorecard. */
export interface Score {
  readonly topic: Topic;
  readonly name: string;
  readonly mark: Mark;
  /** The observed facts as one phrase. */
  readonly value: string;
  /** The clause that the topic is judged by. */
  readonly clause: string;
}

/** The tone of each mark. */
export const markTones: Readonly<Record<Mark, Tone>> = {
  pass: 'good',
  warn: 'fair',
  fail: 'bad',
  absent: 'quiet',
  unknown: 'fair',
};

/** The sign of a mark in HTML. */
export const markSigns: Readonly<Record<Mark, string>> = {
  pass: '✓',
  warn: '!',
  fail: '✕',
  absent: '–',
  unknown: '?',
};

/** Observed facts of a topic, before the findings are counted. */
interface Observed {
  readonly value: string;
  readonly mark: Extract<Mark, 'pass' | 'absent' | 'unknown'>;
}

/** A row of the scorecard before a result is known. */
interface ScoreRow {
  readonly topic: Topic;
  readonly name: string;
  readonly clause: string;
  readonly observe: (checkResult: CheckResult) => Observed;
}

/**
 * The rows, in the order of a delivery: route, session, authentication, policy, reports.
 */
const rows: readonly ScoreRow[] = [
  { topic: 'mx', name: 'Mail hosts', clause: 'RFC 5321 §5.1', observe: mailHosts },
  { topic: 'dnssec', name: 'DNSSEC', clause: 'RFC 4035 §5', observe: dnssec },
  { topic: 'starttls', name: 'STARTTLS', clause: 'RFC 3207 §4', observe: starttls },
  { topic: 'tls-version', name: 'TLS versions', clause: 'RFC 9325 §3.1', observe: versions },
  { topic: 'cipher', name: 'Ciphers', clause: 'RFC 9325 §4', observe: ciphers },
  { topic: 'certificate', name: 'Certificate', clause: 'RFC 8461 §4.2', observe: certificate },
  { topic: 'dane', name: 'DANE', clause: 'RFC 7672 §2.2', observe: dane },
  { topic: 'mta-sts', name: 'MTA-STS', clause: 'RFC 8461 §3', observe: mtaSts },
  { topic: 'tls-rpt', name: 'TLS-RPT', clause: 'RFC 8460 §3', observe: tlsRpt },
];

/** The topics of the scorecard in their order. */
export const scoreNames = rows.map(({ topic, name }) => ({ topic, name }));

/**
 * Returns the scorecard of a result: one row for each topic. Empty for a domain without
 * mail. The mark of a topic shows its worst fault; a topic that was not observed is never
 * `pass`.
 */
export function scorecard(checkResult: CheckResult): readonly Score[] {
  if (!hasMailRoute(checkResult)) return [];
  return rows.map(({ topic, name, clause, observe }) => {
    const worst = worstOf(checkResult, topic);
    const observed = observe(checkResult);
    const isFault = worst === 'fail' || worst === 'warn';
    return { topic, name, clause, value: observed.value, mark: isFault ? worst : observed.mark };
  });
}

/** Returns whether the domain has mail to protect; otherwise the scorecard is empty. */
export function hasMailRoute({ route }: CheckResult): boolean {
  return route.kind === 'mx' || route.kind === 'implicit' || route.kind === 'error';
}

/**
 * Returns the worst severity of a topic that changes its mark, fail or warn; undefined
 * without a fault.
 */
function worstOf({ findings }: CheckResult, topic: Topic): Severity | undefined {
  const severities = findings
    .filter((finding) => finding.topic === topic)
    .map((finding) => finding.severity);
  return (['fail', 'warn'] as const).find((severity) => severities.includes(severity));
}

/** Every address of every MX host. */
const addressesOf = ({ hosts }: CheckResult): readonly MailAddress[] =>
  hosts.flatMap((mailHost) => mailHost.addresses);
/** Addresses at which the check observed at least one suite. */
const sessionsOf = (checkResult: CheckResult): readonly MailAddress[] =>
  addressesOf(checkResult).filter(
    (address) => address.starttls === 'offered' && address.tls.suites.length > 0,
  );
/** Every certificate received on port 25. */
const certificatesOf = (checkResult: CheckResult): readonly MailCertificate[] =>
  addressesOf(checkResult).flatMap((address) => address.certificates);

/** Hosts that exist, or may exist: senders skip the other MX records. */
const hostsOf = ({ hosts }: CheckResult): readonly MailHost[] =>
  hosts.filter((mailHost) => mailHost.passedOver === undefined);

/**
 * Returns the hosts and addresses that were reached. If some of them were not reached,
 * the mark is unknown: a separate finding reports any fault of theirs.
 */
function mailHosts(checkResult: CheckResult): Observed {
  const { route, hosts } = checkResult;
  if (route.kind === 'error') return { value: 'the MX lookup failed', mark: 'unknown' };
  const existing = hostsOf(checkResult);
  const skipped = hosts.length - existing.length;
  const unseen = existing.filter((mailHost) => mailHost.addressLookup === 'failed').length;
  const addresses = addressesOf(checkResult);
  const reached = addresses.filter((address) => address.status === 'reachable').length;
  const all = reached === addresses.length;
  const some = `${reached} of ${countOf(addresses.length, 'address')} reached`;
  const value = [
    countOf(existing.length, 'host'),
    all ? countOf(reached, 'address') : some,
    ...(unseen > 0 ? [`${unseen} not looked up`] : []),
    ...(skipped > 0 ? [`${countOf(skipped, 'record')} without a host`] : []),
  ].join(', ');
  return { value, mark: all && reached > 0 && unseen === 0 ? 'pass' : 'unknown' };
}

/**
 * Returns the state of DNSSEC on the route. An insecure route is `absent`, since the
 * routes of most domains are insecure and deliver mail. A zone without DS record or with
 * a retired algorithm is signed and insecure.
 */
function dnssec(checkResult: CheckResult): Observed {
  const { route } = checkResult;
  const states = [route.dnssec, ...hostsOf(checkResult).map((mailHost) => mailHost.dnssec)];
  if (states.includes('bogus')) return { value: 'validation fails', mark: 'unknown' };
  if (states.includes('indeterminate'))
    return { value: 'could not be determined', mark: 'unknown' };
  if (states.every((state) => state === 'secure'))
    return { value: 'MX record and hosts signed', mark: 'pass' };
  if (states.every((state) => state === 'insecure'))
    return { value: 'no chain of trust', mark: 'absent' };
  const value =
    route.dnssec === 'secure'
      ? 'MX record signed, some mail hosts are not'
      : 'mail hosts signed, the MX record is not';
  return { value, mark: 'absent' };
}

/**
 * Returns the number of addresses that offer STARTTLS, out of those that were reached,
 * and whether TLS works.
 */
function starttls(checkResult: CheckResult): Observed {
  const reached = addressesOf(checkResult).filter((address) => address.status === 'reachable');
  const offering = reached.filter((address) => address.starttls === 'offered').length;
  if (reached.length === 0) return { value: 'no mail host was reached', mark: 'unknown' };
  // A handshake or a session inside TLS that fails, always or at times.
  const broken = reached.filter(
    ({ starttls: offer, exposure }) =>
      offer === 'offered' && ['cleartext', 'deferred'].includes(exposure?.opportunistic.none ?? ''),
  ).length;
  if (broken > 0) {
    const value = `works at ${offering - broken} of ${countOf(reached.length, 'address')}`;
    return { value, mark: 'unknown' };
  }
  const atTimes = checkResult.findings.filter(({ id }) => id === 'starttls-intermittent').length;
  if (atTimes > 0) {
    const value = `works at times at ${atTimes} of ${countOf(reached.length, 'address')}`;
    return { value, mark: 'unknown' };
  }
  if (offering === reached.length)
    return { value: `offered by ${countOf(offering, 'address')}`, mark: 'pass' };
  if (offering === 0) return { value: 'not offered', mark: 'unknown' };
  return {
    value: `offered by ${offering} of ${countOf(reached.length, 'address')}`,
    mark: 'unknown',
  };
}

/**
 * Returns the versions that the server accepts; if the depth has no questions on
 * versions, the versions that were observed.
 */
function versions(checkResult: CheckResult): Observed {
  const sessions = sessionsOf(checkResult);
  if (sessions.length === 0) return { value: 'no TLS session', mark: 'unknown' };
  const having = (settled: string): string[] =>
    tlsVersions.filter((version) =>
      sessions.some((address) => address.tls.versions[version] === settled),
    );
  const [accepted, unknown] = [having('accepted'), having('unknown')];
  const met = [
    ...new Set(
      sessions.flatMap((address) => address.tls.suites.map((cipherSuite) => cipherSuite.version)),
    ),
  ];
  const value = versionList(accepted.length > 0 ? accepted : met);
  return unknown.length === 0
    ? { value, mark: 'pass' }
    : { value: `${value}; not tested: ${versionList(unknown)}`, mark: 'unknown' };
}

/**
 * Returns the suites, and the number of weak suites. The mark is `pass` only if the
 * profile asked about suites.
 */
function ciphers(checkResult: CheckResult): Observed {
  const suites = [
    ...new Set(
      sessionsOf(checkResult).flatMap((address) =>
        address.tls.suites.map((cipherSuite) => cipherSuite.name),
      ),
    ),
  ];
  if (suites.length === 0) return { value: 'no TLS session', mark: 'unknown' };
  const weak = suites.filter((name) => suiteStrength(name) === 'weak').length;
  const found = `${countOf(suites.length, 'suite')} ${checkResult.depth === 'inventory' ? 'accepted' : 'seen'}`;
  const value = `${found}, ${weak === 0 ? 'none' : weak} weak`;
  const tested = (checkResult.passed ?? []).some(({ topic }) => topic === 'cipher');
  return { value, mark: tested ? 'pass' : 'unknown' };
}

/**
 * Returns the first certificate to expire. A certificate that DANE authenticates is as
 * good as a certificate from a public CA.
 */
function certificate(checkResult: CheckResult): Observed {
  const all = certificatesOf(checkResult);
  const [first] = [...all].sort((address, mailCertificate) =>
    address.notAfter.localeCompare(mailCertificate.notAfter),
  );
  if (!first) return { value: 'no certificate was seen', mark: 'unknown' };
  const trusted = all.every(
    (certificate) => certificate.chain === 'trusted' && certificate.nameMatch === 'match',
  );
  const early = all.find((certificate) => certificate.validity === 'not-yet-valid');
  if (early) return { value: `not valid before ${early.notBefore.slice(0, 10)}`, mark: 'unknown' };
  const date = `${first.validity === 'expired' ? 'expired' : 'until'} ${first.notAfter.slice(0, 10)}`;
  if (trusted) return { value: `public CA, name matches, ${date}`, mark: 'pass' };
  const vouched = all.every((certificate) => certificate.dane === 'match');
  if (vouched) return { value: `verified by DANE, ${date}`, mark: 'pass' };
  return { value: `not verifiable by a public CA, ${date}`, mark: 'unknown' };
}

/**
 * Returns the TLSA records and whether they match. Records of hosts behind an unsigned MX
 * record are `absent`: an attacker can direct mail to other hosts (RFC 7672 §2.2.1).
 */
function dane(checkResult: CheckResult): Observed {
  const { route } = checkResult;
  const hosts = hostsOf(checkResult);
  if (route.kind === 'error') return { value: 'the MX lookup failed', mark: 'unknown' };
  const states = hosts.map((mailHost) => mailHost.tlsa.status);
  const usable = states.filter((status) => status === 'usable').length;
  if (states.includes('bogus') || states.includes('tempfail'))
    return { value: 'the TLSA lookup fails', mark: 'unknown' };
  if (usable === 0) {
    const published = states.some((status) => status === 'insecure' || status === 'unusable');
    return { value: published ? 'TLSA records without effect' : 'not published', mark: 'absent' };
  }
  const value = `TLSA for ${usable} of ${countOf(states.length, 'host')}`;
  if (route.dnssec === 'insecure') return { value: `${value}, MX record unsigned`, mark: 'absent' };
  if (route.dnssec !== 'secure')
    return { value: `${value}, MX record not validated`, mark: 'unknown' };
  const checked = hosts.flatMap((mailHost) =>
    mailHost.addresses.flatMap((address) => address.certificates),
  );
  const mismatches = checked.filter((certificate) => certificate.dane === 'mismatch').length;
  if (mismatches > 0) {
    const total = countOf(checked.length, 'certificate');
    return { value: `no TLSA record matches ${mismatches} of ${total}`, mark: 'unknown' };
  }
  const match = checked.length > 0;
  if (match && usable === states.length)
    return { value: 'TLSA records match every certificate', mark: 'pass' };
  return { value, mark: 'unknown' };
}

/** Returns the policy as a sender without a cache obtains it. */
function mtaSts({ mtaSts: { status, id, mode, maxAge = 0 } }: CheckResult): Observed {
  if (status === 'found')
    return { value: `${mode ?? 'unknown mode'}, cached for ${duration(maxAge)}`, mark: 'pass' };
  if (status === 'absent') return { value: 'not published', mark: 'absent' };
  if (status === 'invalid') return { value: 'published, but not valid', mark: 'unknown' };
  const value = id === undefined ? 'the lookup failed' : 'could not be fetched';
  return { value, mark: 'unknown' };
}

/** Returns the receivers of reports: mail addresses without their scheme, and URLs. */
function tlsRpt({ tlsRpt: { status, rua } }: CheckResult): Observed {
  const receivers = rua.map((uri) => uri.replace(/^mailto:/i, ''));
  if (status === 'found') return { value: `reports go to ${receivers.join(', ')}`, mark: 'pass' };
  if (status === 'absent') return { value: 'not published', mark: 'absent' };
  return {
    value: status === 'invalid' ? 'published, but not valid' : 'the lookup failed',
    mark: 'unknown',
  };
}
