import { defineFailures } from '../base/index.js';
import type { NetFailureCode } from './types.js';

/** Why a connection, or an answer to a datagram, could not be had. */
export const netFailures = defineFailures<NetFailureCode>({
  'net-refused': {
    blame: 'peer',
    temporary: true,
    message: 'Nobody listens there.',
    fix: 'Start the server, or open the port to it.',
  },
  'net-timeout': {
    blame: 'network',
    temporary: true,
    message: 'Nothing came back in time.',
    fix: 'Look at firewalls between; many networks block port 25 to the outside.',
  },
  'net-unreachable': {
    blame: 'network',
    temporary: true,
    message: 'The network says that the host cannot be reached.',
    fix: 'Check the address and the routes to it.',
  },
  'net-no-route': {
    blame: 'local',
    temporary: false,
    message: 'This machine has no route to addresses of that family.',
    fix: 'Try from a machine that has one.',
  },
  'net-reset': {
    blame: 'network',
    temporary: true,
    message: 'The connection was reset while it was opened.',
    fix: 'Look at firewalls between, and at the log of the server.',
  },
  'net-guarded': {
    blame: 'local',
    temporary: false,
    message: 'The address is private or special, and names of strangers must not lead there.',
    fix: 'Publish a public address; network.privateAddresses: allow is for networks of one’s own.',
  },
  'net-budget': {
    blame: 'local',
    temporary: false,
    message: 'No more connections to this address were allowed.',
    fix: 'Go on later with --resume, or allow more with --budget.',
  },
  'net-local': {
    blame: 'local',
    temporary: true,
    message: 'This machine failed to open the connection.',
    fix: 'Look at its limits (ulimit -n) and at what its firewall forbids.',
  },
});
