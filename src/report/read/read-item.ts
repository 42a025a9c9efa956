import { fail } from '../../base/index.js';
import { unpackReport } from '../../tls-rpt/index.js';
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
  const mail = unpacked.value.bytes;
  if (!isMail(mail)) return [reading(name, bytes, readUnpacked(unpacked.value, { domain: domainOfName(name) }))];
  const read = await readMail(mail, verify ? await verify(mail) : notAsked, maxBytes);
  return read.reports.map(({ raw, parsed }, i) => reading(i === 0 ? name : `${name}#${i + 1}`, raw, parsed, read.mail));
}

/** Begins with a header field, or with the envelope line that some tools leave before it. */
function isMail(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x7b) return false;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2000)).toString('latin1');
  return /^(From [^\n]*\n|>From [^\n]*\n)?[A-Za-z][A-Za-z0-9-]*:[ \t\r\n]/.test(start.replace(/^(\xef\xbb\xbf|\s)+/, ''));
}
