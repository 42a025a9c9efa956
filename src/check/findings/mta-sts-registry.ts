import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  command,
  config,
  confirm,
  dns,
  noSteps,
  wait,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

type Mode = 'enforce' | 'testing' | 'none';

/** The policy file, ready to paste. */
export function policyText(mode: Mode, mx: readonly string[], maxAge: number): string {
  return [
    'version: STSv1',
    `mode: ${mode}`,
    ...mx.map((name) => `mx: ${name}`),
    `max_age: ${maxAge}`,
  ].join('\n');
}

const at = (v: FindingValues): string => `https://mta-sts.${v.domain}/.well-known/mta-sts.txt`;
const serve = (v: FindingValues, mode: Mode, mx = v.mx, maxAge = 86400): FixStep =>
  config(
    `Serve at ${at(v)} (text/plain, certificate for mta-sts.${v.domain}, no redirect):\n${policyText(mode, mx, maxAge)}`,
  );
const record = (v: FindingValues, suffix = ''): FixStep =>
  dns(`_mta-sts.${v.domain}. 3600 IN TXT "v=STSv1; id=${v.policyId}${suffix}"`);
const rpt = (v: FindingValues): FixStep[] =>
  v.tlsRpt
    ? []
    : [dns(`_smtp._tls.${v.domain}. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls-reports@${v.domain}"`)];
const readReports = wait(
  'Two weeks: read the TLS-RPT reports, until they show no failure of a server of yours.',
);
const readyFirst = (v: FindingValues): FixStep[] =>
  v.notReady.length === 0
    ? []
    : [
        confirm(
          `First give a certificate of a public CA, valid for its own name, to ${v.notReady.join(', ')}; until then the policy stays in testing.`,
        ),
      ];

/** From reports to enforcement. */
const thenEnforce = (v: FindingValues, mx = v.mx): FixStep[] => [
  readReports,
  ...readyFirst(v),
  serve(v, 'enforce', mx, 604800),
  record(v, 'E'),
  checkAgain(v),
];

/** The order that never loses mail: file, record, reports, and only then enforcement. */
export const publishPolicy = (v: FindingValues): FixStep[] => [
  serve(v, 'testing'),
  record(v),
  ...rpt(v),
  ...thenEnforce(v),
];

const unprotected =
  'No sender obtains a policy, so all of them send as if there were none: who can strip STARTTLS or forge DNS reads the mail.';
/**
 * Repairs of the publication keep the mode; what was never enforced starts in testing.
 */
const republish = (v: FindingValues): FixStep[] => publishPolicy(v);

/** One record is wrong and the policy is not: nothing begins again in testing mode. */
const correctRecord = (v: FindingValues): FixStep[] => [
  confirm(`The policy at ${at(v)} lists every MX host: ${v.mx.join(', ')}.`),
  record(v),
  checkAgain(v),
];

const reportHere = (v: FindingValues): FixStep[] => [
  dns(`_smtp._tls.${v.domain}. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls-reports@${v.domain}"`),
  checkAgain(v),
];

/** The MTA-STS record and policy. */
export const mtaStsFindings = {
  'sts-absent': {
    title: 'MTA-STS is not published',
    why: 'Senders that do not validate DNSSEC have no way to know that this domain wants TLS: for them an attacker can strip it.',
    reference: 'RFC 8461 §3',
    owner: 'domain',
    fix: 'Publish a policy in testing mode, read the reports, then enforce.',
    steps: publishPolicy,
  },
  'sts-record-invalid': {
    title: 'The _mta-sts TXT record is not valid',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Replace the record.',
    steps: correctRecord,
  },
  'sts-record-ignored': {
    title: 'The _mta-sts TXT record is nearly an MTA-STS record',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Correct the record: senders discard what does not begin with v=STSv1;.',
    steps: correctRecord,
  },
  'sts-policy-odd': {
    title: 'The policy file departs from the standard',
    why: 'Senders with a tolerant reader use the policy; others refuse it or read it in another way.',
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Correct the line and publish the record with a new id.',
    steps: (v) => [
      config(`Correct the policy file at ${at(v)}: ${v.reason ?? 'the line named above'}.`),
      record(v),
      checkAgain(v),
    ],
  },
  'sts-policy-note': {
    title: 'The MTA-STS record or policy has something without use',
    why: 'Senders ignore it.',
    reference: 'RFC 8461 §3',
    owner: 'domain',
    fix: 'Remove it, unless a draft standard needs it.',
    steps: (v) => [config(`Look at ${at(v)}: ${v.reason ?? 'the line named above'}.`)],
  },
  'sts-lookup-failed': {
    title: 'The lookup of the MTA-STS record failed',
    why: 'Whether a policy is published is unknown. Senders without a cached policy send as if there were none.',
    reference: 'RFC 8461 §3.1',
    owner: 'dns-host',
    fix: 'Let every name server answer TXT questions, also for names that have no such record. Then check again.',
    steps: (v) => [command(`dig +dnssec TXT _mta-sts.${v.domain}`), checkAgain(v)],
  },
  'sts-record-multiple': {
    title: 'There is more than one _mta-sts TXT record',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Keep exactly one record that begins with v=STSv1.',
    steps: (v) => [
      dns(
        `Delete every _mta-sts.${v.domain} TXT record that begins with v=STSv1, then publish one:`,
      ),
      ...correctRecord(v),
    ],
  },
  'sts-policy-unreachable': {
    title: 'The MTA-STS policy cannot be fetched',
    why: (v) => `${unprotected}${v.detail ? ` What was seen: ${v.detail}.` : ''}`,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (v) => `Make ${at(v)} answer with status 200.`,
    steps: republish,
  },
  'sts-policy-redirect': {
    title: 'The policy address answers with a redirect',
    why: unprotected,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (v) => `Serve the policy at ${at(v)} itself: senders must not follow a redirect.`,
    steps: republish,
  },
  'sts-policy-webpki-invalid': {
    title: (v) => `The certificate of mta-sts.${v.domain} is not accepted`,
    why: (v) => `${unprotected}${v.detail ? ` What was seen: ${v.detail}.` : ''}`,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (v) => `Give the policy host a certificate of a public CA for mta-sts.${v.domain}.`,
    steps: republish,
  },
  'sts-policy-wrong-type': {
    title: 'The policy is not served as text/plain',
    why: unprotected,
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Serve the policy with Content-Type: text/plain.',
    steps: (v) => [
      serve(v, 'testing'),
      config('nginx: location = /.well-known/mta-sts.txt { default_type text/plain; }'),
      record(v),
      ...thenEnforce(v),
    ],
  },
  'sts-policy-invalid': {
    title: 'The policy file is not valid',
    why: (v) => `${unprotected}${v.detail ? ` What was seen: ${v.detail}.` : ''}`,
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Replace the policy file by a valid one.',
    steps: republish,
  },
  'sts-mode-testing': {
    title: 'MTA-STS is in testing mode',
    why: 'Senders report failures but deliver all the same: whoever strips STARTTLS or forges DNS still reads the mail.',
    reference: 'RFC 8461 §5',
    owner: 'domain',
    fix: 'When the reports show no failure any more, change the mode to enforce.',
    steps: (v) => [...rpt(v), ...thenEnforce(v)],
  },
  'sts-mode-none': {
    title: 'MTA-STS is withdrawn (mode none)',
    why: 'The policy tells senders to behave as if there were none.',
    reference: 'RFC 8461 §8.3',
    owner: 'domain',
    fix: 'Publish a policy in testing mode, read the reports, then enforce.',
    steps: publishPolicy,
  },
  'sts-mx-mismatch': {
    title: (v) => `The MX host ${v.host} is not in the MTA-STS policy`,
    why: 'Under enforce, senders that honour the policy do not use this host; if no other host is left, the mail waits and bounces.',
    reference: 'RFC 8461 §4.1',
    owner: 'domain',
    fix: (v) =>
      `Add the line "mx: ${v.host}" to the policy, or remove the host from the MX records if it is not yours.`,
    steps: (v) => [
      confirm(`${v.host} is one of your servers and has a trusted certificate for its name.`),
      serve(
        v,
        v.policy?.mode ?? 'testing',
        [...new Set([...(v.policy?.mx ?? []), v.host])],
        v.policy?.maxAge ?? 86400,
      ),
      record(v),
      checkAgain(v),
    ],
  },
  'sts-no-mx-matches': {
    title: 'No MX host is in the MTA-STS policy',
    why: 'Under enforce, senders that honour the policy have no host left to deliver to: their mail waits and bounces.',
    reference: 'RFC 8461 §4.1',
    owner: 'domain',
    fix: 'List the MX hosts of the domain in the policy.',
    steps: (v) =>
      v.policy?.mode === 'enforce'
        ? [serve(v, 'testing'), record(v), ...rpt(v), ...thenEnforce(v)]
        : [serve(v, 'testing'), record(v), checkAgain(v)],
  },
  'sts-max-age-short': {
    title: (v) => `The policy is kept only ${v.detail || 'for a short time'}`,
    why: 'Once it has run out, an attacker who blocks the lookup has a sender without policy before him.',
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Raise max_age to weeks, once the policy has proved itself.',
    steps: (v) => [
      serve(v, v.policy?.mode ?? 'testing', v.policy?.mx ?? v.mx, 604800),
      record(v),
      checkAgain(v),
    ],
  },
  'sts-good': {
    title: 'MTA-STS is enforced and every MX host satisfies it',
    why: 'Senders that know the policy deliver only to the right servers, under TLS.',
    reference: 'RFC 8461 §5',
    owner: 'domain',
    fix: 'Nothing has to be done.',
    steps: noSteps,
  },
  'no-enforcement': {
    title: 'Nothing makes senders insist on TLS',
    why: (v) =>
      `There is neither an enforced MTA-STS policy nor DANE${v.detail ? ` (${v.detail})` : ''}: who is on the path strips STARTTLS or shows any certificate, and the mail goes on.`,
    reference: 'RFC 8461 §1, RFC 7672 §1.3',
    owner: 'domain',
    fix: 'Publish an MTA-STS policy in testing mode, read the reports, then enforce.',
    steps: publishPolicy,
  },
  'tlsrpt-absent': {
    title: 'No TLS reports are asked for',
    why: 'When delivery fails because of TLS, the senders know and this domain does not.',
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Publish a TLS-RPT record.',
    steps: reportHere,
  },
  'tlsrpt-ignored': {
    title: 'The _smtp._tls TXT record is nearly a TLS-RPT record',
    why: 'Reporters discard it, so this domain does not hear of failed deliveries.',
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Correct the record: reporters discard what does not begin with v=TLSRPTv1;.',
    steps: reportHere,
  },
  'tlsrpt-odd': {
    title: 'The TLS-RPT record departs from the standard',
    why: 'Some reporters send nothing to such an address, or to another one than was meant.',
    reference: 'RFC 8460 §3, RFC 6068 §2',
    owner: 'domain',
    fix: 'Correct the record.',
    steps: reportHere,
  },
  'tlsrpt-invalid': {
    title: 'The TLS-RPT record is not valid',
    why: (v) => `Senders do not report to it${v.detail ? `: ${v.detail}` : ''}.`,
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Replace the record by a single valid one.',
    steps: reportHere,
  },
} satisfies Record<string, FindingEntry>;
