import type { Notes } from './notes.js';
import type { QuirkCode } from './quirks-registry.js';

const exact = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const loose =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?\s*(z|utc|gmt|[+-]\d\d:?\d\d)?$/i;
const mailForm =
  /^(?:[a-z]{3},\s*)?(\d{1,2}) ([a-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))?\s*(utc|gmt|[+-]\d{4})?$/i;
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const latest = Date.UTC(9999, 11, 31);

/**
 * Reads a date as RFC 3339 in UTC with whole seconds [8460-4.4-2]. Other forms get a note:
 * numbers since 1970, the date of RFC 5322, a date without a zone, which counts as UTC.
 * Undefined where the value is not a date.
 */
export function readDate(value: unknown, path: string, notes: Notes): string | undefined {
  if (value === undefined || value === null || value === '')
    return void notes.add('date-missing', path);
  if (typeof value === 'string' && exact.test(value) && exists(value)) return value;
  const found = fromValue(value);
  if (!found) return void notes.add('date-invalid', path, value);
  notes.add(quirkOf(found), path, value);
  return format(found.ms);
}

function fromValue(value: unknown): Found | undefined {
  if (typeof value === 'number') return fromNumber(value);
  return typeof value === 'string' ? fromText(value.trim()) : undefined;
}

function quirkOf({ form, zoned }: Found): QuirkCode {
  if (form === 'number') return 'date-number';
  return zoned ? 'date-form' : 'date-no-zone';
}

/** Whether a date in exact form is one: the 31st of February would roll over. */
function exists(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && (text.slice(8, 10) < '29' || format(ms) === text);
}

interface Found {
  readonly ms: number;
  readonly zoned: boolean;
  readonly form?: 'number';
}

function fromText(text: string): Found | undefined {
  if (/^\d{10}(\d{3})?$/.test(text)) return fromNumber(Number(text));
  const iso = loose.exec(text);
  if (iso) {
    const [, year, month, day, hour, minute, second, zone] = iso;
    return fromParts({ year, month, day, hour, minute, second, zone });
  }
  const mail = mailForm.exec(text);
  if (!mail) return undefined;
  const [, day, name = '', year, hour, minute, second, zone] = mail;
  const month = String(months.indexOf(name.toLowerCase()) + 1);
  return fromParts({ year, month, day, hour, minute, second, zone });
}

/** The matched parts of a date. */
type DateParts = Readonly<
  Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'zone', string | undefined>
>;

function fromParts({
  year = '',
  month = '',
  day = '',
  hour = '0',
  minute = '0',
  second = '0',
  zone = '',
}: DateParts): Found | undefined {
  const [y, m, d, h, min, s] = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const ms = Date.UTC(y, m - 1, d, h, min, Math.min(s, 59));
  // An impossible date rolls over; a leap second does not count as one.
  if (new Date(ms).getUTCDate() !== d || m < 1 || m > 12 || h > 24 || min > 59 || s > 60)
    return undefined;
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return inRange({ ms: ms - offset, zoned: zone !== '' });
}

/** Seconds or milliseconds since 1970. */
function fromNumber(value: number): Found | undefined {
  if (!Number.isFinite(value) || value < 1e9) return undefined;
  return inRange({
    ms: Math.floor(value < 1e11 ? value * 1000 : value),
    zoned: true,
    form: 'number',
  });
}

function inRange(found: Found): Found | undefined {
  return found.ms >= 0 && found.ms <= latest ? found : undefined;
}

function format(ms: number): string {
  return Number.isNaN(ms) ? '' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
