import { isIPv4 } from 'node:net';
import { formatIp, parseDomain, parseIp } from '../base/index.js';
import type { Notes } from './notes.js';

/**
 * Maximum characters of one stored text. The stored raw report contains the complete
 * text.
 */
const MAX_TEXT = 4096;
/**
 * Maximum number of elements of one list to read, such as TLSA records or policy lines.
 */
const MAX_LIST = 10_000;
/**
 * Maximum of one count. This number exceeds the sessions of any reporter with one domain
 * in a day, and sums of such counts remain exact.
 */
const MAX_COUNT = 1e10;
/** A domain that is already canonical, which is the usual case and needs no parsing. */
const plainDomain =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;

/**
 * Returns a text; undefined if the member has no text. An empty string and null count as
 * absent. A number or boolean becomes text, since its meaning is unambiguous.
 */
export function readText(jsonValue: unknown, memberPath: string, notes: Notes): string | undefined {
  if (typeof jsonValue === 'string') {
    if (jsonValue !== '' && jsonValue.length <= MAX_TEXT) return jsonValue;
    if (jsonValue === '') return void notes.add('text-empty', memberPath);
    notes.add('text-too-long', memberPath, jsonValue);
    return jsonValue.slice(0, MAX_TEXT);
  }
  if (jsonValue === undefined) return undefined;
  if (jsonValue === null) return void notes.add('null-member', memberPath);
  if (Array.isArray(jsonValue) && jsonValue.length <= 1) {
    notes.add('text-in-list', memberPath, jsonValue);
    return jsonValue.length === 0 ? undefined : readText(jsonValue[0], memberPath, notes);
  }
  if (typeof jsonValue === 'number' || typeof jsonValue === 'boolean') {
    notes.add('text-not-string', memberPath, jsonValue);
    return String(jsonValue);
  }
  return void notes.unforeseen(memberPath, jsonValue);
}

/**
 * Returns a number of sessions exactly as reported; undefined for a value that is not a
 * count. Strings of digits are accepted, also with commas as thousands separators.
 */
export function readCount(
  jsonValue: unknown,
  memberPath: string,
  notes: Notes,
): number | undefined {
  if (
    typeof jsonValue === 'number' &&
    Number.isInteger(jsonValue) &&
    jsonValue >= 0 &&
    jsonValue <= MAX_COUNT
  )
    return jsonValue;
  if (jsonValue === undefined || jsonValue === null)
    return void notes.add('count-missing', memberPath);
  const digits =
    typeof jsonValue === 'string'
      ? /^\s*\+?(\d{1,13}|\d{1,3}(?:,\d{3}){1,4})(?:\.0*)?\s*$/
          .exec(jsonValue)?.[1]
          ?.replaceAll(',', '')
      : undefined;
  if (digits !== undefined && Number(digits) <= MAX_COUNT) {
    notes.add('count-is-string', memberPath, jsonValue);
    return Number(digits);
  }
  return void notes.add('count-invalid', memberPath, jsonValue);
}

/**
 * Returns the total of failed sessions in a summary. The total shows whether sessions
 * failed, so a positive number never becomes 0: a fraction is rounded up. A number above
 * the maximum is returned unchanged, so that the report is refused.
 */
export function readFailureTotal(
  jsonValue: unknown,
  memberPath: string,
  notes: Notes,
): number | undefined {
  if (Array.isArray(jsonValue) && jsonValue.length === 1) {
    notes.add('text-in-list', memberPath, jsonValue);
    return readFailureTotal(jsonValue[0], memberPath, notes);
  }
  const count = readCount(jsonValue, memberPath, notes);
  if (count !== undefined) return count;
  const isNumeric =
    typeof jsonValue === 'string' && /^\s*\+?\d[\d.]*(e\+?\d+)?\s*$/i.test(jsonValue);
  const number = isNumeric || typeof jsonValue === 'number' ? Number(jsonValue) : NaN;
  return number > 0 ? Math.ceil(number) : undefined;
}

/**
 * Returns a list of texts, also if the reporter wrote one string. A string is split only
 * at characters that neither a TLSA record nor a policy line contains.
 */
export function readList(jsonValue: unknown, memberPath: string, notes: Notes): readonly string[] {
  if (jsonValue === undefined) return [];
  if (Array.isArray(jsonValue)) {
    if (jsonValue.length > 1 && jsonValue.length <= MAX_LIST && jsonValue.every(isPlain))
      return jsonValue;
    if (jsonValue.length === 0) notes.add('list-empty', memberPath);
    const texts = jsonValue
      .slice(0, MAX_LIST)
      .flatMap((item: unknown, index) => readText(item, `${memberPath}[${index}]`, notes) ?? []);
    return texts.length === 1 ? splitText(texts[0] as string, memberPath, notes) : texts;
  }
  if (typeof jsonValue === 'string' && jsonValue.trim() !== '') {
    const parts = splitText(jsonValue, memberPath, notes);
    if (parts.length === 1) notes.add('list-is-string', memberPath, jsonValue);
    return parts;
  }
  const memberText = readText(jsonValue, memberPath, notes);
  return memberText === undefined ? [] : [memberText];
}

/** Returns true for an element that needs neither a note nor a change. */
function isPlain(item: unknown): item is string {
  return typeof item === 'string' && item !== '' && item.length <= MAX_TEXT;
}

/**
 * Splits a list that the reporter wrote into one string: as JSON (Microsoft's TLSA
 * records), as lines, or with `;` (as in one place of RFC 8460 §4).
 */
function splitText(memberText: string, memberPath: string, notes: Notes): readonly string[] {
  if (/^\s*\[\s*"/.test(memberText)) {
    const inner = tryJson(memberText);
    if (Array.isArray(inner) && inner.every((item) => typeof item === 'string')) {
      notes.add('list-in-string', memberPath, memberText);
      return inner.slice(0, MAX_LIST);
    }
  }
  if (!/[\r\n;]/.test(memberText)) return [memberText];
  const parts = memberText
    .split(/[\r\n;]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length > 1) notes.add('list-joined', memberPath, memberText);
  return parts.length > 1 ? parts.slice(0, MAX_LIST) : [memberText];
}

function tryJson(memberText: string): unknown {
  try {
    return JSON.parse(memberText);
  } catch {
    return undefined;
  }
}

/** Labels in front of the policy domain, in the names of the records of a policy. */
const recordLabels = /^(?:_\d{1,5}\._tcp|_mta-sts|_smtp\._tls)\.(?=[^.])/i;

/** Forms that some reporters write instead of a domain: a URL, or a mail address. */
const aroundDomain =
  /^(?:[a-z]+:\/\/|mailto:)?(?:[^@\/]{1,64}@)?([^@\/:]+)(?::\d{1,5})?(?:\/.*)?$/i;

/**
 * Returns a domain name, or a pattern of MX hosts, in A-labels and lower case, with a
 * leading `*.` and without the labels of a record; undefined for a text that is not a
 * domain name.
 */
export function canonicalDomain(domainText: string): string | undefined {
  if (plainDomain.test(domainText)) return domainText;
  const bare = aroundDomain.exec(domainText.trim())?.[1] ?? '';
  const [, wildcard = '', name = ''] = /^(\*\.|\.)?([\s\S]*)$/.exec(bare) ?? [];
  const parsed = parseDomain(name.replace(recordLabels, ''));
  if (!parsed.ok) return undefined;
  return `${wildcard === '' ? '' : '*.'}${parsed.value.toLower()}`;
}

/**
 * Returns a domain name as {@link canonicalDomain} returns it; the reporter's text if it
 * is not a domain name.
 */
export function readDomain(
  jsonValue: unknown,
  memberPath: string,
  notes: Notes,
): string | undefined {
  const memberText = readText(jsonValue, memberPath, notes);
  if (memberText === undefined || plainDomain.test(memberText)) return memberText;
  const canonical = canonicalDomain(memberText);
  if (canonical === undefined) {
    notes.add('domain-invalid', memberPath, memberText);
    return memberText;
  }
  if (canonical !== memberText) notes.add('domain-form', memberPath, memberText);
  return canonical;
}

/**
 * Returns an address in canonical form (RFC 5952); the reporter's text if it is not an
 * address.
 */
export function readAddress(
  jsonValue: unknown,
  memberPath: string,
  notes: Notes,
): string | undefined {
  const memberText = readText(jsonValue, memberPath, notes);
  if (memberText === undefined || isIPv4(memberText)) return memberText;
  const parsedIp = parseIp(memberText.trim().replace(/^\[?(?:ipv6:)?([^\]]*)\]?$/i, '$1'));
  if (!parsedIp) {
    notes.add('address-invalid', memberPath, memberText);
    return memberText;
  }
  const canonical = formatIp(parsedIp);
  if (canonical !== memberText) notes.add('address-form', memberPath, memberText);
  return canonical;
}
