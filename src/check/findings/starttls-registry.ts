import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  checkCommand,
  command,
  config,
  confirm,
  noSteps,
  postfix,
  reloadPostfix,
  withDetail,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

const whichNetwork = (v: FindingValues): FixStep =>
  confirm(
    'Find out which network is at fault. Replace HOST by a mail host known to offer STARTTLS: if it looks the same, the fault is in the network of this check.',
    checkCommand(v, ' --control HOST --transcript'),
  );

const testTls = (v: FindingValues): string =>
  `openssl s_client -starttls smtp -connect ${v.host}:25 -servername ${v.host}`;

/** How the server ended the session, with its own words where it said any. */
const ended = (v: FindingValues): string =>
  v.reply === undefined ? `the server ends it (${v.detail})` : `the server answers "${v.reply}"`;

const keyAndChain = 'smtpd_tls_chain_files = /etc/ssl/private/mail.pem';
const fileOrder = 'Set in /etc/postfix/main.cf. The file holds key, certificate, intermediates:';
const validateAndReload = command(
  'Validate the configuration and reload Postfix.',
  'postfix check && systemctl reload postfix',
);
const offer = [
  postfix('smtpd_tls_security_level = may'),
  postfix(keyAndChain, fileOrder),
  validateAndReload,
];

const asaInspection = config(
  'On a Cisco ASA, switch ESMTP inspection off:',
  'policy-map global_policy\n class inspection_default\n  no inspect esmtp',
);

/** Log lines of Postfix show which versions and suites senders still use. */
const logSessions = postfix('smtpd_tls_loglevel = 1', 'Log sessions. Set in /etc/postfix/main.cf:');
const countSessions = (pattern: string): FixStep =>
  command(
    'Count the sessions that still need it.',
    `grep -hoE '${pattern}' /var/log/mail.log* | sort | uniq -c`,
  );

/** STARTTLS and the handshake. */
export const starttlsFindings = {
  'starttls-absent': {
    topic: 'starttls',
    title: 'STARTTLS is not offered, seen from here',
    passed: 'Every mail host offers STARTTLS',
    why: 'Mail to this host crosses the network in plaintext: an on-path attacker reads and changes it. An attacker who removes the keyword looks the same as a server without TLS.',
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Offer STARTTLS on port 25. Even a self-signed certificate is better than plaintext.',
    steps: (v) => [whichNetwork(v), ...offer, checkAgain(v)],
  },
  'starttls-mangled': {
    topic: 'starttls',
    title: 'The STARTTLS keyword is overwritten, seen from here',
    passed: 'No STARTTLS keyword is overwritten',
    why: (v) =>
      `The reply contains ${v.detail || 'an altered keyword'} instead of STARTTLS. A mail filter or an on-path attacker rewrites it, so mail travels in plaintext.`,
    reference: 'RFC 8461 §1, RFC 3207 §6',
    owner: 'mail-host',
    fix: 'Find the device that rewrites the SMTP conversation and switch its SMTP inspection off.',
    steps: (v) => [
      whichNetwork(v),
      asaInspection,
      config(
        'On other firewalls, switch off the SMTP filter of port 25 ("SMTP fixup", "mail guard").',
      ),
      checkAgain(v),
    ],
  },
  'starttls-refused': {
    topic: 'starttls',
    title: 'STARTTLS is offered, then refused',
    passed: 'Every mail host accepts the STARTTLS command',
    why: (v) =>
      `The server lists STARTTLS and answers the command with ${v.reply ? `"${v.reply}"` : 'a refusal'}. Senders that do not require TLS continue in plaintext.`,
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Let the server start TLS. The usual cause is a key or certificate file it cannot read.',
    steps: (v) => [
      whichNetwork(v),
      command(
        'Look for a key that cannot be loaded.',
        'postfix check; grep -i tls /var/log/mail.log | tail',
      ),
      postfix(keyAndChain, fileOrder),
      reloadPostfix,
      checkAgain(v),
    ],
  },
  'starttls-promised': {
    topic: 'starttls',
    title: 'A policy requires TLS, but none was offered here',
    passed: 'Every host whose policy requires TLS offers it',
    why: (v) =>
      `The domain publishes ${v.detail}. Either the server is broken or an on-path attacker removes STARTTLS. ` +
      'Senders that apply the policy defer the mail; others send it in plaintext.',
    reference: 'RFC 7672 §2.2, RFC 8461 §5',
    owner: 'mail-host',
    fix: 'Keep the TLSA records and the policy, which protect the mail now. Find out which of the two it is.',
    steps: (v) => [
      command(
        `On ${v.host}, test TLS locally.`,
        `openssl s_client -starttls smtp -connect localhost:25 -servername ${v.host}`,
      ),
      confirm(
        'If TLS works there, an on-path attacker or a filter removes it. Check from another network as well.',
      ),
      whichNetwork(v),
      checkAgain(v),
    ],
  },
  'own-network-strips': {
    topic: 'network',
    title: 'This network removes STARTTLS',
    why: (v) =>
      `The control host ${v.detail} looks stripped as well, so nothing is known of the domain's STARTTLS.`,
    reference: 'RFC 3207 §6',
    owner: 'own-network',
    fix: 'Check from another network. Switch off SMTP inspection here: mail from here travels in plaintext.',
    steps: (v) => [asaInspection, confirm('Check from another network.', checkCommand(v))],
  },
  'tls-handshake-failed': {
    topic: 'starttls',
    title: 'STARTTLS is accepted, but the TLS handshake fails',
    passed: 'The TLS handshake succeeds with every mail host',
    why: (v) =>
      `${v.detail || 'The handshake fails.'} Some senders retry in plaintext. Senders that require TLS defer the mail until it bounces.`,
    reference: 'RFC 3207 §4.1',
    owner: 'mail-host',
    fix: 'Let the server speak TLS 1.2 and 1.3 with the usual cipher suites.',
    steps: (v) => [
      whichNetwork(v),
      postfix('smtpd_tls_protocols = >=TLSv1\nsmtpd_tls_ciphers = medium'),
      command('Test the handshake.', testTls(v)),
      checkAgain(v),
    ],
  },
  'tls-session-refused': {
    topic: 'starttls',
    title: 'The server accepts no mail inside TLS',
    passed: 'Every mail host accepts mail inside TLS',
    why: (v) =>
      `The handshake succeeds, but ${ended(v)} to EHLO inside TLS. Senders defer the mail and finally bounce it.`,
    reference: 'RFC 3207 §4.2',
    owner: 'mail-host',
    fix: 'Accept EHLO and mail inside TLS from every client that may connect.',
    steps: (v) => [
      command(
        `On ${v.host}, open a session and type EHLO test.`,
        'openssl s_client -starttls smtp -connect localhost:25 -crlf',
      ),
      postfix(
        'smtpd_tls_req_ccert = no',
        'Port 25 cannot require client certificates. Set in /etc/postfix/main.cf:',
      ),
      confirm('Make sure that no access rule applies to TLS sessions only.'),
      validateAndReload,
      checkAgain(v),
    ],
  },
  'starttls-intermittent': {
    topic: 'starttls',
    title: 'STARTTLS is offered on some connections only',
    passed: 'STARTTLS is offered on every connection',
    why: (v) =>
      `${v.detail} Senders that require TLS are deferred at random. Others send part of the mail in plaintext.`,
    reference: 'RFC 8461 §5, RFC 7672 §2.2, RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Configure every server behind this address alike: each one must offer STARTTLS.',
    steps: (v) => [
      command('Compare the greetings of the connections.', checkCommand(v, ' --transcript')),
      command(
        'See the setting on every server behind the address.',
        'postconf smtpd_tls_security_level',
      ),
      ...offer,
      checkAgain(v),
    ],
  },
  'tls-large-hello': {
    topic: 'starttls',
    title: 'A ClientHello of current size gets no answer',
    passed: 'A ClientHello of current size is answered',
    why: (v) =>
      `${v.detail || 'A ClientHello of 1,550 octets got no answer, a smaller one did.'} Senders that offer ML-KEM send about this size, and their mail is deferred.`,
    reference: 'RFC 9846 §4.2.2',
    owner: 'mail-host',
    fix: 'Find the firewall, proxy or load balancer that drops a ClientHello of several packets.',
    steps: (v) => [
      command('Send a large ClientHello.', `${testTls(v)} -groups X25519MLKEM768:X25519`),
      confirm('Make sure that the same command succeeds on the mail host itself.'),
      confirm(
        'Switch off TLS inspection and ClientHello filters between the internet and port 25.',
      ),
      checkAgain(v),
    ],
  },
  'tls-old-version': {
    topic: 'tls-version',
    title: 'TLS 1.0 or 1.1 is in use',
    passed: 'TLS 1.0 and 1.1 are not in use',
    why: 'These versions rely on SHA-1 and are deprecated. They are still better than plaintext, to which an old sender falls back.',
    reference: 'RFC 8996 §2',
    owner: 'mail-host',
    fix: 'Offer TLS 1.2 and 1.3. Remove the old versions once no session needs them.',
    steps: (v) => [
      logSessions,
      countSessions('TLSv1(\\.1)? with'),
      postfix(
        'smtpd_tls_protocols = >=TLSv1',
        'Install an OpenSSL that has TLS 1.3. Keep the old versions while you count. Set in /etc/postfix/main.cf:',
      ),
      checkAgain(v),
    ],
  },
  'tls-broken-version': {
    topic: 'tls-version',
    title: 'SSLv2 or SSLv3 is accepted',
    passed: 'SSLv2 and SSLv3 are refused',
    why: 'Both are broken: an on-path attacker can read the session. SSLv2 also endangers the same key on other services (DROWN).',
    reference: 'RFC 6176 §3, RFC 7568 §3',
    owner: 'mail-host',
    fix: 'Switch SSLv2 and SSLv3 off. Keep TLS 1.0 and later.',
    steps: (v) => [postfix('smtpd_tls_protocols = >=TLSv1'), reloadPostfix, checkAgain(v)],
  },
  'tls-weak-suite': {
    topic: 'cipher',
    title: withDetail('A weak cipher suite is in use'),
    passed: 'No weak cipher suite is accepted',
    why: 'RC4 and 3DES can be broken with effort. Weak encryption is still better than plaintext.',
    reference: 'RFC 7465 §2, RFC 9325 §4.1',
    owner: 'mail-host',
    fix: 'Count the sessions that still need them. Then exclude RC4, 3DES, export and NULL suites.',
    steps: (v) => [
      countSessions('with cipher [A-Z0-9-]+'),
      postfix('smtpd_tls_ciphers = medium\nsmtpd_tls_exclude_ciphers = RC4, 3DES, EXPORT, eNULL'),
      checkAgain(v),
    ],
  },
  'tls-anonymous-suite': {
    topic: 'cipher',
    title: 'Anonymous cipher suites are accepted',
    why: 'Senders that verify certificates never choose them. Other senders lose nothing by them.',
    reference: 'RFC 7672 §8.2',
    owner: 'mail-host',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  'injection-vulnerable': {
    topic: 'starttls',
    title: 'Commands sent before the handshake are executed after it',
    passed: 'Commands sent before the handshake are discarded',
    why: 'An on-path attacker can insert commands before the encrypted session, and so steal or forge mail.',
    reference: 'RFC 3207 §4.2',
    owner: 'mail-host',
    fix: 'Update the mail server: it must discard everything received before the handshake.',
    steps: (v) => [
      command(
        'Update the mail server that is installed.',
        'apt-get install --only-upgrade postfix exim4 sendmail opensmtpd',
      ),
      checkAgain(v),
    ],
  },
} satisfies Record<string, FindingEntry>;
