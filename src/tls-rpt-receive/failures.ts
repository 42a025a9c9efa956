import { defineFailures } from '../base/index.js';

/** The reason why reports cannot be taken in now. */
export const intakeFailures = defineFailures({
  'dkim-key-unavailable': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 6376 §6.1.2',
    message: 'The DKIM key of a message with a report could not be looked up.',
    fix: 'Check the resolver; the mail server delivers the mail again.',
  },
});
