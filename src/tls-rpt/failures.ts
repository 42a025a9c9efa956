import { defineFailures } from '../base/index.js';

/**
 * Faults of a TLS-RPT record (RFC 8460 §3). Reporters send no reports until the publisher
 * fixes the record.
 */
export const tlsRptFailures = defineFailures({
  'rpt-record-multiple': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    message: 'The domain has more than one TLS-RPT record, so senders send no reports.',
    fix: 'Keep exactly one TXT record that begins with v=TLSRPTv1.',
  },
  'rpt-record-invalid': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    message: 'The TLS-RPT record does not follow the grammar.',
    fix: 'Write it as: v=TLSRPTv1; rua=mailto:tlsrpt@example.com',
  },
  'rpt-rua-missing': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    message: 'The TLS-RPT record contains no address for reports.',
    fix: 'Add rua=mailto: or rua=https: with your address.',
  },
  'rpt-rua-invalid': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    message: 'An address in rua is neither a mailto: nor an https: URI.',
    fix: 'Correct the address.',
  },
});

/**
 * Faults for which a report is refused: it is not a report, or reading it would cost too
 * much. Every other fault becomes a note (`reportQuirks`).
 */
export const reportFailures = defineFailures({
  'report-empty': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §4',
    message: 'The report is empty.',
    fix: 'Send the JSON of RFC 8460.',
  },
  'report-missing': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §5.3',
    message: 'The mail contains no report.',
    fix: 'Attach the report as application/tlsrpt+gzip.',
  },
  'report-too-large': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §5.2',
    message: 'The report exceeds the size limit, packed or unpacked.',
    fix: 'Send smaller reports, or raise the limit.',
  },
  'report-too-complex': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §7',
    message:
      'The JSON or the mail exceeds a limit of complexity: members, depth, lines, parts or header fields.',
    fix: 'Send a report.',
  },
  'report-damaged': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §5.2',
    message: 'The compressed data is truncated, damaged or packed more than twice.',
    fix: 'Send gzip, packed once.',
  },
  'report-archive': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §6.3',
    message:
      'The archive is encrypted, empty, or in an uncommon format, or it contains more than 1,000 files.',
    fix: 'Send gzip.',
  },
  'report-not-json': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §4',
    message: 'The content is not JSON.',
    fix: 'Send the JSON of RFC 8460.',
  },
  'report-is-dmarc': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §4',
    message: 'The content is a DMARC report, not a TLS report.',
    fix: 'Specify a separate address for DMARC reports (rua in the DMARC record).',
  },
  'report-impossible': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §7',
    message:
      'The session counts or the number of policy domains exceed the traffic of one reporter in a day.',
    fix: 'Correct the counts, or send one report for each policy domain.',
  },
  'report-no-policies': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §4.4',
    message: 'The JSON has no policies array, so it is not a report.',
    fix: 'Send the JSON of RFC 8460.',
  },
});

/** Faults for which the strict builder refuses to write a report. */
export const builderFailures = defineFailures({
  'report-invalid': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8460 §4.4',
    message: 'The report does not follow RFC 8460, so Hermetic does not write it.',
    fix: 'Correct the member in the detail.',
  },
});
