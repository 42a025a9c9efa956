/**
 * Watches domains by repeated checks. Mail TLS can fail unnoticed: a certificate expires,
 * a renewal loses the key of a TLSA record, a policy becomes unreachable. Senders that
 * enforce the policy then defer mail, and the operator gets the first report from users.
 * A watch checks on an interval and reports the changes that matter:
 *
 * - A fault began, became worse, or ended. Two checks in a row confirm each change.
 * - A domain gave no certain result for three days. One inconclusive check is not an alarm.
 * - This machine cannot observe domains: one alarm for all of them, which names no
 *   domain.
 *
 * A digest summarises the state and the changes of a day or a week, even if there are
 * none: a missing digest shows that the watch itself has failed.
 *
 * `decideAlarms` is pure: it takes memory, check and time, and returns memory and alarms.
 * The daemon keeps the memory in its database with the alarms to be sent (`tables.ts`);
 * `hermetic watch` keeps it in a file. The callers provide checks, timers and channels.
 *
 * @example
 * ```ts
 * let state = emptyState;
 * const decided = decideAlarms(
 *   state,
 *   { domain: 'example.com', result: await check('example.com') },
 *   Date.now(),
 * );
 * state = decided.state;
 * for (const { kind, says } of decided.alarms) console.log(kind, says);
 * ```
 */
export {
  acceptableLosses,
  acceptedText,
  acceptLosses,
  type Acceptance,
  type LostProtection,
} from './accept-loss.js';
export {
  awaitsConfirmation,
  decideAlarms,
  keepDomains,
  openAlarms,
  type AlarmDecision,
} from './decide-alarms.js';
export { alarmJson, alarmSubject, alarmText, repeatedId } from './alarm-text.js';
export {
  watchDigestSchema,
  watchMessageSchema,
  watchOutputSchema,
  watchSchemas,
} from './json-schemas.js';
export { CHECKS_TO_CONFIRM, UNSEEN_MS } from './rules.js';
export { watchSection, type DigestSchedule, type WatchSettings } from './settings.js';
export type { Digest } from './digest/compose-digest.js';
export { digestPeriod, lastDigestTime } from './digest/digest-schedule.js';
export { dueDigest, markDigest, readDigest, type DuePeriod } from './digest/digest-tables.js';
export { digestHtml, digestJson, digestSubject, digestText } from './digest/digest-text.js';
export {
  acceptStored,
  forgetUnwatched,
  listAlarms,
  mutedDomains,
  muteDomain,
  prepareWatch,
  watchTables,
  readWatch,
  recordCheck,
  sendAlarms,
  unsentAlarms,
  type AlarmChannel,
  type ListedAlarm,
  type Sending,
  type WatchScope,
} from './tables.js';
export {
  emptyState,
  watchStateSchema,
  type AcceptedLevel,
  type DomainState,
  type WatchedCheck,
  type WatchAlarm,
  type WatchedFacts,
  type WatchedFault,
  type WatchState,
} from './types.js';
