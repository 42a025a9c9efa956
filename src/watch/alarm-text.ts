import { createHash } from 'node:crypto';
import { alertSubject, alertText } from '../tls-rpt-receive/index.js';
import type { WatchAlarm } from './types.js';

/** Returns the subject of a message that contains these alarms. */
export function alarmSubject(watchAlarms: readonly WatchAlarm[]): string {
  return alertSubject(watchAlarms, 'Mail TLS');
}

/**
 * Returns the alarms as text: each change, the faults that began with it, and the first
 * step.
 */
export function alarmText(watchAlarms: readonly WatchAlarm[]): string {
  return alertText(
    watchAlarms.map(({ says, also, ...alarm }) => ({
      ...alarm,
      says: also.length === 0 ? says : `${says} Also: ${also.join(' ')}`,
    })),
  );
}

/** Returns the alarms as JSON, `hermetic.watch-alarm/1`. Chat services show `text`. */
export function alarmJson(watchAlarms: readonly WatchAlarm[]): string {
  return JSON.stringify({
    schema: 'hermetic.watch-alarm/1',
    text: alarmText(watchAlarms),
    alarms: watchAlarms,
  });
}

/**
 * Returns an identifier of a message, made from its alarms: a message that is sent again
 * after a crash has the same identifier, and a mail server may drop the message as a
 * duplicate.
 */
export function repeatedId(watchAlarms: readonly WatchAlarm[]): string {
  const hash = createHash('sha256').update(JSON.stringify(watchAlarms.map(({ id }) => id)));
  return `watch-${hash.digest('hex').slice(0, 32)}`;
}
