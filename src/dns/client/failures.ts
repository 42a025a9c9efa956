import { defineFailures } from '../../base/index.js';

/** The failures of the transport to a resolver. */
export const transportFailures = defineFailures({
  'dns-timeout': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 1035 §4.2.1',
    message: 'The resolver did not answer in time.',
    fix: 'Check that the resolver runs, or use another: --resolver ADDRESS.',
  },
  'dns-unreachable': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 1035 §4.2',
    message: 'This machine cannot reach the resolver.',
    fix: 'Check the address and the network of this machine, or use another resolver: --resolver ADDRESS.',
  },
  'dns-garbled': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 1035 §4.1',
    message: 'The answer does not match the question.',
    fix: 'Use another resolver: --resolver ADDRESS.',
  },
  'dns-no-upstream': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 1035 §7.1',
    message: 'No resolver is configured.',
    fix: 'Specify one: --resolver ADDRESS.',
  },
  'dns-tls-failed': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 7858 §3.1',
    message: 'The encrypted connection to the resolver failed.',
    fix: 'Check the name after # and the resolver’s certificate.',
  },
  'dns-bad-upstream': {
    blame: 'local',
    temporary: false,
    message: 'This is not the address of a resolver.',
    fix: 'Write ADDRESS, ADDRESS:PORT, [IPv6]:PORT, tcp://ADDRESS or tls://ADDRESS#NAME.',
  },
});
