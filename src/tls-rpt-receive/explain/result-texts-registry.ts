import type { ResultType } from '../../tls-rpt/index.js';
import { NOT_DESCRIBED } from './facts.js';
import type { FailureGroup } from './group-failures.js';

/**
 * The names that advice may contain: the requested domain, and an MX host that a check of
 * the domain found. Advice never contains a host that only a report names.
 */
export interface Target {
  readonly domain: string;
  /** MX host by a check of the domain. */
  readonly host: string | undefined;
}

/** The sentence and the steps for one result type. */
export interface ResultText {
  /** The failure in one sentence. */
  readonly says: (group: FailureGroup) => string;
  /**
   * Steps when the cause is on the domain's side. None makes mail travel in plaintext or
   * lost.
   */
  readonly fix: (target: Target) => readonly string[];
}

const reported = ({ mx, domain }: FailureGroup): string => mx || `a mail host of ${domain}`;
const hostOf = ({ host }: Target): string => host ?? 'the mail host';
/** In a command: the name, or a word to replace. */
const nameOf = ({ host }: Target): string => host ?? 'MAIL-HOST';
const policyHost = (domain: string): string => `mta-sts.${domain}`;
const renew = (t: Target): readonly string[] => [
  `Renew the certificate of ${hostOf(t)}, with the name of the host in it, from a public CA: certbot certonly --reuse-key -d ${nameOf(t)}`,
  'Reload the mail server so that it uses the new one: systemctl reload postfix',
  'Automate both: a deploy hook of certbot that reloads the server.',
];

/** Every result type of RFC 8460 §4.3, and failures without one. */
export const resultTexts: Readonly<Record<ResultType | typeof NOT_DESCRIBED, ResultText>> = {
  'starttls-not-supported': {
    says: (g) => `${reported(g)} did not offer STARTTLS to these senders.`,
    fix: (t) => [
      `Look at what ${hostOf(t)} offers from outside: hermetic check ${t.domain} --transcript`,
      'If STARTTLS is missing there, enable it: postconf -e smtpd_tls_security_level=may (and a certificate in smtpd_tls_chain_files).',
      'If a firewall inspects SMTP ("fixup", "SMTP inspection"), disable that: it deletes the word STARTTLS.',
    ],
  },
  'certificate-host-mismatch': {
    says: (g) => `The certificate of ${reported(g)} is for another name.`,
    fix: (t) => [
      `Give ${hostOf(t)} a certificate that holds its exact name: certbot certonly --reuse-key -d ${nameOf(t)}`,
      'Reload the mail server so that it uses the new one.',
      'If the MX record points to an alias of a provider, use the name that the provider documents.',
    ],
  },
  'certificate-expired': {
    says: (g) => `The certificate of ${reported(g)} has expired.`,
    fix: renew,
  },
  'certificate-not-trusted': {
    says: (g) =>
      `The certificate of ${reported(g)} does not lead to a CA that these senders trust.`,
    fix: (t) => [
      `Let ${hostOf(t)} send the whole chain, certificate and intermediates (fullchain.pem, not cert.pem).`,
      'If the certificate is self-signed or of a private CA, get one of a public CA.',
      'Reload the mail server.',
    ],
  },
  'validation-failure': {
    says: (g) =>
      `These senders could not validate ${reported(g)}${g.reasons[0] ? `, and give as the reason "${g.reasons[0]}"` : ', and give no reason'}.`,
    fix: (t) => [
      `Compare the MTA-STS policy at https://${policyHost(t.domain)}/.well-known/mta-sts.txt with the MX records: every MX host needs an mx: line that names it.`,
      `Check the rest: hermetic check ${t.domain}`,
    ],
  },
  'tlsa-invalid': {
    says: (g) =>
      `No TLSA record of ${reported(g)} matches its certificate, or all records are unusable.`,
    fix: tlsaSteps,
  },
  'dnssec-invalid': {
    says: (g) => `The DNS answers for ${reported(g)} failed DNSSEC validation.`,
    fix: (t) => [
      `Find the broken link of the chain: hermetic dnssec _25._tcp.${nameOf(t)} TLSA`,
      'Sign the zone again if signatures have expired; correct the DS record at the registrar if it names an old key.',
    ],
  },
  'dane-required': {
    says: (g) => `These senders require DANE for ${reported(g)}, and found no usable TLSA record.`,
    fix: (t) => [
      `Publish TLSA records for ${hostOf(t)} in a signed zone, or agree with the sender that MTA-STS is enough.`,
    ],
  },
  'sts-policy-fetch-error': {
    says: (g) => `The MTA-STS policy at ${policyHost(g.domain)} could not be fetched.`,
    fix: (t) => [
      `Open https://${policyHost(t.domain)}/.well-known/mta-sts.txt from outside: it must answer 200 with text/plain, without a redirect, within seconds.`,
      'Let the web server answer every sender: no blocking by country, robot filter or rate limit on this path.',
    ],
  },
  'sts-policy-invalid': {
    says: (g) => `The MTA-STS policy at ${policyHost(g.domain)} does not follow the grammar.`,
    fix: (t) => [
      `Find the faulty line: hermetic check ${t.domain}`,
      'Write it as: version: STSv1, mode, one mx: line for each MX host, max_age; each on a line of its own.',
      `Then change the id in the TXT record at _mta-sts.${t.domain}, so that senders fetch it again.`,
    ],
  },
  'sts-webpki-invalid': {
    says: (g) => `The certificate of the web server ${policyHost(g.domain)} is not valid.`,
    fix: (t) => [
      `Renew it, for exactly this name, from a public CA: certbot certonly --webroot -w /var/www/mta-sts -d ${policyHost(t.domain)}`,
      'Reload the web server.',
    ],
  },
  [NOT_DESCRIBED]: {
    says: (g) =>
      `The summary counts failed sessions under ${policyName(g.type)} that are not described by the reporter.`,
    fix: (t) => [
      `Check the domain: hermetic check ${t.domain}`,
      'Ask the contact in the reports for the result types and reasons of these sessions.',
    ],
  },
};

/** For types that were added later, or made up. */
export const unknownResult: ResultText = {
  says: (g) => `These senders report "${g.result}" at ${reported(g)}, an unknown result type.`,
  fix: (t) => [
    `Check the domain: hermetic check ${t.domain}`,
    'Ask the reporter what the type means.',
  ],
};

/**
 * Returns the texts of a result type; with DANE those of TLSA under any type that the
 * sender chose.
 */
export function textOf({ result, type }: FailureGroup): ResultText {
  const text = (resultTexts as Readonly<Record<string, ResultText>>)[result] ?? unknownResult;
  const certificate = result.startsWith('certificate-') || result === 'validation-failure';
  return type === 'tlsa' && certificate ? { says: text.says, fix: tlsaSteps } : text;
}

function tlsaSteps(t: Target): readonly string[] {
  return [
    `Publish a TLSA record of the certificate in use next to the old ones; hermetic check ${t.domain} prints it.`,
    'Wait two TTLs before you remove an old record.',
    'From then on, publish the next key first and change the certificate later.',
  ];
}

/** A policy type in words. */
export function policyName(type: string): string {
  const known: Readonly<Record<string, string>> = { sts: 'MTA-STS', tlsa: 'DANE' };
  return known[type] ?? (type === 'no-policy-found' ? 'no policy' : type);
}
