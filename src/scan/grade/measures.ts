import type { CheckResult, MailAddress, MailHost } from '../../evidence/index.js';

/**
 * The values of each measure. `unknown`: the scan could not determine the value.
 * `not-applicable`: the domain accepts no mail, or has no policy.
 *
 * - `dane`: `protected` with matching records at every host of a signed route; `partial`
 *   with matching records at some hosts; `inert` with records in an unsigned zone.
 * - `mtaStsHosts`: the mail hosts that the policy names, by name only.
 */
export const measureValues = {
  mail: ['yes', 'no', 'unknown'],
  signed: ['yes', 'no', 'bogus', 'unknown'],
  starttls: ['all', 'some', 'none', 'unknown', 'not-applicable'],
  certificates: ['valid', 'invalid', 'unknown', 'not-applicable'],
  mtaSts: ['enforce', 'testing', 'none', 'absent', 'invalid', 'unobtainable', 'unknown'],
  mtaStsHosts: ['all', 'some', 'none', 'not-applicable'],
  dane: [
    'protected',
    'partial',
    'mismatch',
    'unusable',
    'inert',
    'absent',
    'unknown',
    'not-applicable',
  ],
  tlsRpt: ['found', 'absent', 'invalid', 'unknown', 'not-applicable'],
} as const;

type MeasureValues = typeof measureValues;

/** The values of a domain that statistics count. */
export type Measures = {
  readonly [Name in keyof MeasureValues]: MeasureValues[Name][number];
} & {
  /** The highest version of each visited server, oldest first. */
  readonly tls: readonly string[];
  /** At least one fact was inferred from another host of the same family. */
  readonly inferred: boolean;
};

/** Returns the values of a result that statistics count. */
export function measuresOf(result: CheckResult): Measures {
  const mail = takesMail(result);
  const hosts = result.hosts.filter(({ passedOver }) => passedOver === undefined);
  const servers = hosts.flatMap(({ addresses }) => addresses);
  const reached = servers.filter(({ status }) => status === 'reachable');
  return {
    mail,
    signed: signedOf(result),
    starttls: mail === 'yes' ? starttlsOf(servers) : 'not-applicable',
    tls: [...new Set(reached.flatMap(({ tls }) => highest(tls.versions)))].sort(),
    certificates: mail === 'yes' ? certificatesOf(servers) : 'not-applicable',
    mtaSts: stsOf(result),
    mtaStsHosts: matching(hosts.map(({ mtaStsMatch }) => mtaStsMatch)),
    dane: mail === 'yes' ? daneOf(result, hosts) : 'not-applicable',
    tlsRpt: mail === 'no' ? 'not-applicable' : knownRecord(result.tlsRpt.status),
    inferred: servers.some(({ inferredFrom }) => inferredFrom !== undefined),
  };
}

function takesMail({ route: { kind } }: CheckResult): Measures['mail'] {
  if (kind === 'error') return 'unknown';
  return kind === 'mx' || kind === 'implicit' ? 'yes' : 'no';
}

function signedOf({ route: { dnssec } }: CheckResult): Measures['signed'] {
  return ({ secure: 'yes', insecure: 'no', bogus: 'bogus', indeterminate: 'unknown' } as const)[
    dnssec
  ];
}

/**
 * Returns whether all, some or no servers offer STARTTLS. Servers that this machine could
 * not contact do not count.
 */
function starttlsOf(servers: readonly MailAddress[]): Measures['starttls'] {
  const seen = servers
    .filter(({ status, starttls }) => status === 'reachable' && starttls !== 'unknown')
    .map(({ starttls }) => starttls === 'offered');
  if (seen.length === 0) return 'unknown';
  if (seen.every((offers) => offers)) return 'all';
  return seen.some((offers) => offers) ? 'some' : 'none';
}

const versions = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3', 'SSLv2'] as const;

function highest(known: MailAddress['tls']['versions']): string[] {
  const found = versions.find((version) => known[version] === 'accepted');
  return found === undefined ? [] : [found];
}

function certificatesOf(servers: readonly MailAddress[]): Measures['certificates'] {
  const all = servers.flatMap(({ certificates }) => certificates);
  const bad = all.some(
    ({ chain, validity, nameMatch }) =>
      (chain !== 'trusted' && chain !== 'unknown') ||
      validity !== 'valid' ||
      nameMatch === 'mismatch',
  );
  if (bad) return 'invalid';
  return all.length === 0 || all.some(({ chain }) => chain === 'unknown') ? 'unknown' : 'valid';
}

/** Findings that do not show whether the domain has a working policy. */
const unknownPolicy: ReadonlySet<string> = new Set(['sts-lookup-failed', 'sts-policy-not-fetched']);

function stsOf({ mtaSts: { status, mode }, findings }: CheckResult): Measures['mtaSts'] {
  if (status === 'absent') return 'absent';
  if (status === 'found') return mode ?? 'invalid';
  if (status === 'invalid') return 'invalid';
  return findings.some(({ id }) => unknownPolicy.has(id)) ? 'unknown' : 'unobtainable';
}

function matching(matches: readonly MailHost['mtaStsMatch'][]): Measures['mtaStsHosts'] {
  const compared = matches.filter((match) => match !== 'not-applicable');
  if (compared.length === 0) return 'not-applicable';
  if (compared.every((match) => match === 'match')) return 'all';
  return compared.includes('match') ? 'some' : 'none';
}

function daneOf(result: CheckResult, hosts: readonly MailHost[]): Measures['dane'] {
  const states = hosts.map(({ tlsa }) => tlsa.status);
  const usable = hosts.filter(({ tlsa }) => tlsa.status === 'usable');
  const verdicts = usable
    .flatMap(({ addresses }) => addresses)
    .flatMap(({ certificates }) => certificates.map(({ dane }) => dane));
  if (verdicts.includes('mismatch')) return 'mismatch';
  if (usable.length > 0) {
    if (!verdicts.includes('match')) return 'unknown';
    const everywhere = usable.length === hosts.length && result.route.dnssec === 'secure';
    return everywhere ? 'protected' : 'partial';
  }
  if (states.some((state) => state === 'bogus' || state === 'tempfail')) return 'unknown';
  if (states.includes('unusable')) return 'unusable';
  return states.includes('insecure') ? 'inert' : 'absent';
}

function knownRecord(status: CheckResult['tlsRpt']['status']): Measures['tlsRpt'] {
  return status === 'tempfail' ? 'unknown' : status;
}
