import { isIPv4 } from 'node:net';
import { formatIp, parseDomain, parseIp } from '../base/index.js';
import type { Notes } from './notes.js';

/** Characters of one text that are kept; the raw report has the rest. */
const MAX_TEXT = 4096;
/** Elements of one list that are read, such as TLSA records or lines of a policy. */
const MAX_LIST = 10_000;
/**
 * More sessions than one reporter has with one domain in a day; sums of such counts stay
 * exact.
 */
const MAX_COUNT = 1e10;
/** A domain that is canonical already, the usual case, recognised without parsing it. */
const plainDomain =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;

/**
 * A text; undefined where the reporter gave none. An empty string and null count as none.
 * A number or truth value is kept as text, since its meaning is certain.
 */
export function readText(value: unknown, path: string, notes: Notes): string | undefined {
  if (typeof value === 'string') {
    if (value !== '' && value.length <= MAX_TEXT) return value;
    if (value === '') return void notes.add('text-empty', path);
    notes.add('text-too-long', path, value);
    return value.slice(0, MAX_TEXT);
  }
  if (value === undefined) return undefined;
  if (value === null) return void notes.add('null-member', path);
  if (Array.isArray(value) && value.length <= 1) {
    notes.add('text-in-list', path, value);
    return value.length === 0 ? undefined : readText(value[0], path, notes);
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    notes.add('text-not-string', path, value);
    return String(value);
  }
  return void notes.unforeseen(path, value);
}

/**
 * A number of sessions exactly as reported; undefined where it is not a count. Strings of
 * digits are accepted, also with commas between thousands.
 */
export function readCount(value: unknown, path: string, notes: Notes): number | undefined {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT)
    return value;
  if (value === undefined || value === null) return void notes.add('count-missing', path);
  const digits =
    typeof value === 'string'
      ? /^\s*\+?(\d{1,13}|\d{1,3}(?:,\d{3}){1,4})(?:\.0*)?\s*$/
          .exec(value)?.[1]
          ?.replaceAll(',', '')
      : undefined;
  if (digits !== undefined && Number(digits) <= MAX_COUNT) {
    notes.add('count-is-string', path, value);
    return Number(digits);
  }
  return void notes.add('count-invalid', path, value);
}

/**
 * The total of failed sessions in a summary. It decides whether sessions failed, so a
 * positive number that is not a count never becomes 0: a fraction is rounded up, and a
 * number beyond every count is returned as it is, for the report to be refused.
 */
export function readFailureTotal(value: unknown, path: string, notes: Notes): number | undefined {
  if (Array.isArray(value) && value.length === 1) {
    notes.add('text-in-list', path, value);
    return readFailureTotal(value[0], path, notes);
  }
  const count = readCount(value, path, notes);
  if (count !== undefined) return count;
  const isNumeric = typeof value === 'string' && /^\s*\+?\d[\d.]*(e\+?\d+)?\s*$/i.test(value);
  const number = isNumeric || typeof value === 'number' ? Number(value) : NaN;
  return number > 0 ? Math.ceil(number) : undefined;
}

/**
 * A list of texts, also where the reporter wrote one string. Strings are split only at
 * characters that no TLSA record and no policy line contains.
 */
export function readList(value: unknown, path: string, notes: Notes): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) {
    if (value.length > 1 && value.length <= MAX_LIST && value.every(isPlain)) return value;
    if (value.length === 0) notes.add('list-empty', path);
    const texts = value
      .slice(0, MAX_LIST)
      .flatMap((item: unknown, index) => readText(item, `${path}[${index}]`, notes) ?? []);
    return texts.length === 1 ? splitText(texts[0] as string, path, notes) : texts;
  }
  if (typeof value === 'string' && value.trim() !== '') {
    const parts = splitText(value, path, notes);
    if (parts.length === 1) notes.add('list-is-string', path, value);
    return parts;
  }
  const text = readText(value, path, notes);
  return text === undefined ? [] : [text];
}

/** An element that needs neither a note nor a change. */
function isPlain(item: unknown): item is string {
  return typeof item === 'string' && item !== '' && item.length <= MAX_TEXT;
}

/**
 * Lists written into one string: as JSON (Microsoft's TLSA records), by lines, or by `;`
 * (RFC 8460 §4 has it once so).
 */
function splitText(text: string, path: string, notes: Notes): readonly string[] {
  if (/^\s*\[\s*"/.test(text)) {
    const inner = tryJson(text);
    if (Array.isArray(inner) && inner.every((item) => typeof item === 'string')) {
      notes.add('list-in-string', path, text);
      return inner.slice(0, MAX_LIST);
    }
  }
  if (!/[\r\n;]/.test(text)) return [text];
  const parts = text
    .split(/[\r\n;]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length > 1) notes.add('list-joined', path, text);
  return parts.length > 1 ? parts.slice(0, MAX_LIST) : [text];
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A domain name in A-labels and lower case, a leading `*.` kept; the reporter's text
 * where it is not a domain name.
 */
export function readDomain(value: unknown, path: string, notes: Notes): string | undefined {
  const text = readText(value, path, notes);
  if (text === undefined || plainDomain.test(text)) return text;
  const [, wildcard = '', name = ''] = /^(\*\.|\.)?([\s\S]*)$/.exec(text.trim()) ?? [];
  const parsed = parseDomain(name);
  if (!parsed.ok) {
    notes.add('domain-invalid', path, text);
    return text;
  }
  const canonical = `${wildcard === '.' ? '*.' : wildcard}${parsed.value.toLower()}`;
  if (canonical !== text) notes.add('domain-form', path, text);
  return canonical;
}

/** An address in canonical form (RFC 5952); the reporter's text where it is not one. */
export function readAddress(value: unknown, path: string, notes: Notes): string | undefined {
  const text = readText(value, path, notes);
  if (text === undefined || isIPv4(text)) return text;
  const ip = parseIp(text.trim().replace(/^\[?(?:ipv6:)?([^\]]*)\]?$/i, '$1'));
  if (!ip) {
    notes.add('address-invalid', path, text);
    return text;
  }
  const canonical = formatIp(ip);
  if (canonical !== text) notes.add('address-form', path, text);
  return canonical;
}
