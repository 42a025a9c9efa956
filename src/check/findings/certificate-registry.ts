import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  command,
  config,
  confirm,
  postfixStep,
  reloadPostfix,
  withDetail,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

/**
 * Warns the operator before the key changes: a new key without its TLSA record makes DANE
 * senders defer mail (RFC 7671 §8.1), which is worse than most certificate faults.
 */
const keepKey = (findingValues: FindingValues): FixStep =>
  confirm(
    `If ${findingValues.host} has TLSA records, keep its key (certbot: --reuse-key). ` +
      `To change the key, publish the new key's record two TTLs in advance.`,
  );

/**
 * The setting by which Postfix reads key and chain from the files that certbot maintains.
 */
const chainFiles = (folder: string): string =>
  `smtpd_tls_chain_files = /etc/letsencrypt/live/${folder}/privkey.pem, /etc/letsencrypt/live/${folder}/fullchain.pem`;

/**
 * The command that renews a certificate and keeps its key, so that records with usage 3
 * and selector 1 stay valid.
 */
const renew = command(
  'Renew it with the same key.',
  `certbot renew --reuse-key --deploy-hook 'systemctl reload postfix'`,
);

/** Steps to a certificate from a public CA, installed with its chain. */
const obtain = (findingValues: FindingValues): FixStep[] => [
  keepKey(findingValues),
  command(
    'Obtain a certificate.',
    `certbot certonly --standalone --reuse-key -d ${findingValues.host || 'mx.example.com'}`,
  ),
  postfixStep(chainFiles(findingValues.host)),
  reloadPostfix,
  checkAgain(findingValues),
];

/** Steps for a server with a good certificate and the wrong chain file. */
const sendFullChain = (findingValues: FindingValues): FixStep[] => [
  postfixStep(
    chainFiles(findingValues.host),
    'Set this parameter in /etc/postfix/main.cf (fullchain.pem holds the intermediates, cert.pem does not):',
  ),
  reloadPostfix,
  checkAgain(findingValues),
];

/**
 * Returns a sentence on the senders that refuse a certificate, and their alternative.
 * Only a policy in mode enforce or TLSA records make senders refuse a certificate;
 * opportunistic senders do not verify certificates.
 */
function refusal({ refusedBy, instead }: FindingValues): string {
  const refusing = [
    ...(refusedBy.includes('enforce') ? ['the MTA-STS policy'] : []),
    ...(refusedBy.includes('daneTa') ? ['the TLSA records'] : []),
  ];
  const senders =
    refusing.length > 0
      ? `Senders that apply ${refusing.join(' or ')} ${instead}`
      : 'With MTA-STS in mode enforce, senders defer the mail';
  return `${senders}; other senders deliver to any server.`;
}

const untrusted = (findingValues: FindingValues): string =>
  `A sender cannot distinguish this server from an impostor. ${refusal(findingValues)}`;

/**
 * Findings on the certificate that a host presents to senders with MTA-STS and, if TLSA
 * records of usage 2 exist, with DANE-TA.
 */
export const certificateFindings = {
  /**
   * Raised when the chain is one certificate signed by its own key. The severity is fail
   * only under a policy in mode enforce, since senders then defer. Under DANE-EE the
   * certificate is acceptable, because the record authenticates the key (RFC 7672
   * §3.1.1).
   */
  'cert-self-signed': {
    topic: 'certificate',
    title: 'The certificate is self-signed',
    passed: 'The certificate is not self-signed',
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Use a certificate from a public CA. A self-signed certificate is sufficient only with a DANE-EE record.',
    steps: obtain,
  },
  /**
   * Raised when a client without SNI gets a certificate that a sender with DANE or
   * MTA-STS refuses, although the sender accepts the certificate presented with SNI. Both
   * kinds of sender have to send SNI, so the severity is info for MTA-STS. For DANE the
   * severity is warn: the records should match the default certificate, which needs no
   * SNI (RFC 7672 §8.1).
   */
  'cert-depends-on-sni': {
    topic: 'certificate',
    title: 'Without SNI the server presents another certificate',
    why: ({ detail }) =>
      `${detail === '' ? 'The default certificate' : `The default certificate (${detail})`} does not verify for this host. Senders that verify certificates but send no server name defer the mail.`,
    reference: 'RFC 7672 §8.1, RFC 8461 §7.1',
    owner: 'mail-host',
    fix: 'Make the certificate of this host the default one, or publish TLSA records for the default key too.',
    steps: (findingValues) => [
      command(
        'See the default certificate.',
        `openssl s_client -starttls smtp -connect ${findingValues.ip || findingValues.host}:25 -noservername -showcerts`,
      ),
      postfixStep(
        chainFiles(findingValues.host || 'mx.example.com'),
        'Make it the default in /etc/postfix/main.cf:',
      ),
      reloadPostfix,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the chain ends at a CA outside the root stores and has no other fault.
   * The severity is that of a self-signed certificate, since senders treat both alike.
   */
  'cert-unknown-ca': {
    topic: 'certificate',
    title: 'The CA of the certificate is not publicly trusted',
    passed: 'The certificate chain leads to a public CA',
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Use a certificate from a public CA.',
    steps: obtain,
  },
  /**
   * Raised when a certificate of the chain violates another rule, such as a key usage or
   * a constraint, so that no trusted path exists. A new chain would not fix that
   * certificate. The reason names the certificate and the rule.
   */
  'cert-not-acceptable': {
    topic: 'certificate',
    title: 'The certificate chain breaks the rules for TLS servers',
    passed: 'Every certificate of the chain is acceptable for a TLS server',
    why: untrusted,
    reference: 'RFC 5280 §4.2, §6.1',
    owner: 'mail-host',
    fix: ({ advice, reason }) =>
      advice ?? `Obtain a certificate without this fault${reason ? `: ${reason}` : ''}.`,
    steps: obtain,
  },
  /**
   * Raised when the server's own certificate is within its dates and a certificate above
   * it is not. This finding is separate from `cert-expired`, because a renewal does not
   * help: the server has to send the CA's current intermediate.
   */
  'cert-chain-outdated': {
    topic: 'certificate',
    title: ({ detail }) => `A CA certificate of the chain ${detail || 'has expired'}`,
    passed: 'Every CA certificate of the chain is currently valid',
    why: untrusted,
    reference: 'RFC 5280 §4.1.2.5, §6.1.3',
    owner: 'mail-host',
    fix: 'Send the current intermediate certificate of the CA.',
    steps: sendFullChain,
  },
  /**
   * Raised when a path exists only with an intermediate that the server did not send.
   * Browsers fetch or cache intermediates, which hides the fault on the web. Mail servers
   * do neither.
   */
  'cert-chain-incomplete': {
    topic: 'certificate',
    title: ({ detail }) =>
      detail === ''
        ? 'The certificate chain ends before a known CA'
        : 'An intermediate certificate cannot be read',
    passed: 'The server sends the complete certificate chain',
    why: (findingValues) =>
      `Senders cannot link the certificate to its CA and treat it as untrusted. ${refusal(findingValues)}`,
    reference: 'RFC 9846 §4.5.1',
    owner: 'mail-host',
    fix: ({ detail }) =>
      `Send the complete chain: the certificate first, then its intermediates.${detail === '' ? ' If its CA is not public, obtain a certificate from a public one.' : ''}`,
    steps: sendFullChain,
  },
  /**
   * Raised when the date of the evidence is after notAfter. DANE-TA senders defer as
   * well, since usage 2 requires valid dates. DANE-EE senders ignore dates (RFC 7672
   * §3.1.1).
   */
  'cert-expired': {
    topic: 'certificate',
    title: (findingValues) =>
      `The certificate expired${findingValues.detail ? ` on ${findingValues.detail}` : ''}`,
    passed: 'The certificate has not expired',
    why: untrusted,
    reference: 'RFC 8461 §4.2, RFC 7672 §3.1.1',
    owner: 'mail-host',
    fix: 'Renew the certificate and reload the server. Automate both.',
    steps: (findingValues) => [
      keepKey(findingValues),
      renew,
      command(
        'Show the dates of the certificate that the server now presents.',
        `openssl s_client -starttls smtp -connect ${findingValues.host}:25 </dev/null | openssl x509 -noout -dates`,
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the date of the evidence is before notBefore: the clock of the issuer was
   * wrong, or the certificate was installed too early. Senders treat the certificate like
   * an expired one.
   */
  'cert-not-yet-valid': {
    topic: 'certificate',
    title: (findingValues) =>
      `The certificate is not valid before ${findingValues.detail || 'a later date'}`,
    passed: 'The certificate is already valid',
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Correct the clock of the issuing machine, or use the previous certificate until that date.',
    steps: (findingValues) => [
      command('Synchronise the clock.', 'timedatectl set-ntp true'),
      keepKey(findingValues),
      config('Install the previous certificate until the new one is valid.'),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when no dNSName matches the MX host. The common name is ignored (RFC 8461 §4.2
   * asks for subjectAltName). With DANE-EE the severity is info, because usage 3 ignores
   * names (RFC 7672 §3.1.1).
   */
  'cert-name-mismatch': {
    topic: 'certificate',
    title: (findingValues) =>
      findingValues.detail === ''
        ? 'The certificate has no DNS name in subjectAltName'
        : `The certificate does not name ${findingValues.host}`,
    passed: 'The certificate names the MX host',
    why: (findingValues) =>
      `${findingValues.detail ? `It names ${findingValues.detail}` : 'Its names identify no server to senders'}. ${refusal(findingValues)}`,
    reference: 'RFC 8461 §4.2, RFC 7672 §3.2.2',
    owner: 'mail-host',
    fix: (findingValues) => `Use a certificate that names ${findingValues.host}.`,
    steps: obtain,
  },
  /**
   * Raised when less than a sixth of the lifetime and less than the profile's number of
   * days remain. The severity is never fail: senders still accept the certificate, and
   * there is time for a renewal.
   */
  'cert-near-expiry': {
    topic: 'certificate',
    title: withDetail('The certificate expires soon'),
    passed: 'The certificate does not expire soon',
    why: 'Once it expires, senders with MTA-STS in mode enforce or with DANE-TA defer the mail. Automatic renewal is overdue.',
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Find out why the renewal failed, and make sure that the server reloads after it.',
    steps: (findingValues) => [
      command('Try the renewal.', 'certbot renew --dry-run'),
      keepKey(findingValues),
      renew,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the key of the server or of a CA above it is shorter than the profile's
   * lower limit: an attacker who breaks either key can impersonate this server. The
   * profile determines whether the finding is a warning or a failure, because the limits
   * of the guidelines differ.
   */
  'cert-weak-key': {
    topic: 'certificate',
    title: withDetail('A key of the certificate chain is weak'),
    passed: 'The keys of the certificate chain are strong enough',
    why: 'An attacker who computes the private key can impersonate this server to every sender.',
    reference: 'RFC 9325 §4.2',
    owner: 'mail-host',
    fix: ({ advice }) =>
      advice ?? 'Change to a new key: ECDSA P-256, or RSA with at least 2048 bits.',
    steps: (findingValues) => [
      confirm(
        `If ${findingValues.host} has TLSA records, publish the new key's record first and wait two TTLs.`,
      ),
      command(
        'Obtain a certificate with a new key.',
        `certbot certonly --standalone --key-type ecdsa --cert-name ${findingValues.host}-next -d ${findingValues.host}`,
      ),
      postfixStep(chainFiles(`${findingValues.host}-next`)),
      reloadPostfix,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the path relies on MD5 or SHA-1. An MTA-STS sender rejects the path like
   * an untrusted one, so the severity is fail in mode enforce. The signature on a trust
   * anchor is never checked, so its hash does not matter.
   */
  'cert-weak-signature': {
    topic: 'certificate',
    title: withDetail('The chain is signed with a broken hash'),
    passed: 'No certificate is signed with a broken hash',
    why: 'MD5 and SHA-1 signatures can be forged. Many senders no longer accept them.',
    reference: 'RFC 9155 §2',
    owner: 'mail-host',
    fix: 'Obtain a certificate signed with SHA-256 or better.',
    steps: obtain,
  },
} satisfies Record<string, FindingEntry>;
