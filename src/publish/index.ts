/**
 * Publishes what makes mail to a domain private without ever holding mail back: TLSA records and their rollover (RFC 7671 §8).
 *
 * @example
 * let state = startRollover('mx.example.com');
 * const step = stepRollover(state, reading, { publish: true, types: ['ecdsa'], matchingTypes: [1], ttl: 3600, leave: [] });
 * state = step.state; // written down first; then step.steps are carried out
 */
export type { Action, Alert, Certify, Deploy, KeyType, MakeKey, ServePolicy, SetRrset, Step, StopServing, Wait } from './actions.js';
export { startRollover, stepRollover } from './rollover/step-rollover.js';
export { covers, recordsOf } from './rollover/rrset.js';
export type {
  AliveRrset,
  KeySlot,
  RolloverAction,
  RolloverReading,
  RolloverState,
  RolloverStep,
  RolloverWish,
  Rrset,
  ServerKey,
} from './rollover/types.js';
export { startPolicy, stepPolicy } from './policy/step-policy.js';
export { policyId, stsRecord } from './policy/policy-id.js';
export type {
  PolicyAction,
  PolicyReading,
  PolicyState,
  PolicyStep,
  PolicyWish,
  Proposal,
  ReportSummary,
  ServedPolicy,
  ServerAnswer,
} from './policy/types.js';
export { txtRdata } from './records/txt-rdata.js';
export { publishFailures } from './failures.js';
