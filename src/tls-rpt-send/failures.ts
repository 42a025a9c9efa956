import { defineFailures } from '../base/index.js';

/** Failures while sessions are counted or reports are delivered. */
export const reportingFailures = defineFailures({
  'reporting-event-malformed': {
    blame: 'local',
    temporary: false,
    message: 'The input is not the outcome of a session. Hermetic did not count the session.',
    fix: 'Check the versions of the mail server and its libtlsrpt, or the program that writes the feed.',
  },
  'reporting-no-descriptor': {
    blame: 'local',
    temporary: false,
    message: 'systemd passed no datagram socket, and Node cannot open one.',
    fix: 'Start the daemon with systemd with a socket unit that has ListenDatagram=. docs/send-reports.md contains one.',
  },
  'reporting-refused': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8460 §5.5',
    message: 'The receiver refuses the report permanently.',
    fix: 'Take no action: after the third refusal, the daemon sends no report to this receiver for a month.',
  },
  'reporting-put-off': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 8460 §5.5',
    message: 'The receiver does not accept the report now.',
    fix: 'Wait: the daemon repeats the attempt for 24 hours.',
  },
  'reporting-dkim': {
    blame: 'local',
    temporary: false,
    message: 'A report could not be signed with the DKIM key.',
    fix: 'Check the key that reporting.dkim.key names.',
  },
});
