/**
 * Watches domains between two checks. Mail TLS breaks silently: a certificate expires, a
 * renewal loses the key of a TLSA record, a policy becomes unreachable. Senders that
 * enforce then defer mail, and the domain learns of it from its users. A watch checks on
 * an interval and reports the changes that matter:
 *
 * - A fault began, became worse, or ended. Two checks in a row confirm each of these.
 * - A domain gave no certain result for three days. One inconclusive check is not an alarm.
 * - This machine cannot see: one alarm for all domains, and none that names a domain.
 *
 * A digest summarises the state and the changes of a day or a week, also when there are
 * none: its absence shows that the watch itself does not work.
 *
 * `decideAlarms` is pure: memory, check and time go in, memory and alarms come out. The
 * daemon keeps the memory in its database with the alarms to be sent (`tables.ts`);
 * `hermetic watch` keeps it in a file. Checks, timers and channels belong to the callers.
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
