import { gzipSync } from 'node:zlib';
import nodemailer from 'nodemailer';
import { parseRecord, type DnsAnswer, type Resolver } from '../../../src/dns/index.js';
import { newKeyPair, type Name } from '../../../src/base/index.js';

const { privateKey, publicKey } = newKeyPair({ type: 'rsa', modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
/** The text of the TXT record of the signing key. */
export const keyText = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;

/**
 * Returns a resolver with the DKIM keys of some domains. For all other names the resolver
 * answers that they do not exist, or returns an error.
 */
export function keyResolver(
  domains: readonly string[],
  others: 'nxdomain' | 'failed' = 'nxdomain',
  text = keyText,
): Resolver {
  const strings = (text.match(/.{1,200}/g) ?? []).map((part) => `"${part}"`).join(' ');
  const rr = parseRecord(`s1._domainkey.example. 300 IN TXT ${strings}`);
  return {
    health: () => ({ upstreams: [] }),
    async ask(name: Name, type: number): Promise<DnsAnswer> {
      const known = domains.some((domain) => name.toLower() === `s1._domainkey.${domain}`);
      return {
        question: { name, type },
        status: known ? 'found' : others,
        dnssec: known || others === 'nxdomain' ? 'insecure' : 'indeterminate',
        records: known && rr.ok ? [rr.value] : [],
        canonicalName: name,
        aliases: [],
        ttl: 300,
      };
    },
  };
}

export interface MailParts {
  readonly report: string;
  /** The signing domain; undefined: the mail is unsigned. */
  readonly signer?: string;
  readonly from?: string;
  readonly submitter?: string;
  readonly to?: string;
}

/** Returns a report mail in the form of RFC 8460 §5.3. */
export async function reportMail({
  report,
  signer,
  from = 'tlsrpt@sender.example',
  submitter = 'sender.example',
  to = 'tlsrpt@rcpt.example',
}: MailParts): Promise<Buffer> {
  const transport = nodemailer.createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    ...(signer === undefined
      ? {}
      : { dkim: { domainName: signer, keySelector: 's1', privateKey: pem } }),
  });
  const { message } = await transport.sendMail({
    from,
    to,
    subject: `Report Domain: rcpt.example Submitter: ${submitter} Report-ID: <1@${submitter}>`,
    headers: { 'TLS-Report-Domain': 'rcpt.example', 'TLS-Report-Submitter': submitter },
    text: 'This is an aggregate TLS report.',
    attachments: [
      {
        filename: `${submitter}!rcpt.example!1777852800!1777939199.json.gz`,
        contentType: 'application/tlsrpt+gzip',
        content: gzipSync(report),
      },
    ],
  });
  return message as Buffer;
}

/**
 * Signs a message unchanged. `fields` are the header fields that the signature covers.
 */
export async function signMail(
  mail: string | Buffer,
  signer: string,
  fields = 'from:to:subject:content-type:mime-version',
): Promise<Buffer> {
  const transport = nodemailer.createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    dkim: { domainName: signer, keySelector: 's1', privateKey: pem, headerFieldNames: fields },
  });
  const envelope = { from: 'a@sender.example', to: ['tlsrpt@rcpt.example'] };
  const { message } = await transport.sendMail({ raw: mail, envelope });
  return message as Buffer;
}

/** Returns the JSON of a report about rcpt.example, with the given sessions. */
export function reportJson(
  ok: number,
  failed: number,
  id = '1',
  day = '2026-05-04',
  domain = 'rcpt.example',
  contact = 'tlsrpt@sender.example',
): string {
  return JSON.stringify({
    'organization-name': 'Sender Example',
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': contact,
    'report-id': id,
    policies: [
      {
        policy: {
          'policy-type': 'sts',
          'policy-string': [
            'version: STSv1',
            'mode: enforce',
            'mx: mx1.rcpt.example',
            'max_age: 604800',
          ],
          'policy-domain': domain,
          'mx-host': ['mx1.rcpt.example'],
        },
        summary: { 'total-successful-session-count': ok, 'total-failure-session-count': failed },
        ...(failed > 0
          ? {
              'failure-details': [
                {
                  'result-type': 'certificate-expired',
                  'sending-mta-ip': '192.0.2.25',
                  'receiving-mx-hostname': 'mx1.rcpt.example',
                  'receiving-ip': '198.51.100.5',
                  'failed-session-count': failed,
                },
              ],
            }
          : {}),
      },
    ],
  });
}
