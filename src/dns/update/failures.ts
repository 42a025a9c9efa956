import { defineFailures } from '../../base/index.js';

/** The reason why a zone was not changed, or why its state is unknown. */
export const updateFailures = defineFailures({
  'dns-update-unreachable': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 2136 §4',
    message:
      'The name server is unreachable or did not answer in time. The state of the zone is unknown.',
    fix: 'Check publish.dns and the server. The next round reads the zone, then requests the missing changes.',
  },
  'dns-update-unsigned': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 8945 §5.3',
    message: 'The reply is not signed with the server’s key, so Hermetic does not trust the reply.',
    fix: 'Compare the key and the algorithm with those of the server. If they agree, another machine answers for the server.',
  },
  'dns-update-key': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8945 §5.2',
    message: 'The name server does not accept the key for this change.',
    fix: 'Compare name, algorithm and secret with those of the server. Check that the key may change this name.',
  },
  'dns-update-time': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 8945 §5.2.3',
    message: 'The clocks of this machine and of the name server differ too much.',
    fix: 'Synchronise the wrong clock by NTP.',
  },
  'dns-update-conflict': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 2136 §3.2',
    message: 'The records have changed since the plan, so Hermetic changed nothing.',
    fix: 'Wait for the next round, which plans from the current records. Find out which other program changes these records.',
  },
  'dns-update-refused': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 2136 §3.3',
    message: 'The name server refused the change.',
    fix: 'Permit the key to change exactly this name and type: update-policy in BIND, acl with update-owner in Knot.',
  },
});
