import { createHash } from 'node:crypto';
import { alertSubject, alertText } from '../tls-rpt-receive/index.js';
import type { WatchAlarm } from './types.js';

/** The subject of a mail that holds these alarms. */
export function alarmSubject(alarms: readonly WatchAlarm[]): string {
  return alertSubject(alarms, 'Mail TLS');
}

/** The alarms as text: each change, the faults that began with it, and the first step. */
export function alarmText(alarms: readonly WatchAlarm[]): string {
  return alertText(
    alarms.map(({ says, also, ...alarm }) => ({
      ...alarm,
      says: also.length === 0 ? says : `${says} Also: ${also.join(' ')}`,
    })),
  );
}

/** The alarms as JSON, `hermetic.watch-alarm/1`. Chat services show `text`. */
export function alarmJson(alarms: readonly WatchAlarm[]): string {
  return JSON.stringify({ schema: 'hermetic.watch-alarm/1', text: alarmText(alarms), alarms });
}

/**
 * An identifier of a message, made from its alarms: a message that is sent again after a
 * crash has the same one, and a mail server may drop it as a duplicate.
 */
export function repeatedId(alarms: readonly WatchAlarm[]): string {
  const hash = createHash('sha256').update(JSON.stringify(alarms.map(({ id }) => id)));
  return `watch-${hash.digest('hex').slice(0, 32)}`;
}
