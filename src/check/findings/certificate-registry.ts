import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  command,
  config,
  confirm,
  postfix,
  reloadPostfix,
  withDetail,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

const keepKey = (v: FindingValues): FixStep =>
  confirm(
    `If ${v.host} has TLSA records, keep its key (certbot: --reuse-key). ` +
      `To change the key, publish the new key's record two TTLs before.`,
  );

/** Postfix reads key and chain from the files that certbot maintains. */
const chainFiles = (folder: string): string =>
  `smtpd_tls_chain_files = /etc/letsencrypt/live/${folder}/privkey.pem, /etc/letsencrypt/live/${folder}/fullchain.pem`;

const renew = command(
  'Renew it with the same key.',
  `certbot renew --reuse-key --deploy-hook 'systemctl reload postfix'`,
);

const obtain = (v: FindingValues): FixStep[] => [
  keepKey(v),
  command(
    'Obtain a certificate.',
    `certbot certonly --standalone --reuse-key -d ${v.host || 'mx.example.com'}`,
  ),
  postfix(chainFiles(v.host)),
  reloadPostfix,
  checkAgain(v),
];

const sendFullChain = (v: FindingValues): FixStep[] => [
  postfix(
    chainFiles(v.host),
    'Set in /etc/postfix/main.cf (fullchain.pem holds the intermediates, cert.pem does not):',
  ),
  reloadPostfix,
  checkAgain(v),
];

const untrusted =
  'A sender cannot tell this server from an impostor. With MTA-STS in mode enforce, senders defer the mail; other senders deliver to any server.';

/**
 * The certificate a host shows, judged for senders with MTA-STS and, where it applies,
 * for DANE-TA.
 */
export const certificateFindings = {
  'cert-self-signed': {
    topic: 'certificate',
    title: 'The certificate is self-signed',
    passed: 'The certificate is not self-signed',
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Use a certificate of a public CA. A self-signed certificate is sufficient only with a DANE-EE record.',
    steps: obtain,
  },
  'cert-unknown-ca': {
    topic: 'certificate',
    title: 'The CA of the certificate is not publicly trusted',
    passed: 'The certificate chain leads to a public CA',
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Use a certificate of a public CA.',
    steps: obtain,
  },
  'cert-not-acceptable': {
    topic: 'certificate',
    title: 'The certificate chain breaks the rules for TLS servers',
    passed: 'Every certificate of the chain is acceptable for a TLS server',
    why: untrusted,
    reference: 'RFC 5280 §4.2, §6.1',
    owner: 'mail-host',
    fix: (v) =>
      `Obtain a certificate without this fault${v.reason ? `: ${v.reason}` : ''}. The CA itself may be trusted.`,
    steps: obtain,
  },
  'cert-chain-outdated': {
    topic: 'certificate',
    title: 'A CA certificate of the chain has expired',
    passed: 'Every CA certificate of the chain is in date',
    why: untrusted,
    reference: 'RFC 5280 §4.1.2.5, §6.1.3',
    owner: 'mail-host',
    fix: 'Send the current intermediate certificate of the CA.',
    steps: sendFullChain,
  },
  'cert-chain-incomplete': {
    topic: 'certificate',
    title: 'The intermediate certificate is missing',
    passed: 'The server sends the whole certificate chain',
    why: 'Senders cannot link the certificate to its CA and treat it as untrusted. With MTA-STS in mode enforce they defer the mail.',
    reference: 'RFC 9846 §4.5.1',
    owner: 'mail-host',
    fix: 'Send the whole chain: the certificate first, then its intermediates.',
    steps: sendFullChain,
  },
  'cert-expired': {
    topic: 'certificate',
    title: (v) => `The certificate expired${v.detail ? ` on ${v.detail}` : ''}`,
    passed: 'The certificate has not expired',
    why: untrusted,
    reference: 'RFC 8461 §4.2, RFC 7672 §3.1.1',
    owner: 'mail-host',
    fix: 'Renew the certificate and reload the server. Automate both.',
    steps: (v) => [
      keepKey(v),
      renew,
      command(
        'See the dates that the server now shows.',
        `openssl s_client -starttls smtp -connect ${v.host}:25 </dev/null | openssl x509 -noout -dates`,
      ),
      checkAgain(v),
    ],
  },
  'cert-not-yet-valid': {
    topic: 'certificate',
    title: (v) => `The certificate is not valid before ${v.detail || 'a later date'}`,
    passed: 'The certificate is already valid',
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Correct the clock of the issuing machine, or use the previous certificate until that date.',
    steps: (v) => [
      command('Synchronise the clock.', 'timedatectl set-ntp true'),
      keepKey(v),
      config('Install the previous certificate until the new one is valid.'),
      checkAgain(v),
    ],
  },
  'cert-name-mismatch': {
    topic: 'certificate',
    title: (v) =>
      v.detail === ''
        ? 'The certificate has no DNS name in subjectAltName'
        : `The certificate does not name ${v.host}`,
    passed: 'The certificate names the MX host',
    why: (v) =>
      `It names ${v.detail || 'no DNS name that senders compare'}. With MTA-STS in mode enforce, senders defer the mail; other senders deliver to any server.`,
    reference: 'RFC 8461 §4.2, RFC 7672 §3.2.2',
    owner: 'mail-host',
    fix: (v) => `Use a certificate that names ${v.host}.`,
    steps: obtain,
  },
  'cert-near-expiry': {
    topic: 'certificate',
    title: withDetail('The certificate expires soon'),
    passed: 'The certificate does not expire soon',
    why: 'Once it expires, senders with MTA-STS in mode enforce or with DANE-TA defer the mail. Automatic renewal is overdue.',
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Find out why the renewal failed, and make sure that the server reloads after it.',
    steps: (v) => [
      command('Try the renewal.', 'certbot renew --dry-run'),
      keepKey(v),
      renew,
      checkAgain(v),
    ],
  },
  'cert-weak-key': {
    topic: 'certificate',
    title: withDetail('The key of the certificate is weak'),
    passed: 'The key of the certificate is strong enough',
    why: 'An attacker who computes the private key can impersonate this server to every sender.',
    reference: 'RFC 9325 §4.2',
    owner: 'mail-host',
    fix: 'Change to a new key: ECDSA P-256, or RSA with at least 2048 bits.',
    steps: (v) => [
      confirm(
        `If ${v.host} has TLSA records, publish the new key's record first and wait two TTLs.`,
      ),
      command(
        'Obtain a certificate with a new key.',
        `certbot certonly --standalone --key-type ecdsa --cert-name ${v.host}-next -d ${v.host}`,
      ),
      postfix(chainFiles(`${v.host}-next`)),
      reloadPostfix,
      checkAgain(v),
    ],
  },
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
