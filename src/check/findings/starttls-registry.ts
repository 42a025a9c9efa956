import {
  checkAgain,
  command,
  config,
  confirm,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

const where = (v: FindingValues): string =>
  `hermetic check ${v.domain} --control HOST --transcript`;

const seenFromHere = (v: FindingValues) =>
  confirm(
    `Find out whose network it is: ${where(v)}, where HOST is a mail host known to offer STARTTLS. ` +
      `If HOST looks the same, the fault is in the network this check runs from.`,
  );

/** What the server did, with its own words where it said any. */
const answered = (v: FindingValues): string =>
  v.reply === undefined ? `the server ends it (${v.detail})` : `the server answers "${v.reply}"`;

const offer = [
  config('Postfix, main.cf: smtpd_tls_security_level = may'),
  config(
    'Postfix, main.cf: smtpd_tls_chain_files = /etc/ssl/private/mail.pem   (key, then certificate, then intermediates)',
  ),
  command('postfix check && systemctl reload postfix'),
];

/** STARTTLS and the handshake. */
export const starttlsFindings = {
  'starttls-absent': {
    title: 'STARTTLS is not offered, seen from here',
    why: 'Mail to this host crosses the network in clear text: whoever is on the path reads and changes it. A server without TLS and an attacker who removes the keyword look the same.',
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Offer STARTTLS on port 25, even with a self-signed certificate: any TLS is better than clear text.',
    steps: (v) => [seenFromHere(v), ...offer, checkAgain(v)],
  },
  'starttls-mangled': {
    title: 'The STARTTLS keyword is mangled on the way, seen from here',
    why: (v) =>
      `The server's answer holds ${v.detail || 'a disfigured keyword'} in the place of STARTTLS: something on the path, a firewall's "mail inspection" or an attacker, rewrites it so that mail travels in clear text.`,
    reference: 'RFC 8461 §1, RFC 3207 §6',
    owner: 'mail-host',
    fix: 'Find the device that rewrites the SMTP conversation and switch its SMTP inspection off.',
    steps: (v) => [
      seenFromHere(v),
      config('Cisco ASA: policy-map global_policy / class inspection_default / no inspect esmtp'),
      config(
        'Other firewalls: switch off the SMTP protocol filter ("SMTP fixup", "mail guard") on port 25.',
      ),
      checkAgain(v),
    ],
  },
  'starttls-refused': {
    title: 'STARTTLS is offered, then refused',
    why: (v) =>
      `The server lists STARTTLS and answers the command with ${v.reply ? `"${v.reply}"` : 'a refusal'}. Senders that do not require TLS continue in plaintext.`,
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Repair what keeps the server from starting TLS: most often a key or certificate file it cannot read.',
    steps: (v) => [
      seenFromHere(v),
      command(
        'postfix check; grep -i tls /var/log/mail.log | tail   (look for a key that cannot be loaded)',
      ),
      config('Postfix, main.cf: smtpd_tls_chain_files = /etc/ssl/private/mail.pem'),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'starttls-promised': {
    title: 'TLS is promised for this host, but none is to be had, seen from here',
    why: (v) =>
      `The domain publishes ${v.detail}, and an honest server keeps that promise: either it is broken, or somebody on the path takes STARTTLS away. ` +
      'Senders that hold it to its promise keep the mail; the others send it in clear text.',
    reference: 'RFC 7672 §2.2, RFC 8461 §5',
    owner: 'mail-host',
    fix: 'Leave the TLSA records and the policy as they are, since they protect the mail now, and find out which of the two it is.',
    steps: (v) => [
      command(
        `On ${v.host}: openssl s_client -starttls smtp -connect localhost:25 -servername ${v.host}`,
      ),
      confirm(
        'If TLS works there, the server is sound and an on-path attacker or a filter removes it: check from another network as well.',
      ),
      seenFromHere(v),
      checkAgain(v),
    ],
  },
  'own-network-strips': {
    title: 'This network takes STARTTLS away',
    why: (v) =>
      `The control host ${v.detail} looks stripped as well, so what was seen of STARTTLS says nothing about the domain.`,
    reference: 'RFC 3207 §6',
    owner: 'own-network',
    fix: 'Check from another network, and have the SMTP inspection of this one switched off: mail sent from here travels in clear text.',
    steps: (v) => [
      config('Cisco ASA: policy-map global_policy / class inspection_default / no inspect esmtp'),
      confirm(`From another network: hermetic check ${v.domain}`),
    ],
  },
  'tls-handshake-failed': {
    title: 'STARTTLS is accepted, but no TLS session comes about',
    why: (v) =>
      `${v.detail || 'The handshake fails.'} Some senders retry in clear text, those that enforce TLS keep the mail until it bounces.`,
    reference: 'RFC 3207 §4.1',
    owner: 'mail-host',
    fix: 'Let the server speak TLS 1.2 and 1.3 with the usual cipher suites.',
    steps: (v) => [
      seenFromHere(v),
      config('Postfix, main.cf: smtpd_tls_protocols = >=TLSv1'),
      config('Postfix, main.cf: smtpd_tls_ciphers = medium'),
      command(`openssl s_client -starttls smtp -connect ${v.host}:25 -servername ${v.host}`),
      checkAgain(v),
    ],
  },
  'tls-session-refused': {
    title: 'The server accepts no mail inside TLS',
    why: (v) =>
      `The handshake succeeds, but ${answered(v)} to EHLO inside TLS. No sender can hand over mail in this session: the mail is deferred and finally bounces.`,
    reference: 'RFC 3207 §4.2',
    owner: 'mail-host',
    fix: 'Accept EHLO and mail inside TLS from every client that may connect.',
    steps: (v) => [
      command(
        `On ${v.host}: openssl s_client -starttls smtp -connect localhost:25 -crlf   (type EHLO test)`,
      ),
      config(
        'Postfix, main.cf: smtpd_tls_req_ccert = no   (port 25 cannot require client certificates)',
      ),
      confirm('No access rule of the mail server applies to TLS sessions only.'),
      command('postfix check && systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'starttls-intermittent': {
    title: 'STARTTLS is offered on some connections only',
    why: (v) =>
      `${v.detail} Senders that enforce TLS are deferred at random, the others send part of the mail in plaintext.`,
    reference: 'RFC 8461 §5, RFC 7672 §2.2, RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Configure every server behind this address alike: each one has to offer STARTTLS.',
    steps: (v) => [
      command(
        `hermetic check ${v.domain} --transcript   (compare the greetings of the connections)`,
      ),
      confirm('On every server behind the address: postconf smtpd_tls_security_level'),
      ...offer,
      checkAgain(v),
    ],
  },
  'tls-large-hello': {
    title: 'A ClientHello of the size that current TLS libraries send is lost',
    why: (v) =>
      `${v.detail || 'A hello of 1,550 octets got no answer, a smaller one did.'} Senders that offer ML-KEM send about this size, and their mail is deferred.`,
    reference: 'RFC 9846 §4.2.2',
    owner: 'mail-host',
    fix: 'Find the firewall, proxy or load balancer that drops a ClientHello of more than one packet.',
    steps: (v) => [
      command(
        `openssl s_client -starttls smtp -connect ${v.host}:25 -servername ${v.host} -groups X25519MLKEM768:X25519`,
      ),
      confirm('The same command on the mail host itself, against localhost, succeeds.'),
      confirm('TLS inspection and ClientHello filters between the internet and port 25 are off.'),
      checkAgain(v),
    ],
  },
  'tls-old-version': {
    title: 'TLS 1.0 or 1.1 is in use',
    why: 'These versions rest on SHA-1 and are deprecated. They are still better than clear text, which is what an old sender falls back to.',
    reference: 'RFC 8996 §2',
    owner: 'mail-host',
    fix: 'First count the sessions that still need it; then offer TLS 1.2 and 1.3, and drop the old versions when the count is nil.',
    steps: (v) => [
      config('Postfix, main.cf: smtpd_tls_loglevel = 1'),
      command(
        `grep -hoE 'TLSv1(\\.1)? with' /var/log/mail.log* | sort | uniq -c   (sessions that still need it)`,
      ),
      config(
        'Install an OpenSSL that has TLS 1.3; Postfix, main.cf: smtpd_tls_protocols = >=TLSv1   (keep the old ones while they are counted)',
      ),
      checkAgain(v),
    ],
  },
  'tls-broken-version': {
    title: 'SSLv2 or SSLv3 is accepted',
    why: 'Both are broken: an attacker on the path can read the session, and SSLv2 endangers the same key on other services (DROWN).',
    reference: 'RFC 6176 §3, RFC 7568 §3',
    owner: 'mail-host',
    fix: 'Switch SSLv2 and SSLv3 off; TLS 1.0 and later stay on.',
    steps: (v) => [
      config('Postfix, main.cf: smtpd_tls_protocols = >=TLSv1'),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'tls-weak-suite': {
    title: (v) => `A weak cipher suite is in use${v.detail ? `: ${v.detail}` : ''}`,
    why: 'RC4 and 3DES can be broken with effort; NULL and export suites protect nothing. Weak encryption is still better than clear text.',
    reference: 'RFC 7465 §2, RFC 9325 §4.1',
    owner: 'mail-host',
    fix: 'First count the sessions that still need it; then leave RC4, 3DES, export and NULL suites out.',
    steps: (v) => [
      command(
        `grep -hoE 'with cipher [A-Z0-9-]+' /var/log/mail.log* | sort | uniq -c   (sessions that still need it)`,
      ),
      config('Postfix, main.cf: smtpd_tls_ciphers = medium'),
      config('Postfix, main.cf: smtpd_tls_exclude_ciphers = RC4, 3DES, EXPORT, eNULL'),
      checkAgain(v),
    ],
  },
  'tls-anonymous-suite': {
    title: 'Anonymous cipher suites are accepted',
    why: 'A sender that does not check certificates loses nothing by them; senders that check never choose them.',
    reference: 'RFC 7672 §8.2',
    owner: 'mail-host',
    fix: 'Nothing has to be done.',
    steps: () => [],
  },
  'injection-vulnerable': {
    title: 'Commands sent before the handshake are executed after it',
    why: 'An attacker on the path can put commands in front of the sealed session, and so steal or forge mail.',
    reference: 'RFC 3207 §4.2',
    owner: 'mail-host',
    fix: 'Update the mail server: it has to discard what it received before the handshake.',
    steps: (v) => [
      command(
        'apt-get install --only-upgrade postfix exim4 sendmail opensmtpd   (whichever is installed)',
      ),
      checkAgain(v),
    ],
  },
} satisfies Record<string, FindingEntry>;
