import type { ResultType } from '../../tls-rpt/index.js';
import type { FailureGroup } from './group-failures.js';

export interface ResultText {
  /** What happened, one sentence. */
  readonly says: (group: FailureGroup) => string;
  /** What to do when it is one's own fault, in order. Nothing here makes mail travel in clear or be lost. */
  readonly fix: (group: FailureGroup) => readonly string[];
  /** Findings of `hermetic check` that show the same fault. */
  readonly findings: readonly string[];
  /** Somebody on the path can cause it for some senders. */
  readonly byAttack?: true;
}

const host = ({ mx, domain }: FailureGroup): string => mx || `a mail host of ${domain}`;
const policyHost = ({ domain }: FailureGroup): string => `mta-sts.${domain}`;
const renew = (group: FailureGroup): readonly string[] => [
  `Renew the certificate of ${host(group)}, with the host's name in it, from a public CA: certbot certonly --reuse-key -d ${host(group)}`,
  'Reload the mail server so that it shows the new one: systemctl reload postfix',
  'Let both happen by themselves: a deploy hook of certbot that reloads the server.',
];

/** Every result type of RFC 8460 §4.3, for people. */
export const resultTexts: Readonly<Record<ResultType, ResultText>> = {
  'starttls-not-supported': {
    says: (g) => `${host(g)} did not offer STARTTLS to these senders.`,
    fix: (g) => [
      `Look at what ${host(g)} offers from outside: hermetic check ${g.domain} --transcript`,
      'If STARTTLS is missing there, switch it on: postconf -e smtpd_tls_security_level=may (and a certificate in smtpd_tls_chain_files).',
      'If a firewall inspects SMTP ("fixup", "SMTP inspection"), switch that off: it deletes the word STARTTLS.',
    ],
    findings: [
      'starttls-absent',
      'starttls-mangled',
      'starttls-refused',
      'starttls-promised',
      'starttls-differs',
    ],
    byAttack: true,
  },
  'certificate-host-mismatch': {
    says: (g) => `The certificate that ${host(g)} showed is for another name.`,
    fix: (g) => [
      `Give ${host(g)} a certificate that holds this very name: certbot certonly --reuse-key -d ${host(g)}`,
      'Reload the mail server so that it shows the new one.',
      'If the MX record points to an alias of a provider, let it point to the name the provider names in its documentation.',
    ],
    findings: ['cert-name-mismatch'],
    byAttack: true,
  },
  'certificate-expired': {
    says: (g) => `The certificate that ${host(g)} shows has expired.`,
    fix: renew,
    findings: ['cert-expired', 'cert-not-yet-valid'],
  },
  'certificate-not-trusted': {
    says: (g) =>
      `The certificate that ${host(g)} showed does not lead to a CA that these senders trust.`,
    fix: (g) => [
      `Let ${host(g)} send the whole chain, certificate and intermediates (fullchain.pem, not cert.pem).`,
      'If the certificate is self-signed or of a private CA, get one of a public CA.',
      'Reload the mail server.',
    ],
    findings: ['cert-self-signed', 'cert-unknown-ca', 'cert-chain-incomplete'],
    byAttack: true,
  },
  'validation-failure': {
    says: (g) =>
      `These senders could not validate ${host(g)}, and say no more precisely why${g.reasons[0] ? ` than "${g.reasons[0]}"` : ''}.`,
    fix: (g) => [
      `Compare the MTA-STS policy at https://${policyHost(g)}/.well-known/mta-sts.txt with the MX records: every MX host needs an mx: line that names it.`,
      `Check the rest: hermetic check ${g.domain}`,
    ],
    findings: [
      'sts-mx-mismatch',
      'sts-no-mx-matches',
      'cert-name-mismatch',
      'cert-expired',
      'tls-handshake-failed',
    ],
    byAttack: true,
  },
  'tlsa-invalid': {
    says: (g) =>
      `No TLSA record of ${host(g)} matches the certificate it showed, or none can be used.`,
    fix: (g) => [
      `Add the record of the certificate in use beside the old ones; hermetic check ${g.domain} prints it.`,
      'Wait two TTLs before an old record is removed.',
      'From now on: publish the next key first, and change the certificate later.',
    ],
    findings: ['dane-mismatch', 'dane-partial', 'dane-unusable'],
    byAttack: true,
  },
  'dnssec-invalid': {
    says: (g) => `The DNS answers for ${host(g)} failed DNSSEC validation.`,
    fix: (g) => [
      `See where the chain breaks: hermetic dnssec _25._tcp.${host(g)} TLSA`,
      'Sign the zone anew if signatures have expired; correct the DS record at the registrar if it names an old key.',
    ],
    findings: ['dnssec-bogus', 'dane-bogus'],
    byAttack: true,
  },
  'dane-required': {
    says: (g) => `These senders require DANE for ${host(g)}, and found no usable TLSA record.`,
    fix: (g) => [
      `Publish TLSA records for ${host(g)} in a signed zone, or agree with the sender that MTA-STS is enough.`,
    ],
    findings: ['dane-unusable', 'dane-inert', 'dane-bogus'],
  },
  'sts-policy-fetch-error': {
    says: (g) => `The MTA-STS policy at ${policyHost(g)} could not be fetched.`,
    fix: (g) => [
      `Open https://${policyHost(g)}/.well-known/mta-sts.txt from outside: it must answer 200 with text/plain, without a redirect, within seconds.`,
      'Let the web server answer every sender: no blocking by country, robot filter or rate limit on this path.',
    ],
    findings: ['sts-policy-unreachable', 'sts-policy-redirect', 'sts-policy-wrong-type'],
    byAttack: true,
  },
  'sts-policy-invalid': {
    says: (g) => `The MTA-STS policy at ${policyHost(g)} does not follow the grammar.`,
    fix: (g) => [
      `See which line: hermetic check ${g.domain}`,
      'Write it as: version: STSv1, mode, one mx: line for each MX host, max_age; one of them a line.',
      'Then change the id in the TXT record at _mta-sts, so that senders fetch it anew.',
    ],
    findings: ['sts-policy-invalid', 'sts-record-invalid', 'sts-record-multiple'],
  },
  'sts-webpki-invalid': {
    says: (g) => `The certificate of the web server ${policyHost(g)} does not hold.`,
    fix: (g) => [
      `Renew it, for exactly this name, from a public CA: certbot certonly --webroot -w /var/www/mta-sts -d ${policyHost(g)}`,
      'Reload the web server.',
    ],
    findings: ['sts-policy-webpki-invalid'],
    byAttack: true,
  },
};

/** For types that were added later, or made up. */
export const unknownResult: ResultText = {
  says: (g) =>
    `These senders report "${g.result}" at ${host(g)}, which is no result type known here.`,
  fix: (g) => [`Check the domain: hermetic check ${g.domain}`, 'Ask the reporter what it means.'],
  findings: [],
};
