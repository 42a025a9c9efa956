import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { fail, type Failure, type Result } from '../../base/index.js';
import { reportFailures, unpackReport, type ParsedReport, type UnpackedReport } from '../../tls-rpt/index.js';
import { exceedsAnyReport } from '../mail-bounds.js';
import type { DkimVerdict, MailEnvelope } from '../types.js';
import { domainOfName, readUnpacked, type ReadContentOptions } from './read-content.js';

export interface MailReading {
  readonly mail: MailEnvelope;
  readonly reports: readonly { readonly raw: Uint8Array; readonly parsed: Result<ParsedReport, Failure> }[];
}

const MAX_REPORTS = 10;
/** A mail forwarded, and forwarded again, and once more: each level is read whole. */
const MAX_FORWARDED = 3;
const limits = { maxNestingDepth: 20, maxHeadersSize: 256 * 1024, forceRfc822Attachments: true };
const declared = /^application\/tlsrpt(\+(json|gzip|zip|x-gzip))?$/i;
const plausible = /\.(json|gz|zip)$/i;

/**
 * The reports in a mail (RFC 8460 §5.3) [8460-5.3-2]: attachments of the RFC's media types [8460-5.3-1], else by name, else whatever holds a report, in
 * forwarded mails too. Subject and names are not looked at: the JSON counts [8460-5.6-1]. A mail without one gives a single refusal.
 */
export function readMail(bytes: Uint8Array, dkim: DkimVerdict, maxBytes?: number): Promise<MailReading> {
  return readLevel(bytes, dkim, opener(bytes.length, maxBytes), 0);
}

type Open = (raw: Uint8Array) => Result<UnpackedReport>;

async function readLevel(bytes: Uint8Array, dkim: DkimVerdict, open: Open, level: number): Promise<MailReading> {
  const email = exceedsAnyReport(bytes) ? undefined : await PostalMime.parse(bytes, limits).catch(() => undefined);
  const mail: MailEnvelope = {
    from: domainOf(email?.from?.address),
    submitter: header(email, 'tls-report-submitter'),
    domain: header(email, 'tls-report-domain'),
    messageId: email?.messageId?.slice(0, 500),
    dkim,
  };
  if (!email) return { mail, reports: [none('report-too-complex')] };
  const readOne = (raw: Uint8Array, content: ReadContentOptions): MailReading['reports'][number] => {
    const unpacked = open(raw);
    return { raw, parsed: unpacked.ok ? readUnpacked(unpacked.value, content) : fail(unpacked.failure) };
  };
  const read = (attachment: Attachment): MailReading['reports'][number] =>
    readOne(octets(attachment), {
      domain: domainOfName(attachment.filename ?? '') ?? mail.domain,
      quirks: declared.test(attachment.mimeType) ? [] : ['media-type-wrong'],
    });
  const named = namedReports(email);
  const reports = named.length > 0 ? named.slice(0, MAX_REPORTS).map(read) : email.attachments.map(read).filter((r) => r.parsed.ok);
  if (reports.length > 0) return { mail, reports: reports.slice(0, MAX_REPORTS) };
  const forwarded: MailReading['reports'][number][] = [];
  const inner = level < MAX_FORWARDED ? email.attachments.filter(isMailAttachment).slice(0, MAX_REPORTS) : [];
  for (const one of inner) forwarded.push(...(await readLevel(octets(one), dkim, open, level + 1)).reports.filter((r) => r.parsed.ok));
  if (forwarded.length > 0) return { mail, reports: forwarded.slice(0, MAX_REPORTS) };
  const inline = readOne(Buffer.from(email.text ?? ''), { domain: mail.domain, quirks: ['media-type-wrong'] });
  return { mail, reports: [inline.parsed.ok ? inline : none('report-missing', email.subject?.slice(0, 100))] };
}

/**
 * Opens what is in one mail, the mails in it included: all of it together yields what one report may, beside the octets of the mail, and as many reports may
 * fail to open as may be read.
 */
function opener(size: number, maxBytes = 10_000_000): Open {
  let left = maxBytes + size;
  let failures = 0;
  return (raw) => {
    if (failures === MAX_REPORTS) return fail(reportFailures.make('report-too-large', 'too many that cannot be opened'));
    const unpacked = unpackReport(raw, { maxBytes: Math.min(maxBytes, left) });
    if (unpacked.ok) left -= unpacked.value.bytes.length;
    else failures++;
    return unpacked;
  };
}

function none(code: 'report-missing' | 'report-too-complex', detail?: string): MailReading['reports'][number] {
  return { raw: new Uint8Array(), parsed: fail(reportFailures.make(code, detail)) };
}

function namedReports({ attachments }: Email): readonly Attachment[] {
  const typed = attachments.filter((a) => declared.test(a.mimeType));
  return typed.length > 0 ? typed : attachments.filter((a) => plausible.test(a.filename ?? ''));
}

function isMailAttachment({ mimeType, filename }: Attachment): boolean {
  return mimeType === 'message/rfc822' || /\.eml$/i.test(filename ?? '');
}

function octets({ content }: Attachment): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
}

function header(email: Email | undefined, name: string): string | undefined {
  return email?.headers
    .find((h) => h.key === name)
    ?.value.trim()
    .slice(0, 300);
}

function domainOf(address: string | undefined): string | undefined {
  const at = address?.lastIndexOf('@') ?? -1;
  return at < 0 ? undefined : address?.slice(at + 1).toLowerCase();
}
