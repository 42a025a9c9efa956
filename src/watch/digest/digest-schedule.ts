import type { DigestSchedule } from '../settings.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The days of the week, in the order of their numbers in ECMAScript dates. */
const weekdays = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;

/** Returns the milliseconds between two digests. */
export function digestPeriod({ every }: Pick<DigestSchedule, 'every'>): number {
  return every === 'day' ? DAY : 7 * DAY;
}

/** Returns the last planned time of a digest up to `now`, milliseconds since 1970. */
export function lastDigestTime(schedule: DigestSchedule, now: number): number {
  const { every, day = 'monday', hour } = schedule;
  const today = Math.floor(now / DAY) * DAY + hour * HOUR;
  const latest = today <= now ? today : today - DAY;
  if (every === 'day') return latest;
  const past = (new Date(latest).getUTCDay() - weekdays.indexOf(day) + 7) % 7;
  return latest - past * DAY;
}

/** Returns the next planned time after `now`. */
export function nextDigestTime(schedule: DigestSchedule, now: number): number {
  return lastDigestTime(schedule, now) + digestPeriod(schedule);
}
