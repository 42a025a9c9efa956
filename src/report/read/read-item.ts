import { fail } from '../../base/index.js';
import { objectsIn, unpackReport } from '../../tls-rpt/index.js';
import type { DkimVerdict, MailEnvelope, Reading, Via } from '../types.js';
import { domainOfName, readUnpacked } from './read-content.js';
import { readMail } from './read-mail.js';

export interface ReadItemOptions {
  readonly name: string;
  readonly via: Via;
  readonly peer?: string;
  /** Octets of a report unpacked. Default 10 MB. */
  readonly maxBytes?: number;
  /** Judges the signatures of a mail. Without it no signature can be verified. */
  readonly verify?: (mail: Uint8Array) => Promise<DkimVerdict>;
}

const notAsked: DkimVerdict = { result: 'temperror', detail: 'not verified' };

/** Every report in a mail or a body. A compressed mail is opened first. */
export async function readItem(bytes: Uint8Array, options: ReadItemOptions): Promise<readonly Reading[]> {
  const { name, via, peer, maxBytes, verify } = options;
  const reading = (of: string, raw: Uint8Array, parsed: Reading['parsed'], envelope?: MailEnvelope): Reading => ({
    name: of,
    via,
    raw,
    parsed,
    ...(peer === undefined ? {} : { peer }),
    ...(envelope ? { mail: envelope } : {}),
  });
  const unpacked = unpackReport(bytes, maxBytes === undefined ? {} : { maxBytes });
  if (!unpacked.ok) return [reading(name, bytes, fail(unpacked.failure))];
  const mail = withoutBlankStart(unpacked.value.bytes);
  if (!isMail(mail)) {
    const content = { domain: domainOfName(name) };
    const whole = readUnpacked(unpacked.value, content);
    const parts = whole.ok ? [] : severalReports(whole.failure.code, unpacked.value.bytes);
    if (parts.length === 0) return [reading(name, bytes, whole)];
    return parts.map((raw, i) => reading(nth(name, i), raw, readUnpacked({ ...unpacked.value, bytes: raw }, content)));
  }
  const read = await readMail(mail, verify ? await verify(mail) : notAsked, maxBytes);
  return read.reports.map(({ raw, parsed }, i) => reading(nth(name, i), raw, parsed, read.mail));
}

function nth(name: string, i: number): string {
  return i === 0 ? name : `${name}#${i + 1}`;
}

const MAX_PARTS = 10_000;

/** Reports in an array, or one after the other: no report by RFC 8460, but what programs that gather reports write. */
function severalReports(code: string, bytes: Uint8Array): readonly Buffer[] {
  if (code !== 'report-not-json' && code !== 'report-no-policies') return [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const parts = objectsIn(text, MAX_PARTS);
  return parts.length > 1 && parts.every((part) => part.includes('policies')) ? parts.map((part) => Buffer.from(part)) : [];
}

/** Blank lines before a mail would end its header. */
function withoutBlankStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (bytes[start] === 0x0a || bytes[start] === 0x0d || bytes[start] === 0x20) start++;
  return start === 0 ? bytes : bytes.subarray(start);
}

/** Begins with a header field, or with the envelope line that some tools leave before it. */
function isMail(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x7b) return false;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2000)).toString('latin1');
  return /^(From [^\n]*\n|>From [^\n]*\n)?[A-Za-z][A-Za-z0-9-]*:[ \t\r\n]/.test(start.replace(/^(\xef\xbb\xbf|\s)+/, ''));
}
