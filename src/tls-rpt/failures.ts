import { defineFailures } from '../base/index.js';

/** Faults of a TLS-RPT record (RFC 8460 §3). */
export const tlsRptFailures = defineFailures({
  'rpt-record-multiple': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    message: 'There is more than one TLS-RPT record, so no sender reports.',
    fix: 'Leave exactly one TXT record that begins with v=TLSRPTv1.',
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
    message: 'The TLS-RPT record names nowhere to report to.',
    fix: 'Add rua=mailto: or rua=https: with an address of yours.',
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
 * The faults for which a report is refused. Every other fault is a note (`reportQuirks`).
 */
export const reportFailures = defineFailures({
  'report-empty': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §4',
    message: 'There is nothing in it.',
    fix: 'Send the JSON of RFC 8460.',
  },
  'report-missing': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §5.3',
    message: 'The mail holds no report.',
    fix: 'Attach the report as application/tlsrpt+gzip.',
  },
  'report-too-large': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §5.2',
    message: 'The report is larger than is taken, packed or unpacked.',
    fix: 'Send smaller reports, or raise the limit.',
  },
  'report-too-complex': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §7',
    message:
      'The JSON has more members or is nested deeper, or the mail has more lines, parts or header fields, than any report.',
    fix: 'Send a report.',
  },
  'report-damaged': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §5.2',
    message: 'The compressed data is cut off, damaged or packed more than twice.',
    fix: 'Send gzip, packed once.',
  },
  'report-archive': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §6.3',
    message:
      'The archive is encrypted, packed in an uncommon way, empty, or holds more than 1,000 files.',
    fix: 'Send gzip.',
  },
  'report-not-json': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §4',
    message: 'The content is no JSON.',
    fix: 'Send the JSON of RFC 8460.',
  },
  'report-impossible': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §7',
    message:
      'The session counts or the number of policy domains exceed what one reporter can see in a day.',
    fix: 'Correct the counts, or send one report for each policy domain.',
  },
  'report-no-policies': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §4.4',
    message: 'The JSON has no policies array, so it is no report.',
    fix: 'Send the JSON of RFC 8460.',
  },
});

/** Faults for which the strict builder refuses to write a report. */
export const builderFailures = defineFailures({
  'report-invalid': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8460 §4.4',
    message: 'The report to be written does not follow RFC 8460.',
    fix: 'Correct the member that the detail names.',
  },
});
