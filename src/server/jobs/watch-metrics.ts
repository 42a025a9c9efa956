import { openAlarms, type WatchedFacts, type WatchState } from '../../watch/index.js';
import { labelled, type Metric, type Sample } from '../metrics.js';

/**
 * Each verdict and each mode has its own sample, so that an alert rule can compare the
 * sample with 0.
 */
const verdicts = ['pass', 'warn', 'fail', 'inconclusive', 'not-applicable'] as const;
const modes = ['enforce', 'testing', 'none', 'absent'] as const;

/**
 * Returns the gauges of the watch. The values come from the database, so a restart does
 * not reset them.
 */
export function watchMetrics({ domains, own }: WatchState): readonly Metric[] {
  const entries = Object.entries(domains);
  const known = entries.flatMap(([domain, { facts }]) => (facts ? [{ domain, facts }] : []));
  return [
    {
      name: 'domain_verdict',
      type: 'gauge',
      help: '1 for the verdict of the last check of a watched domain.',
      samples: entries.flatMap(([domain, { verdict }]) =>
        oneOf(domain, 'verdict', verdicts, verdict),
      ),
    },
    labelled(
      'domain_certain_timestamp_seconds',
      'gauge',
      'Time of the last check with a certain result.',
      {
        label: 'domain',
        values: entries.map(([name, { certainAt }]) => [name, inSeconds(certainAt)]),
      },
    ),
    {
      name: 'certificate_not_after_seconds',
      type: 'gauge',
      help: 'Earliest expiry of the certificates at the addresses of a host.',
      samples: certificateSamples(known.flatMap(({ facts }) => facts.certificates)),
    },
    labelled(
      'signature_not_after_seconds',
      'gauge',
      'Earliest expiry of the DNSSEC signatures of the records that mail depends on.',
      {
        label: 'domain',
        values: known.flatMap(({ domain, facts: { signatureNotAfter: end } }) =>
          end === undefined ? [] : [[domain, inSeconds(end)] as const],
        ),
      },
    ),
    {
      name: 'policy_mode',
      type: 'gauge',
      help: '1 for the mode of the MTA-STS policy that senders obtain.',
      samples: known.flatMap(({ domain, facts }) => oneOf(domain, 'mode', modes, facts.policyMode)),
    },
    labelled(
      'alerts_open',
      'gauge',
      'Alarms that began and have not ended; the domain "" is this machine.',
      {
        label: 'domain',
        values: [
          ...entries.map(([domainName, state]) => [domainName, openAlarms(state)] as const),
          ['', Number(own.open)],
        ],
      },
    ),
  ];
}

/**
 * Returns a sample for each possible value of a label: 1 for the current value, 0 for the
 * others.
 */
function oneOf(
  domain: string,
  label: string,
  values: readonly string[],
  present: string,
): readonly Sample[] {
  return values.map((value) => ({
    labels: { domain, [label]: value },
    value: Number(value === present),
  }));
}

/**
 * Returns one sample for each host: the earliest expiry of its certificates. Several
 * domains can share a host.
 */
function certificateSamples(certificates: WatchedFacts['certificates']): readonly Sample[] {
  const ends = new Map<string, WatchedFacts['certificates'][number]>();
  for (const certificate of certificates) {
    const identity = `${certificate.role} ${certificate.host}`;
    const known = ends.get(identity);
    if (!known || certificate.notAfter < known.notAfter) ends.set(identity, certificate);
  }
  return [...ends.values()].map(({ host, role, notAfter }) => ({
    labels: { host, role },
    value: inSeconds(notAfter),
  }));
}

function inSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
