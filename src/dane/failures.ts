import { defineFailures } from '../base/index.js';

/** The faults of TLSA records. */
export const daneFailures = defineFailures({
  'dane-record-malformed': {
    blame: 'publisher',
    temporary: false,
    resultType: 'tlsa-invalid',
    clause: 'RFC 7671 §4',
    message: 'The form of a TLSA record contradicts its parameters.',
    fix: 'Publish the record again from the certificate in use.',
  },
  'dane-usage-unsupported': {
    blame: 'publisher',
    temporary: false,
    resultType: 'tlsa-invalid',
    clause: 'RFC 7672 §3.1.3',
    message: 'Mail servers do not use the PKIX usages 0 and 1.',
    fix: 'Publish 3 1 1 for the server’s own key.',
  },
});
