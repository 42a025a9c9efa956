import type { Notes } from './notes.js';
import type { QuirkCode } from './quirks-registry.js';

/** The form of RFC 3339 in UTC with whole seconds, which nearly every report uses. */
const exact = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
/** Variants of ISO 8601: with a space, without seconds or zone, or with a fraction. */
const loose =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?\s*(z|utc|gmt|[+-]\d\d:?\d\d)?$/i;
/** The form of a Date header (RFC 5322 §3.3). */
const mailForm =
  /^(?:[a-z]{3},\s*)?(\d{1,2}) ([a-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))?\s*(utc|gmt|[+-]\d{4})?$/i;
/** English names of months, as RFC 5322 abbreviates them. */
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** The last day that RFC 3339 can represent. */
const latest = Date.UTC(9999, 11, 31);

/**
 * Returns a date in the form of RFC 3339, in UTC with whole seconds; undefined for a
 * value that is not a date. A date without a zone counts as UTC, since reports cover UTC
 * days (RFC 8460 §4.1).
 */
export function readDate(jsonValue: unknown, memberPath: string, notes: Notes): string | undefined {
  if (jsonValue === undefined || jsonValue === null || jsonValue === '')
    return void notes.add('date-missing', memberPath);
  if (typeof jsonValue === 'string' && exact.test(jsonValue) && exists(jsonValue)) return jsonValue;
  const found = fromValue(jsonValue);
  if (!found) return void notes.add('date-invalid', memberPath, jsonValue);
  notes.add(quirkOf(found), memberPath, jsonValue);
  return format(found.ms);
}

function fromValue(jsonValue: unknown): Found | undefined {
  if (typeof jsonValue === 'number') return fromNumber(jsonValue);
  return typeof jsonValue === 'string' ? fromText(jsonValue.trim()) : undefined;
}

function quirkOf({ form, zoned }: Found): QuirkCode {
  if (form === 'number') return 'date-number';
  return zoned ? 'date-form' : 'date-no-zone';
}

/**
 * Returns true if a date in the exact form exists. `Date` reads 31 February as a day in
 * March.
 */
function exists(dateText: string): boolean {
  const ms = Date.parse(dateText);
  return !Number.isNaN(ms) && (dateText.slice(8, 10) < '29' || format(ms) === dateText);
}

/** A time with the form in which it was written. */
interface Found {
  /** Milliseconds since 1970. */
  readonly ms: number;
  /** True if the text had a zone. */
  readonly zoned: boolean;
  readonly form?: 'number';
}

/** Reads a date in one of the three textual forms, or digits that are a Unix time. */
function fromText(dateText: string): Found | undefined {
  if (/^\d{10}(\d{3})?$/.test(dateText)) return fromNumber(Number(dateText));
  const iso = loose.exec(dateText);
  if (iso) {
    const [, year, month, day, hour, minute, second, zone] = iso;
    return fromParts({ year, month, day, hour, minute, second, zone });
  }
  const mail = mailForm.exec(dateText);
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
  // `Date` moves an impossible date into the next month. A leap second (60) is accepted.
  if (new Date(ms).getUTCDate() !== d || m < 1 || m > 12 || h > 24 || min > 59 || s > 60)
    return undefined;
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return inRange({ ms: ms - offset, zoned: zone !== '' });
}

/**
 * Reads seconds or milliseconds since 1970. The size of the number distinguishes the
 * units. Times before September 2001 cannot be dates of a report.
 */
function fromNumber(value: number): Found | undefined {
  if (!Number.isFinite(value) || value < 1e9) return undefined;
  return inRange({
    ms: Math.floor(value < 1e11 ? value * 1000 : value),
    zoned: true,
    form: 'number',
  });
}

/** Rejects times that RFC 3339 cannot represent. */
function inRange(found: Found): Found | undefined {
  return found.ms >= 0 && found.ms <= latest ? found : undefined;
}

/** Returns a time in the form of RFC 3339 without the fraction. */
function format(ms: number): string {
  return Number.isNaN(ms) ? '' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
