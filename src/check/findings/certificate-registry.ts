import {
  checkAgain,
  command,
  config,
  confirm,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

const keepKey = (v: FindingValues) =>
  confirm(
    `If TLSA records exist for ${v.host}: keep the key (certbot: --reuse-key), or publish the record of the new key two TTLs before it is used.`,
  );

const obtain = (v: FindingValues) => [
  keepKey(v),
  command(`certbot certonly --standalone --reuse-key -d ${v.host}`),
  config(
    `Postfix, main.cf: smtpd_tls_chain_files = /etc/letsencrypt/live/${v.host}/privkey.pem, /etc/letsencrypt/live/${v.host}/fullchain.pem`,
  ),
  command('systemctl reload postfix'),
  checkAgain(v),
];

const untrusted =
  'Senders that check certificates cannot tell this server from an impostor: under MTA-STS enforce they keep the mail, others deliver to whoever answers.';

/**
 * The certificate a host shows, judged for MTA-STS senders and, where it applies, for
 * DANE-TA.
 */
export const certificateFindings = {
  'cert-self-signed': {
    title: 'The certificate is self-signed',
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Use a certificate of a public CA; self-signed is right only where DANE-EE vouches for it.',
    steps: obtain,
  },
  'cert-unknown-ca': {
    title: 'The certificate comes from a CA that senders do not know',
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Use a certificate of a public CA.',
    steps: obtain,
  },
  'cert-not-acceptable': {
    title: 'A certificate of the chain is not acceptable for a mail server',
    why: untrusted,
    reference: 'RFC 5280 §4.2, §6.1',
    owner: 'mail-host',
    fix: (v) =>
      `Obtain a certificate without this fault${v.reason ? `: ${v.reason}` : ''}. The CA itself may be trusted.`,
    steps: obtain,
  },
  'cert-chain-outdated': {
    title: 'A CA certificate of the chain is out of date',
    why: untrusted,
    reference: 'RFC 5280 §4.1.2.5, §6.1.3',
    owner: 'mail-host',
    fix: 'Let the server send the current intermediate certificate of its CA.',
    steps: (v) => [
      config(
        `Postfix, main.cf: smtpd_tls_chain_files = /etc/letsencrypt/live/${v.host}/privkey.pem, /etc/letsencrypt/live/${v.host}/fullchain.pem   (as the CA delivers it today)`,
      ),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'cert-chain-incomplete': {
    title: 'The intermediate certificate is missing',
    why: 'The certificate is good, but the server does not send the CA certificate in between. Senders that check certificates treat it as unknown.',
    reference: 'RFC 9846 §4.5.1',
    owner: 'mail-host',
    fix: 'Let the server send the whole chain: certificate first, then its intermediates.',
    steps: (v) => [
      config(
        `Postfix, main.cf: smtpd_tls_chain_files = /etc/letsencrypt/live/${v.host}/privkey.pem, /etc/letsencrypt/live/${v.host}/fullchain.pem   (fullchain, not cert.pem)`,
      ),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'cert-expired': {
    title: (v) => `The certificate expired${v.detail ? ` on ${v.detail}` : ''}`,
    why: untrusted,
    reference: 'RFC 8461 §4.2, RFC 7672 §3.1.1',
    owner: 'mail-host',
    fix: 'Renew the certificate and reload the server; let both happen by themselves from now on.',
    steps: (v) => [
      keepKey(v),
      command(`certbot renew --reuse-key --deploy-hook 'systemctl reload postfix'`),
      command(
        `openssl s_client -starttls smtp -connect ${v.host}:25 </dev/null | openssl x509 -noout -dates`,
      ),
      checkAgain(v),
    ],
  },
  'cert-not-yet-valid': {
    title: (v) => `The certificate is not valid before ${v.detail || 'a later date'}`,
    why: untrusted,
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Set the clock of the machine that issues the certificate, or go back to the former certificate until the date.',
    steps: (v) => [
      command('timedatectl set-ntp true'),
      keepKey(v),
      config('Put the former certificate back until the new one is valid.'),
      checkAgain(v),
    ],
  },
  'cert-name-mismatch': {
    title: (v) =>
      v.detail === ''
        ? 'The certificate has no DNS name in subjectAltName'
        : `The certificate is for another name than ${v.host}`,
    why: (v) =>
      `It names ${v.detail || 'no host that senders look at'}. Senders that check certificates cannot tell this server from an impostor: under MTA-STS enforce they keep the mail.`,
    reference: 'RFC 8461 §4.2, RFC 7672 §3.2.2',
    owner: 'mail-host',
    fix: (v) => `Use a certificate that has ${v.host} among its names.`,
    steps: obtain,
  },
  'cert-near-expiry': {
    title: (v) => `The certificate expires soon${v.detail ? `: ${v.detail}` : ''}`,
    why: 'Under MTA-STS enforce and DANE-TA mail stops on that day; renewal should have happened by now.',
    reference: 'RFC 8461 §4.2',
    owner: 'mail-host',
    fix: 'Find out why it was not renewed, and that the server reloads after renewal.',
    steps: (v) => [
      command('certbot renew --dry-run'),
      keepKey(v),
      command(`certbot renew --reuse-key --deploy-hook 'systemctl reload postfix'`),
      checkAgain(v),
    ],
  },
  'cert-weak-key': {
    title: (v) => `The key of the certificate is weak${v.detail ? `: ${v.detail}` : ''}`,
    why: 'Whoever can compute the private key can pose as this server.',
    reference: 'RFC 9325 §4.2',
    owner: 'mail-host',
    fix: 'Change to a new key: ECDSA P-256, or RSA with at least 2048 bits.',
    steps: (v) => [
      confirm(
        `If TLSA records exist for ${v.host}: publish the record of the new key first and wait two TTLs before it is used.`,
      ),
      command(
        `certbot certonly --standalone --key-type ecdsa --cert-name ${v.host}-next -d ${v.host}`,
      ),
      config(
        `Postfix, main.cf: smtpd_tls_chain_files = /etc/letsencrypt/live/${v.host}-next/privkey.pem, /etc/letsencrypt/live/${v.host}-next/fullchain.pem`,
      ),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'cert-weak-signature': {
    title: (v) => `The chain is signed with a broken hash${v.detail ? `: ${v.detail}` : ''}`,
    why: 'Signatures with MD5 and SHA-1 can be forged; many senders no longer accept them.',
    reference: 'RFC 9155 §2',
    owner: 'mail-host',
    fix: 'Obtain a certificate signed with SHA-256 or better.',
    steps: obtain,
  },
} satisfies Record<string, FindingEntry>;
