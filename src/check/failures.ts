import { defineFailures } from '../base/index.js';

export const checkFailures = defineFailures({
  'profile-malformed': {
    blame: 'local',
    temporary: false,
    message: 'The grading profile is malformed.',
    fix: 'Correct the member that the message names: docs/profiles.md describes it.',
  },
  'opt-out-malformed': {
    blame: 'local',
    temporary: false,
    message: 'A line of the opt-out list is neither a host name nor an address.',
    fix: 'Write one entry per line: mx.example.com, *.example.com, 192.0.2.25, 192.0.2.0/24 or 2001:db8::/32. A # begins a comment.',
  },
});
