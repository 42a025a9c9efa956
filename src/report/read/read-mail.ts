import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { fail, type Failure, type Result } from '../../base/index.js';
import { reportFailures, type ParsedReport } from '../../tls-rpt/index.js';
import { exceedsAnyReport } from '../mail-bounds.js';
import type { DkimVerdict, MailEnvelope } from '../types.js';
import { domainOfName, readContent } from './read-content.js';

export interface MailReading {
  readonly mail: MailEnvelope;
  readonly reports: readonly { readonly raw: Uint8Array; readonly parsed: Result<ParsedReport, Failure> }[];
}

const MAX_REPORTS = 10;
const limits = { maxNestingDepth: 20, maxHeadersSize: 256 * 1024, forceRfc822Attachments: true };
const declared = /^application\/tlsrpt(\+(json|gzip|zip|x-gzip))?$/i;
const plausible = /\.(json|gz|zip)$/i;

/**
 * The reports in a mail (RFC 8460 §5.3) [8460-5.3-2]: attachments of the RFC's media types [8460-5.3-1], else by name, else whatever holds a report, in
 * forwarded mails too. Subject and names are not looked at: the JSON counts [8460-5.6-1]. A mail without one gives a single refusal.
 */
export async function readMail(bytes: Uint8Array, dkim: DkimVerdict, maxBytes?: number): Promise<MailReading> {
  const email = exceedsAnyReport(bytes) ? undefined : await PostalMime.parse(bytes, limits).catch(() => undefined);
  const mail: MailEnvelope = {
    from: domainOf(email?.from?.address),
    submitter: header(email, 'tls-report-submitter'),
    domain: header(email, 'tls-report-domain'),
    messageId: email?.messageId?.slice(0, 500),
    dkim,
  };
  if (!email) return { mail, reports: [none('report-too-complex')] };
  const reports = candidates(email).map((attachment) => {
    const raw = octets(attachment);
    const domain = domainOfName(attachment.filename ?? '') ?? mail.domain;
    const quirks = declared.test(attachment.mimeType) ? [] : (['media-type-wrong'] as const);
    return { raw, parsed: readContent(raw, { ...(maxBytes === undefined ? {} : { maxBytes }), domain, quirks }) };
  });
  if (reports.length > 0) return { mail, reports };
  const forwarded: MailReading['reports'][number][] = [];
  for (const inner of email.attachments.filter(isMailAttachment).slice(0, MAX_REPORTS))
    forwarded.push(...(await readMail(octets(inner), dkim, maxBytes)).reports.filter((r) => r.parsed.ok));
  if (forwarded.length > 0) return { mail, reports: forwarded.slice(0, MAX_REPORTS) };
  const inline = Buffer.from(email.text ?? '');
  const parsed = readContent(inline, { domain: mail.domain, quirks: ['media-type-wrong'] });
  return { mail, reports: [parsed.ok ? { raw: inline, parsed } : none('report-missing', email.subject?.slice(0, 100))] };
}

function none(code: 'report-missing' | 'report-too-complex', detail?: string): MailReading['reports'][number] {
  return { raw: new Uint8Array(), parsed: fail(reportFailures.make(code, detail)) };
}

function candidates({ attachments }: Email): readonly Attachment[] {
  const typed = attachments.filter((a) => declared.test(a.mimeType));
  const named = attachments.filter((a) => plausible.test(a.filename ?? ''));
  const some = typed.length > 0 ? typed : named.length > 0 ? named : attachments.filter((a) => readContent(octets(a)).ok);
  return some.slice(0, MAX_REPORTS);
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
