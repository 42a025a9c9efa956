import { defineFailures } from '../../base/index.js';

/** Refusals of the public sender test. */
export const slotFailures = defineFailures({
  'sender-slots-taken': {
    blame: 'local',
    temporary: true,
    message: 'All slots of this sender test are in use.',
    fix: 'Try again when a test has ended, or run hermetic sender test on your own machine.',
  },
  'sender-client-limit': {
    blame: 'local',
    temporary: true,
    message: 'Your network already runs the maximum number of tests for one client.',
    fix: 'Use a running test, or wait until it ends.',
  },
  'sender-slot-unknown': {
    blame: 'local',
    temporary: false,
    message: 'No sender test has this id, or its retention period has ended.',
    fix: 'Start a new test.',
  },
  'sender-test-absent': {
    blame: 'local',
    temporary: false,
    message: 'This installation has no sender test.',
    fix: 'Add the section senderTest to the configuration: docs/host-the-sender-test.md.',
  },
});

/** A code of {@link slotFailures}. */
export type SlotFailureCode = keyof typeof slotFailures.entries;
