import type { KeyObject } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { dkimSign } from 'mailauth/lib/dkim/sign.js';
import type MimeNode from 'nodemailer/lib/mime-node/index.js';
import { HermeticError } from '../base/index.js';
import { reportFileName, reportSubject, type TlsReport } from '../tls-rpt/index.js';
import { submitterOf, type Reporter } from './build-report.js';

/**
 * The key that signs report mail (RFC 6376). The domain of the key has to be the
 * reporter's domain or one of its parent domains.
 */
export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: KeyObject;
}

/** The parts of one report mail. */
export interface ReportMail {
  readonly reporter: Reporter;
  readonly report: TlsReport;
  /** The built report as JSON text. */
  readonly body: string;
  readonly policyDomain: string;
  readonly to: string;
  readonly dkim: DkimKey;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const signedFields =
  'From:To:Subject:Date:Message-ID:MIME-Version:Content-Type:TLS-Report-Domain:TLS-Report-Submitter:TLS-Required';

interface MailLibraries {
  readonly Node: typeof MimeNode;
  readonly sign: typeof dkimSign;
}

/**
 * The libraries need eight mebibytes of memory, so they are loaded when the first report
 * is composed.
 */
let libraries: Promise<MailLibraries> | undefined;

async function loadLibraries(): Promise<MailLibraries> {
  const [mime, dkim] = await Promise.all([
    import('nodemailer/lib/mime-node/index.js'),
    import('mailauth/lib/dkim/sign.js'),
  ]);
  return { Node: mime.default, sign: dkim.dkimSign };
}

/**
 * Composes and signs a report as mail (RFC 8460 §5.3): multipart/report with a
 * human-readable part [8460-5.3-1], TLS-Report-Domain and -Submitter [8460-5.3-3] covered
 * by the DKIM signature [8460-5.3-5, 8460-3-15]. `TLS-Required: No` asks the servers to
 * deliver the mail despite TLS failures (RFC 8689 §5) [8460-3-19]. Without this field,
 * the reported failure could also prevent the delivery of the report.
 */
export async function composeReportMail(reportMail: ReportMail): Promise<Buffer> {
  const { reporter, report, body, policyDomain, to, dkim, at } = reportMail;
  const names = { submitter: submitterOf(reporter), policyDomain };
  const { Node, sign } = await (libraries ??= loadLibraries());
  const mimeNode = new Node('multipart/report; report-type=tlsrpt', {
    newline: 'win',
    normalizeHeaderKey: (policyKey) => policyKey.replace(/^Tls-/, 'TLS-'),
  });
  mimeNode.setHeader([
    { key: 'From', value: reporter.contact },
    { key: 'To', value: to },
    { key: 'Subject', value: reportSubject(report, names) },
    { key: 'Date', value: new Date(at).toUTCString().replace('GMT', '+0000') },
    { key: 'Message-ID', value: `<${report.reportId ?? ''}>` },
    { key: 'Auto-Submitted', value: 'auto-generated' },
    { key: 'TLS-Required', value: 'No' },
    { key: 'TLS-Report-Domain', value: policyDomain },
    { key: 'TLS-Report-Submitter', value: names.submitter },
  ]);
  mimeNode.createChild('text/plain; charset=utf-8').setContent(forPeople(reportMail));
  mimeNode
    .createChild('application/tlsrpt+gzip', { filename: reportFileName(report, names) })
    .setHeader('Content-Transfer-Encoding', 'base64')
    .setContent(gzipSync(body));
  const composed = await mimeNode.build();
  const key = dkim.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const signed = await sign(composed, {
    canonicalization: 'relaxed/relaxed',
    signTime: new Date(at),
    headerList: signedFields,
    // The types of the library require the same members outside `signatureData`, and a
    // list of fields. The library reads neither of these.
    signatureData: [{ signingDomain: dkim.domain, selector: dkim.selector, privateKey: key }],
  } as unknown as Parameters<typeof dkimSign>[1]);
  if (signed.errors.length > 0)
    throw new HermeticError('reporting-dkim', `${dkim.domain}: the report could not be signed`, {
      cause: signed.errors,
    });
  return Buffer.concat([Buffer.from(signed.signatures), composed]);
}

function forPeople({ reporter, report, policyDomain }: ReportMail): string {
  const { policies } = report;
  const ok = policies.reduce(
    (sum, reportedPolicy) => sum + reportedPolicy.totalSuccessfulSessionCount,
    0,
  );
  const failed = policies.reduce(
    (sum, reportedPolicy) => sum + reportedPolicy.totalFailureSessionCount,
    0,
  );
  return [
    `TLS results of mail from ${reporter.organization} to ${policyDomain} on ${report.startDatetime?.slice(0, 10) ?? ''} (UTC):`,
    `${ok} sessions satisfied the policy, ${failed} failed.`,
    '',
    'The details are in the attachment (RFC 8460). You receive this because a TXT record at',
    `_smtp._tls.${policyDomain} asks for it. Questions: ${reporter.contact}`,
    '',
  ].join('\n');
}
