import { defineFailures } from '../base/index.js';

/** Why reports cannot be taken in now. */
export const intakeFailures = defineFailures({
  'dkim-key-unavailable': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 6376 §6.1.2',
    message: 'The DKIM key of a mail with a report could not be looked up.',
    fix: 'Check the resolver; the mail server delivers the mail again.',
  },
});
