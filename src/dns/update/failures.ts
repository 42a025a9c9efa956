import { defineFailures } from '../../base/index.js';

/** Why a zone was not changed, or why that is not known. */
export const updateFailures = defineFailures({
  'dns-update-unreachable': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 2136 §4',
    message:
      'The name server could not be reached, or did not answer in time: whether the zone changed is not known.',
    fix: 'Look at publish.dns and the server; the next round reads first and then asks for what is still missing.',
  },
  'dns-update-unsigned': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 8945 §5.3',
    message: 'The reply is not signed by the server’s key, so it is not believed.',
    fix: 'Compare key and algorithm with the server’s; if they agree, somebody else answers in its place.',
  },
  'dns-update-key': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8945 §5.2',
    message: 'The name server does not accept our key for this change.',
    fix: 'Compare name, algorithm and secret with the server’s, and whether the key may change this name.',
  },
  'dns-update-time': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 8945 §5.2.3',
    message: 'The clocks of this machine and of the name server differ too much.',
    fix: 'Set the clock by NTP on the one that is wrong.',
  },
  'dns-update-conflict': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 2136 §3.2',
    message:
      'The records are not what they were when the change was planned, so nothing was changed.',
    fix: 'Nothing to do: the next round plans from what is there now. See who else changes these records.',
  },
  'dns-update-refused': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 2136 §3.3',
    message: 'The name server refused the change.',
    fix: 'Let the key change exactly this name and type: update-policy in BIND, acl with update-owner in Knot.',
  },
});
