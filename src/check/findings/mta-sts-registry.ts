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

/** Seconds that the policy of a first attempt, and an enforced one, may be cached. */
const [MAX_AGE_DAY, MAX_AGE_WEEK] = [86_400, 604_800];

const at = (v: FindingValues): string => `https://mta-sts.${v.domain}/.well-known/mta-sts.txt`;
const serve = (v: FindingValues, mode: Mode, mx = v.mx, maxAge = MAX_AGE_DAY): FixStep =>
  config(
    `Serve this text at ${at(v)} as text/plain, with a certificate for mta-sts.${v.domain} and without a redirect.`,
    policyText(mode, mx, maxAge),
  );
const record = (v: FindingValues, suffix = ''): FixStep =>
  dns(
    'Publish this record; it replaces any present one.',
    `_mta-sts.${v.domain}. 3600 IN TXT "v=STSv1; id=${v.policyId}${suffix}"`,
  );
const rptRecord = (v: FindingValues): FixStep =>
  dns(
    'Publish this record, with a mailbox of yours.',
    `_smtp._tls.${v.domain}. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls-reports@${v.domain}"`,
  );
const rpt = (v: FindingValues): FixStep[] => (v.tlsRpt ? [] : [rptRecord(v)]);
const readReports = wait(
  'Wait two weeks and read the TLS-RPT reports, until none shows a failure of your servers.',
);
const readyFirst = (v: FindingValues): FixStep[] =>
  v.notReady.length === 0
    ? []
    : [
        confirm(
          `First give a certificate of a public CA, valid for its own name, to ${v.notReady.join(', ')}. Until then keep the policy in mode testing.`,
        ),
      ];

/** From reports to enforcement. */
const thenEnforce = (v: FindingValues, mx = v.mx): FixStep[] => [
  readReports,
  ...readyFirst(v),
  serve(v, 'enforce', mx, MAX_AGE_WEEK),
  record(v, 'E'),
  checkAgain(v),
];

/** The order that never defers mail: file, record, reports, and only then enforcement. */
export const publishPolicy = (v: FindingValues): FixStep[] => [
  serve(v, 'testing'),
  record(v),
  ...rpt(v),
  ...thenEnforce(v),
];

const unprotected =
  'No sender obtains a policy. An attacker who strips STARTTLS or forges DNS can read the mail.';
const seen = (v: FindingValues): string => (v.detail ? ` Seen: ${v.detail}.` : '');

/** The record is wrong and the policy is not, so the mode stays. */
const correctRecord = (v: FindingValues): FixStep[] => [
  confirm(`Make sure that the policy at ${at(v)} lists every MX host: ${v.mx.join(', ')}.`),
  record(v),
  checkAgain(v),
];

const reportHere = (v: FindingValues): FixStep[] => [rptRecord(v), checkAgain(v)];

/** The MTA-STS record and policy, and TLS-RPT. */
export const mtaStsFindings = {
  'sts-absent': {
    topic: 'mta-sts',
    title: 'MTA-STS is not published',
    passed: 'An MTA-STS policy is published',
    why: 'An attacker can strip TLS from mail of senders that do not validate DNSSEC.',
    reference: 'RFC 8461 §3',
    owner: 'domain',
    fix: 'Publish a policy in mode testing, read the reports, then enforce.',
    steps: publishPolicy,
  },
  'sts-record-invalid': {
    topic: 'mta-sts',
    title: 'The _mta-sts TXT record is not valid',
    passed: 'The _mta-sts TXT record is valid',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Replace the record.',
    steps: correctRecord,
  },
  'sts-record-ignored': {
    topic: 'mta-sts',
    title: 'The _mta-sts TXT record is nearly an MTA-STS record',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Correct the record: senders discard one that does not begin with v=STSv1;.',
    steps: correctRecord,
  },
  'sts-policy-odd': {
    topic: 'mta-sts',
    title: 'The policy file departs from the standard',
    passed: 'The policy file follows the standard',
    why: 'Tolerant senders use the policy. Others refuse it or read it differently.',
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
    topic: 'mta-sts',
    title: 'The MTA-STS record or policy has an unused part',
    why: 'Senders ignore it.',
    reference: 'RFC 8461 §3',
    owner: 'domain',
    fix: 'Remove it, unless a draft standard needs it.',
    steps: (v) => [config(`Look at ${at(v)}: ${v.reason ?? 'the line named above'}.`)],
  },
  'sts-lookup-failed': {
    topic: 'mta-sts',
    title: 'The lookup of the MTA-STS record failed',
    why: 'Whether a policy is published is unknown. Senders without a cached policy apply none.',
    reference: 'RFC 8461 §3.1',
    owner: 'dns-host',
    fix: 'Let every name server answer TXT questions, also for names without such a record. Then check again.',
    steps: (v) => [
      command('See what is answered.', `dig +dnssec TXT _mta-sts.${v.domain}`),
      checkAgain(v),
    ],
  },
  'sts-record-multiple': {
    topic: 'mta-sts',
    title: 'There are several _mta-sts TXT records',
    passed: 'There is exactly one _mta-sts TXT record',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Keep exactly one record that begins with v=STSv1.',
    steps: (v) => [
      dns(`Delete every TXT record at _mta-sts.${v.domain} that begins with v=STSv1.`),
      ...correctRecord(v),
    ],
  },
  'sts-policy-unreachable': {
    topic: 'mta-sts',
    title: 'The MTA-STS policy cannot be fetched',
    passed: 'The policy can be fetched over HTTPS',
    why: (v) => `${unprotected}${seen(v)}`,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (v) => `Make ${at(v)} answer with status 200.`,
    steps: publishPolicy,
  },
  'sts-policy-redirect': {
    topic: 'mta-sts',
    title: 'The policy address answers with a redirect',
    passed: 'The policy is served without a redirect',
    why: unprotected,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (v) => `Serve the policy at ${at(v)} itself: senders must not follow a redirect.`,
    steps: publishPolicy,
  },
  'sts-policy-webpki-invalid': {
    topic: 'mta-sts',
    title: (v) => `The certificate of mta-sts.${v.domain} is not accepted`,
    passed: 'The certificate of the policy host is accepted',
    why: (v) => `${unprotected}${seen(v)}`,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (v) => `Install a certificate of a public CA for mta-sts.${v.domain}.`,
    steps: publishPolicy,
  },
  'sts-policy-wrong-type': {
    topic: 'mta-sts',
    title: 'The policy is not served as text/plain',
    passed: 'The policy is served as text/plain',
    why: unprotected,
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Serve the policy with Content-Type: text/plain.',
    steps: (v) => [
      serve(v, 'testing'),
      config(
        'Set in the server block of nginx:',
        'location = /.well-known/mta-sts.txt { default_type text/plain; }',
      ),
      record(v),
      ...thenEnforce(v),
    ],
  },
  'sts-policy-invalid': {
    topic: 'mta-sts',
    title: 'The policy file is not valid',
    passed: 'The policy file is valid',
    why: (v) => `${unprotected}${seen(v)}`,
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Replace the policy file by a valid one.',
    steps: publishPolicy,
  },
  'sts-mode-testing': {
    topic: 'mta-sts',
    title: 'MTA-STS is in mode testing',
    passed: 'The policy is enforced',
    why: 'Senders report failures and deliver all the same. An attacker who strips STARTTLS or forges DNS can read the mail.',
    reference: 'RFC 8461 §5',
    owner: 'domain',
    fix: 'When the reports show no failure any more, change the mode to enforce.',
    steps: (v) => [...rpt(v), ...thenEnforce(v)],
  },
  'sts-mode-none': {
    topic: 'mta-sts',
    title: 'MTA-STS is withdrawn (mode none)',
    why: 'The policy asks senders to apply no policy.',
    reference: 'RFC 8461 §8.3',
    owner: 'domain',
    fix: 'Publish a policy in mode testing, read the reports, then enforce.',
    steps: publishPolicy,
  },
  'sts-mx-mismatch': {
    topic: 'mta-sts',
    title: (v) => `The MTA-STS policy does not list ${v.host}`,
    passed: 'The policy lists every MX host',
    why: 'In mode enforce, senders do not use this host. If no other host is left, the mail is deferred and bounces.',
    reference: 'RFC 8461 §4.1',
    owner: 'domain',
    fix: (v) =>
      `Add the line "mx: ${v.host}" to the policy. If the host is not yours, remove its MX record.`,
    steps: (v) => [
      confirm(`Make sure that ${v.host} is yours and has a trusted certificate for its name.`),
      serve(
        v,
        v.policy?.mode ?? 'testing',
        [...new Set([...(v.policy?.mx ?? []), v.host])],
        v.policy?.maxAge ?? MAX_AGE_DAY,
      ),
      record(v),
      checkAgain(v),
    ],
  },
  'sts-no-mx-matches': {
    topic: 'mta-sts',
    title: 'The MTA-STS policy lists no MX host',
    why: 'In mode enforce, senders have no host left to deliver to. The mail is deferred and bounces.',
    reference: 'RFC 8461 §4.1',
    owner: 'domain',
    fix: 'List the MX hosts of the domain in the policy.',
    steps: (v) =>
      v.policy?.mode === 'enforce'
        ? [serve(v, 'testing'), record(v), ...rpt(v), ...thenEnforce(v)]
        : [serve(v, 'testing'), record(v), checkAgain(v)],
  },
  'sts-max-age-short': {
    topic: 'mta-sts',
    title: (v) => `Senders cache the policy only for ${v.detail || 'a short time'}`,
    why: 'When max_age expires, an attacker who blocks the lookup can strip TLS again.',
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Raise max_age to weeks, once the policy has worked without failures.',
    steps: (v) => [
      serve(v, v.policy?.mode ?? 'testing', v.policy?.mx ?? v.mx, MAX_AGE_WEEK),
      record(v),
      checkAgain(v),
    ],
  },
  'sts-good': {
    topic: 'mta-sts',
    title: 'MTA-STS is enforced and every MX host satisfies it',
    why: 'Senders that know the policy deliver only to the right servers, over TLS.',
    reference: 'RFC 8461 §5',
    owner: 'domain',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  'no-enforcement': {
    topic: 'mta-sts',
    title: 'Neither DANE nor MTA-STS makes senders require TLS',
    passed: 'DANE or MTA-STS makes senders require TLS',
    why: (v) =>
      `An attacker strips STARTTLS or shows any certificate, and senders still deliver${v.detail ? ` (${v.detail})` : ''}.`,
    reference: 'RFC 8461 §1, RFC 7672 §1.3',
    owner: 'domain',
    fix: 'Publish an MTA-STS policy in mode testing, read the reports, then enforce.',
    steps: publishPolicy,
  },
  'tlsrpt-absent': {
    topic: 'tls-rpt',
    title: 'No TLS-RPT record is published',
    passed: 'A TLS-RPT record is published',
    why: 'When delivery fails because of TLS, only the senders know.',
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Publish a TLS-RPT record.',
    steps: reportHere,
  },
  'tlsrpt-ignored': {
    topic: 'tls-rpt',
    title: 'The _smtp._tls TXT record is nearly a TLS-RPT record',
    why: 'Senders discard it and send no reports of failed deliveries.',
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Correct the record: senders discard one that does not begin with v=TLSRPTv1;.',
    steps: reportHere,
  },
  'tlsrpt-odd': {
    topic: 'tls-rpt',
    title: 'The TLS-RPT record departs from the standard',
    passed: 'The TLS-RPT record follows the standard',
    why: 'Some senders send no report to such an address, or send it to a different one.',
    reference: 'RFC 8460 §3, RFC 6068 §2',
    owner: 'domain',
    fix: 'Correct the record.',
    steps: reportHere,
  },
  'tlsrpt-invalid': {
    topic: 'tls-rpt',
    title: 'The TLS-RPT record is not valid',
    passed: 'The TLS-RPT record is valid',
    why: (v) => `Senders send no reports${v.detail ? `: ${v.detail}` : ''}.`,
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Replace the record by a single valid one.',
    steps: reportHere,
  },
} satisfies Record<string, FindingEntry>;
