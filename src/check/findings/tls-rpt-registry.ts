import type { FixStep } from '../../evidence/index.js';
import { noSteps, checkAgain, command, type FindingEntry, type FindingValues } from './entry.js';
import { reportingRecord } from './mta-sts-steps.js';

/** Steps of every finding on the TLS-RPT record. */
const reportHere = (values: FindingValues): FixStep[] => [
  reportingRecord(values),
  checkAgain(values),
];

/** Findings about the TLS-RPT record (RFC 8460 §3). */
export const tlsRptFindings = {
  /**
   * Raised when no record at _smtp._tls exists. The severity is warn only if a policy is
   * enforced, since senders can then defer mail without the domain's knowledge.
   */
  'tlsrpt-absent': {
    topic: 'tls-rpt',
    title: 'No TLS-RPT record is published',
    passed: 'A TLS-RPT record is published',
    why: 'If delivery fails because of TLS, only the senders notice.',
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Publish a TLS-RPT record.',
    steps: reportHere,
  },
  /**
   * Raised when the lookup at _smtp._tls fails. The finding does not state that the
   * record is absent: other resolvers may find it.
   */
  'tlsrpt-lookup-failed': {
    topic: 'tls-rpt',
    title: 'The lookup of the TLS-RPT record failed',
    why: 'Whether senders report failed deliveries is unknown. A sender that gets no answer sends no report.',
    reference: 'RFC 8460 §3',
    owner: 'dns-host',
    fix: 'Configure every name server to answer TXT queries, including for names without a TXT record. Then check again.',
    steps: (values) => [
      command('Show the answer.', `dig +dnssec TXT _smtp._tls.${values.domain}`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when a record is clearly meant for TLS-RPT and does not begin with v=TLSRPTv1.
   * Its severity is that of an absent record, since senders ignore a record without this
   * tag.
   */
  'tlsrpt-ignored': {
    topic: 'tls-rpt',
    title: 'The _smtp._tls TXT record is nearly a TLS-RPT record',
    why: 'Senders discard it and send no reports of failed deliveries.',
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Correct the record: senders discard one that does not begin with v=TLSRPTv1;.',
    steps: reportHere,
  },
  /**
   * Raised when `_smtp._tls` has no record and a similar name has one. Its severity is
   * info: the missing record is a separate finding.
   */
  'tlsrpt-misplaced': {
    topic: 'tls-rpt',
    title: 'A TLS-RPT record is published at an unused name',
    why: ({ domain }) =>
      `Senders look up the record only at _smtp._tls.${domain}, and find none there.`,
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: ({ domain }) => `Move the record to _smtp._tls.${domain}.`,
    steps: noSteps,
  },
  /**
   * Raised when the record is valid and has a part that some reporters read differently,
   * such as an address with characters that a URI must escape.
   */
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
  /**
   * Raised when the record cannot be used: several records, no rua, or a URI of another
   * scheme.
   */
  'tlsrpt-invalid': {
    topic: 'tls-rpt',
    title: 'The TLS-RPT record is not valid',
    passed: 'The TLS-RPT record is valid',
    why: (values) => `Senders send no reports${values.detail ? `: ${values.detail}` : ''}.`,
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Replace the record with a single valid one.',
    steps: reportHere,
  },
} satisfies Record<string, FindingEntry>;
