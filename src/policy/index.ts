/** Placeholder face: grows with the part. */
export {
  senders,
  attacks,
  outcomes,
  type Sender,
  type Attack,
  type Outcome,
  type Known,
  type View,
  type HostView,
  type ServerView,
  type StsView,
} from './types.js';
