import { defineFailures } from '../base/index.js';

/**
 * The reasons why a sender has no usable policy. None of these failures removes a policy
 * that is cached and not expired (RFC 8461 §3.3).
 */
export const stsFailures = defineFailures({
  'sts-record-multiple': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-invalid',
    clause: 'RFC 8461 §3.1',
    message: 'There is more than one MTA-STS record, so senders use none.',
    fix: 'Keep exactly one TXT record that begins with v=STSv1.',
  },
  'sts-record-invalid': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-invalid',
    clause: 'RFC 8461 §3.1',
    message: 'The MTA-STS record does not follow the grammar.',
    fix: 'Write it as: v=STSv1; id=20260101T000000;',
  },
  'sts-record-gone': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 8461 §3.3',
    message: 'The _mta-sts record is missing, but an earlier policy is still in force.',
    fix: 'Publish the record again. To withdraw MTA-STS, publish mode: none first and wait until max_age has passed.',
  },
  'sts-policy-unreachable': {
    blame: 'publisher',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 8461 §3.3',
    message: 'The sender could not fetch the policy.',
    fix: 'Make https://mta-sts.DOMAIN/.well-known/mta-sts.txt answer with status 200.',
  },
  'sts-policy-host-missing': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 8461 §3.3',
    message: 'The policy host mta-sts.DOMAIN has no address.',
    fix: 'Publish an address record for mta-sts.DOMAIN.',
  },
  'sts-policy-host-not-public': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 6890 §2.2',
    message: 'The policy host mta-sts.DOMAIN has only private or special addresses.',
    fix: 'Publish a public address for mta-sts.DOMAIN.',
  },
  'sts-policy-http-status': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 8461 §3.3',
    message: 'The policy host did not answer with status 200.',
    fix: 'Serve the policy file itself at /.well-known/mta-sts.txt.',
  },
  'sts-policy-redirect': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 8461 §3.3',
    message: 'The policy host redirects, which senders must not follow.',
    fix: 'Serve the policy at mta-sts.DOMAIN itself, without a redirect.',
  },
  'sts-policy-webpki-invalid': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 8461 §3.3',
    message: 'The policy host’s certificate is not valid for mta-sts.DOMAIN.',
    fix: 'Install a certificate from a public CA for mta-sts.DOMAIN.',
  },
  'sts-policy-wrong-type': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-invalid',
    clause: 'RFC 8461 §3.2',
    message: 'The media type of the policy is not text/plain.',
    fix: 'Set the Content-Type of mta-sts.txt to text/plain.',
  },
  'sts-policy-invalid': {
    blame: 'publisher',
    temporary: false,
    resultType: 'sts-policy-invalid',
    clause: 'RFC 8461 §3.2',
    message: 'The policy does not follow the grammar.',
    fix: 'Correct the policy file: version, mode, mx and max_age, one per line.',
  },
});
