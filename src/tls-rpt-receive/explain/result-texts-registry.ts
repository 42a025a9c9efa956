import type { ResultType } from '../../tls-rpt/index.js';
import { NOT_DESCRIBED } from './facts.js';
import type { FailureGroup } from './group-failures.js';

/**
 * The names that advice may contain: the requested domain, and an MX host that a check of
 * the domain found. Advice must not contain a host that only a report names.
 */
export interface FailureTarget {
  readonly domain: string;
  /**
   * The MX host that a check of the domain found; undefined if no check found the host.
   */
  readonly host: string | undefined;
}

/** The text about failures of one result type, and the steps that fix them. */
export interface ResultText {
  /** Returns one sentence that describes the failure. */
  readonly says: (failureGroup: FailureGroup) => string;
  /**
   * Returns the steps for a cause on the side of the domain. No step loses mail or causes
   * delivery in plaintext.
   */
  readonly fix: (target: FailureTarget) => readonly string[];
}

const reported = ({ mx, domain }: FailureGroup): string => mx || `a mail host of ${domain}`;
const hostOf = ({ host }: FailureTarget): string => host ?? 'the mail host';
/**
 * Returns the name of the host for a command, or a word that the operator must replace.
 */
const nameOf = ({ host }: FailureTarget): string => host ?? 'MAIL-HOST';
const policyHost = (domainName: string): string => `mta-sts.${domainName}`;
const renew = (target: FailureTarget): readonly string[] => [
  `Renew the certificate of ${hostOf(target)}, with the name of the host in it, from a public CA: certbot certonly --reuse-key -d ${nameOf(target)}`,
  'Reload the mail server so that it uses the new certificate: systemctl reload postfix',
  'Automate both steps with a deploy hook of certbot that reloads the server.',
];

/**
 * The texts for every result type of RFC 8460 §4.3, and for failures without a result
 * type.
 */
export const resultTexts: Readonly<Record<ResultType | typeof NOT_DESCRIBED, ResultText>> = {
  'starttls-not-supported': {
    says: (failureGroup) => `${reported(failureGroup)} did not offer STARTTLS to these senders.`,
    fix: (target) => [
      `Check what ${hostOf(target)} offers from outside: hermetic check ${target.domain} --transcript`,
      'If STARTTLS is missing, enable it: postconf -e smtpd_tls_security_level=may (and a certificate in smtpd_tls_chain_files).',
      'If a firewall inspects SMTP ("fixup", "SMTP inspection"), disable the inspection: it deletes the word STARTTLS.',
    ],
  },
  'certificate-host-mismatch': {
    says: (failureGroup) => `The certificate of ${reported(failureGroup)} is for another name.`,
    fix: (target) => [
      `Give ${hostOf(target)} a certificate that contains its exact name: certbot certonly --reuse-key -d ${nameOf(target)}`,
      'Reload the mail server so that it uses the new certificate.',
      'If the MX record points to an alias of a provider, use the name that the provider documents.',
    ],
  },
  'certificate-expired': {
    says: (failureGroup) => `The certificate of ${reported(failureGroup)} has expired.`,
    fix: renew,
  },
  'certificate-not-trusted': {
    says: (failureGroup) =>
      `The certificate of ${reported(failureGroup)} does not lead to a CA that these senders trust.`,
    fix: (target) => [
      `Configure ${hostOf(target)} to send the complete chain, certificate and intermediates (fullchain.pem, not cert.pem).`,
      'If the certificate is self-signed or from a private CA, get one from a public CA.',
      'Reload the mail server.',
    ],
  },
  'validation-failure': {
    says: (failureGroup) =>
      `These senders could not validate ${reported(failureGroup)}${failureGroup.reasons[0] ? `, and give as the reason "${failureGroup.reasons[0]}"` : ', and give no reason'}.`,
    fix: (target) => [
      `Compare the MTA-STS policy at https://${policyHost(target.domain)}/.well-known/mta-sts.txt with the MX records: every MX host needs an mx: line that names it.`,
      `Check the other parts: hermetic check ${target.domain}`,
    ],
  },
  'tlsa-invalid': {
    says: (failureGroup) =>
      `No TLSA record of ${reported(failureGroup)} matches its certificate, or all records are unusable.`,
    fix: tlsaSteps,
  },
  'dnssec-invalid': {
    says: (failureGroup) =>
      `The DNS answers for ${reported(failureGroup)} failed DNSSEC validation.`,
    fix: (target) => [
      `Find the broken link of the chain: hermetic dnssec _25._tcp.${nameOf(target)} TLSA`,
      'Sign the zone again if signatures have expired; correct the DS record at the registrar if it names an old key.',
    ],
  },
  'dane-required': {
    says: (failureGroup) =>
      `These senders require DANE for ${reported(failureGroup)}, and found no usable TLSA record.`,
    fix: (target) => [
      `Publish TLSA records for ${hostOf(target)} in a signed zone, or agree with the sender that MTA-STS is enough.`,
    ],
  },
  'sts-policy-fetch-error': {
    says: (failureGroup) =>
      `The MTA-STS policy at ${policyHost(failureGroup.domain)} could not be fetched by these senders.`,
    fix: (target) => [
      `Open https://${policyHost(target.domain)}/.well-known/mta-sts.txt from outside: it must return 200 with text/plain, without a redirect, within seconds.`,
      'Configure the web server to answer every sender: no blocking by country, robot filter or rate limit on this path.',
    ],
  },
  'sts-policy-invalid': {
    says: (failureGroup) =>
      `The MTA-STS policy at ${policyHost(failureGroup.domain)} does not follow the grammar.`,
    fix: (target) => [
      `Find the faulty line: hermetic check ${target.domain}`,
      'Write each field on a line of its own: version: STSv1, mode, one mx for each MX host, and max_age.',
      `Then change the id in the TXT record at _mta-sts.${target.domain}, so that senders fetch the policy again.`,
    ],
  },
  'sts-webpki-invalid': {
    says: (failureGroup) =>
      `The certificate of the web server ${policyHost(failureGroup.domain)} is not valid.`,
    fix: (target) => [
      `Renew the certificate for exactly this name from a public CA: certbot certonly --webroot -w /var/www/mta-sts -d ${policyHost(target.domain)}`,
      'Reload the web server.',
    ],
  },
  [NOT_DESCRIBED]: {
    says: (failureGroup) =>
      `The reporter counts failed sessions under ${policyName(failureGroup.type)} without describing them.`,
    fix: (target) => [
      `Check the domain: hermetic check ${target.domain}`,
      'Ask the contact in the reports for the result types and reasons of these sessions.',
    ],
  },
};

/**
 * The texts for a result type that is newer than this table, or that a reporter invented.
 */
export const unknownResult: ResultText = {
  says: (failureGroup) =>
    `These senders report "${failureGroup.result}" at ${reported(failureGroup)}, an unknown result type.`,
  fix: (target) => [
    `Check the domain: hermetic check ${target.domain}`,
    'Ask the reporter what the type means.',
  ],
};

/**
 * Returns the texts of a result type. With DANE, the steps for every certificate failure
 * are about TLSA records.
 */
export function textOf({ result, type }: FailureGroup): ResultText {
  const resultText = (resultTexts as Readonly<Record<string, ResultText>>)[result] ?? unknownResult;
  const certificate = result.startsWith('certificate-') || result === 'validation-failure';
  return type === 'tlsa' && certificate ? { says: resultText.says, fix: tlsaSteps } : resultText;
}

function tlsaSteps(target: FailureTarget): readonly string[] {
  return [
    `Publish a TLSA record of the certificate in use next to the old ones; hermetic check ${target.domain} prints it.`,
    'Wait two TTLs before you remove an old record.',
    'From then on, publish the next key first and change the certificate later.',
  ];
}

/** Returns the name of a policy type for the operator, such as `MTA-STS`. */
export function policyName(type: string): string {
  const known: Readonly<Record<string, string>> = { sts: 'MTA-STS', tlsa: 'DANE' };
  return known[type] ?? (type === 'no-policy-found' ? 'no policy' : type);
}
