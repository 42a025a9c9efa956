import { defineFailures } from '../base/index.js';
import type { NetFailureCode } from './types.js';

/** The failures of connections and datagram exchanges. */
export const netFailures = defineFailures<NetFailureCode>({
  'net-refused': {
    blame: 'peer',
    temporary: true,
    message: 'No server listens on this port.',
    fix: 'Start the server, or open the port in the firewall.',
  },
  'net-timeout': {
    blame: 'network',
    temporary: true,
    message: 'The peer did not answer in time.',
    fix: 'Check the firewalls on the path. Many networks block outgoing port 25.',
  },
  'net-unreachable': {
    blame: 'network',
    temporary: true,
    message: 'The network reports that the host is unreachable.',
    fix: 'Check the address and the routes to it.',
  },
  'net-no-route': {
    blame: 'local',
    temporary: false,
    message: 'This machine has no route to addresses of this family.',
    fix: 'Try from a machine with such a route.',
  },
  'net-reset': {
    blame: 'network',
    temporary: true,
    message: 'The peer or a firewall reset the connection during its setup.',
    fix: 'Check the firewalls on the path and the server’s log.',
  },
  'net-guarded': {
    blame: 'local',
    temporary: false,
    message: 'The address is private or special, and a public name must not point to it.',
    fix: 'Publish a public address. For your own networks, set network.privateAddresses: allow.',
  },
  'net-budget': {
    blame: 'local',
    temporary: false,
    message: 'The limit of connections to this address is reached.',
    fix: 'Continue later with --resume, or raise the limit with --budget.',
  },
  'net-local': {
    blame: 'local',
    temporary: true,
    message: 'This machine failed to open the connection.',
    fix: 'Check the limits (ulimit -n) and the firewall of this machine.',
  },
});
