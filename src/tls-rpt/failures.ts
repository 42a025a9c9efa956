import { defineFailures } from '../base/index.js';

/** What can be wrong with a TLS-RPT record. */
export const tlsRptFailures = defineFailures({
  'rpt-record-multiple': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    says: 'There is more than one TLS-RPT record, so nobody reports.',
    fix: 'Leave exactly one TXT record that begins with v=TLSRPTv1.',
  },
  'rpt-record-invalid': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    says: 'The TLS-RPT record does not follow the grammar.',
    fix: 'Write it as: v=TLSRPTv1; rua=mailto:tlsrpt@example.com',
  },
  'rpt-rua-missing': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    says: 'The TLS-RPT record names nowhere to report to.',
    fix: 'Add rua=mailto: or rua=https: with an address of yours.',
  },
  'rpt-rua-invalid': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8460 §3',
    says: 'An address in rua is neither a mailto: nor an https: URI.',
    fix: 'Correct the address.',
  },
});
