import { defineFailures } from '../base/index.js';

/** What can be wrong with telling others of TLS failures. */
export const reportingFailures = defineFailures({
  'reporting-event-malformed': {
    blame: 'local',
    temporary: false,
    message: 'What was given as the outcome of a session is none, and was not counted.',
    fix: 'Check that the mail server and its libtlsrpt are of a version that is supported, or the program that writes the feed.',
  },
  'reporting-no-descriptor': {
    blame: 'local',
    temporary: false,
    message: 'No datagram socket was handed over, and Node cannot open one by itself.',
    fix: 'Start the daemon by systemd with a unit of type socket that has ListenDatagram=; docs/send-reports.md has it ready.',
  },
  'reporting-refused': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §5.5',
    message: 'The receiver refuses the report for good.',
    fix: 'Nothing to do here; after the third refusal it is left in peace for a month.',
  },
  'reporting-put-off': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 8460 §5.5',
    message: 'The receiver does not take the report now.',
    fix: 'Nothing to do: it is tried again for 24 hours.',
  },
  'reporting-dkim': {
    blame: 'local',
    temporary: false,
    message: 'A report could not be signed with the DKIM key.',
    fix: 'Check the key that reporting.dkim.key names.',
  },
});
