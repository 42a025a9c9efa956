import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { fail, type Result } from '../../base/index.js';
import {
  reportFailures,
  unpackReports,
  type QuirkCode,
  type UnpackedReport,
} from '../../tls-rpt/index.js';
import { cannotBeReport, exceedsAnyReport } from '../mail-bounds.js';
import type { MailEnvelope, PartKind } from '../types.js';
import { isDomainName } from '../verify/is-domain-name.js';
import { mailIn } from './mail-in.js';
import { domainOfName, readContent, reportsAmong, type ParsedContent } from './read-content.js';
import { textOfHtml } from './text-of-html.js';

/** The properties of the mail around a report, before its signatures are verified. */
export type UnverifiedEnvelope = Omit<MailEnvelope, 'dkim'>;

/** A message with the reports that were found in it. */
export interface MailReading {
  readonly mail: UnverifiedEnvelope;
  readonly reports: readonly PartReading[];
}

/** Limits on the reports of one mail. */
export interface ReadMailOptions {
  /** Maximum octets of an unpacked report. */
  readonly maxBytes?: number | undefined;
  /** Maximum number of objects to examine in one part. */
  readonly maxObjects?: number | undefined;
}

/** A report or refusal, and the kind of part that contained it. */
export interface PartReading extends ParsedContent {
  readonly part: PartKind;
}

/**
 * Maximum number of parts that fail to unpack; after that the rest of the mail is
 * skipped.
 */
const MAX_FAILURES = 10;
/**
 * Maximum octets of a text or HTML document that is searched for a report: pasted reports
 * are small.
 */
const MAX_TEXT = 512 * 1024;
/** Maximum number of mails in a message, on each level. */
const MAX_MAILS = 10;
/** Maximum number of levels of forwarded messages. Each level is decoded completely. */
const MAX_FORWARDED = 3;
/**
 * Limits of the MIME parser: nesting and header octets. Forwarded mails are treated as
 * attachments, so that their reports are found.
 */
const limits = { maxNestingDepth: 20, maxHeadersSize: 256 * 1024, forceRfc822Attachments: true };
/** Media types of RFC 8460 §6.4 and §6.5, with the suffixes that reporters use. */
const declared = /^application\/tlsrpt(\+(json|gzip|zip|x-gzip))?$/i;
/** The extensions of files that may contain a report. */
const plausible = /\.(json|gz|zip)$/i;

/**
 * Returns the reports in a message (RFC 8460 §5.3) [8460-5.3-2]. Tries attachments with a
 * media type of the RFC first [8460-5.3-1], then attachments with a suitable name, then
 * all other parts including forwarded messages, then the text of the mail. Only the JSON
 * decides whether a part is a report, not the subject or a name [8460-5.6-1]. Returns one
 * refusal for a message without a report.
 */
export async function readMail(
  messageBytes: Uint8Array,
  { maxBytes, maxObjects }: ReadMailOptions = {},
): Promise<MailReading> {
  if (cannotBeReport(messageBytes)) return { mail: noEnvelope, reports: [none('report-missing')] };
  return readLevel(messageBytes, opener(messageBytes.length, maxBytes), { level: 0, maxObjects });
}

/** The envelope of a message that was not parsed. */
const noEnvelope: UnverifiedEnvelope = {
  from: undefined,
  submitter: undefined,
  domain: undefined,
  messageId: undefined,
  framed: false,
};

/** A part of a message as the MIME parser represents it. */
interface MimePart {
  readonly content?: ArrayBuffer | Uint8Array;
}

/**
 * A MIME parser that leaves a large text unchanged: decoding its references and flowed
 * lines would take seconds, and reports that a user pastes are small.
 */
class BoundedMime extends PostalMime {
  isInlineTextNode(node: MimePart): boolean {
    const isInline = (PostalMime.prototype as unknown as BoundedMime).isInlineTextNode;
    return (node.content?.byteLength ?? 0) <= MAX_TEXT && isInline.call(this, node);
  }
}

/** A function that unpacks one part within the remaining limit of the message. */
type Open = (raw: Uint8Array) => readonly Result<UnpackedReport>[];

/**
 * Reads one message and the mails forwarded in it. The most likely kinds of parts are
 * tried first, and the search ends with the first kind that contains a report. So in a
 * message with a declared report, pictures are not decoded.
 */
async function readLevel(
  messageBytes: Uint8Array,
  open: Open,
  { level, maxObjects }: { readonly level: number; readonly maxObjects: number | undefined },
): Promise<MailReading> {
  const email = exceedsAnyReport(messageBytes)
    ? undefined
    : await new BoundedMime(limits).parse(messageBytes).catch(() => undefined);
  const mail: UnverifiedEnvelope = {
    from: domainOf(email?.from?.address),
    submitter: header(email, 'tls-report-submitter'),
    domain: header(email, 'tls-report-domain') ?? domainOfSubject(email?.subject),
    messageId: email?.messageId?.slice(0, 500),
    framed: isFramed(messageBytes, header(email, 'content-type') ?? ''),
  };
  if (!email) return { mail, reports: [none('report-too-complex')] };
  let mails = 0;
  const read = async (parts: readonly Part[]): Promise<readonly PartReading[]> => {
    const readings: PartReading[] = [];
    for (const { raw, name = '', type } of parts) {
      const isReportPart = declared.test(type) || (isReportName(name) && isFile(type));
      const part: PartKind = level === 0 && isReportPart ? 'report' : 'other';
      const content = {
        domain: domainOfName(name) ?? mail.domain,
        quirks: quirksOf(type, mail),
        maxObjects,
      };
      const files = open(raw);
      for (const file of files) {
        if (!file.ok) {
          readings.push({ raw, part, parsed: fail(file.failure) });
          continue;
        }
        const inner = mailIn(file.value.bytes);
        if (!inner)
          readings.push(
            ...readContent(file.value, {
              ...content,
              raw: files.length === 1 ? raw : file.value.bytes,
            }).map((reading) => ({ ...reading, part })),
          );
        else if (level < MAX_FORWARDED && mails++ < MAX_MAILS)
          readings.push(
            ...(await readLevel(inner, open, { level: level + 1, maxObjects })).reports,
          );
      }
    }
    return reportsAmong(readings);
  };
  const attached = email.attachments.map(partOf);
  const typed = attached.filter(({ type }) => declared.test(type));
  const named = attached.filter(
    ({ name, type }) => !declared.test(type) && plausible.test(name ?? ''),
  );
  let refused: readonly PartReading[] = [];
  for (const parts of [typed, named]) {
    const reports = await read(parts);
    if (reports.some(({ parsed }) => parsed.ok)) return { mail, reports };
    if (refused.length === 0) refused = reports;
  }
  const others = attached.filter((part) => !typed.includes(part) && !named.includes(part));
  const messageText = email.text?.slice(0, MAX_TEXT);
  const texts = [
    messageText,
    messageText?.replace(/^(?:> ?){1,20}/gm, ''),
    textOfHtml(email.html?.slice(0, MAX_TEXT) ?? ''),
  ].map(textPart);
  for (const parts of [others, ...texts.map((text) => [text])]) {
    const reports = (await read(parts)).filter(({ parsed }) => parsed.ok);
    if (reports.length > 0) return { mail, reports };
  }
  return {
    mail,
    reports: refused.length > 0 ? refused : [none('report-missing', email.subject?.slice(0, 100))],
  };
}

/** Returns the departures of a mail from RFC 8460 that concern the report in it. */
function quirksOf(type: string, { submitter }: UnverifiedEnvelope): readonly QuirkCode[] {
  const quirks: QuirkCode[] = declared.test(type) ? [] : ['media-type-wrong'];
  if (submitter !== undefined && !isDomainName(submitter)) quirks.push('submitter-not-domain');
  return quirks;
}

/** A part of a message, with its transfer encoding removed. */
interface Part {
  readonly raw: Uint8Array;
  readonly name: string | undefined;
  readonly type: string;
}

/**
 * Returns a part as octets; HTML is converted to text, since a report may be pasted into
 * HTML.
 */
function partOf({ content, filename, mimeType }: Attachment): Part {
  const whole = typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
  const octets = mimeType.startsWith('text/') ? whole.subarray(0, MAX_TEXT) : whole;
  const raw =
    mimeType === 'text/html'
      ? Buffer.from(textOfHtml(Buffer.from(octets).toString('utf8')))
      : octets;
  return { raw, name: filename ?? undefined, type: mimeType };
}

/** Returns the text of a message as a part. */
function textPart(messageText = ''): Part {
  return { raw: Buffer.from(messageText), name: undefined, type: 'text/plain' };
}

/**
 * Returns the function that unpacks the parts of one message and of its nested messages.
 * All unpacked parts together may have the size of one report in addition to the message.
 * Only a few parts may fail to unpack.
 */
function opener(byteCount: number, maxBytes = 10_000_000): Open {
  let left = maxBytes + byteCount;
  let failures = 0;
  return (raw) => {
    if (failures >= MAX_FAILURES)
      return [fail(reportFailures.make('report-too-large', 'too many that cannot be opened'))];
    const files = unpackReports(raw, { maxBytes: Math.min(maxBytes, left) });
    for (const file of files)
      if (file.ok) left -= file.value.bytes.length;
      else failures++;
    return files;
  };
}

function none(code: 'report-missing' | 'report-too-complex', detail?: string): PartReading {
  return { raw: new Uint8Array(), part: 'other', parsed: fail(reportFailures.make(code, detail)) };
}

/**
 * Returns whether a file name has the form of RFC 8460 §5.1:
 * `sender!policy-domain!begin!end[!id].json[.gz]`.
 */
function isReportName(fileName: string): boolean {
  return /^[^!]+![^!]+!\d+!\d+(![^!]*)?\.json(\.gz)?$/i.test(fileName);
}

/**
 * Returns whether a media type is that of a file. A text, message or invitation may
 * contain words of a third party, which the signing program copied.
 */
function isFile(type: string): boolean {
  return !/^(text|message|multipart)\//i.test(type);
}

/** Returns the policy domain in a subject with the form of RFC 8460 §5.3. */
function domainOfSubject(subject: string | undefined): string | undefined {
  return /\breport domain:\s*([^\s;,]+)/i.exec(subject ?? '')?.[1]?.slice(0, 300);
}

/** Returns whether the body has no text before its first and after its last boundary. */
function isFramed(rawMessage: Uint8Array, contentType: string): boolean {
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return false;
  const octets = Buffer.from(rawMessage.buffer, rawMessage.byteOffset, rawMessage.length);
  const body = bodyOffset(octets);
  if (body < 0) return false;
  const first = octets.toString('latin1', body, body + boundary.length + 300).trimStart();
  if (!first.startsWith(`--${boundary}\r`) && !first.startsWith(`--${boundary}\n`)) return false;
  const endOffset = octets.lastIndexOf(`\n--${boundary}--`);
  const after = octets.subarray(endOffset + boundary.length + 5);
  return endOffset >= 0 && after.length < 1000 && after.toString('latin1').trim() === '';
}

/**
 * Returns the offset of the body, which begins after the first empty line; -1 without an
 * empty line. The header may have mixed line ends.
 */
function bodyOffset(octets: Buffer): number {
  const ends = ['\n\r\n', '\n\n'].flatMap((end) => {
    const offset = octets.indexOf(end);
    return offset < 0 ? [] : [offset + end.length];
  });
  return ends.length === 0 ? -1 : Math.min(...ends);
}

/** Returns a header field of the mail, at most 300 characters. */
function header(email: Email | undefined, fieldName: string): string | undefined {
  return email?.headers
    .find((field) => field.key === fieldName)
    ?.value.trim()
    .slice(0, 300);
}

/** Returns the domain of a mail address in lower case. */
function domainOf(address: string | undefined): string | undefined {
  const separator = address?.lastIndexOf('@') ?? -1;
  return separator < 0 ? undefined : address?.slice(separator + 1).toLowerCase();
}
