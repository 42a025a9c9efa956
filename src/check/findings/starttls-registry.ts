import { logLines } from '../../base/index.js';
import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  checkCommand,
  command,
  config,
  confirm,
  countSessions,
  inBrackets,
  noSteps,
  postfixStep,
  reloadPostfix,
  withDetail,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

/**
 * The step before any change of the server. A missing keyword does not show whether the
 * server, a filter or an attacker caused it; a control host in another network
 * distinguishes these causes.
 */
const whichNetwork = (findingValues: FindingValues): FixStep =>
  confirm(
    'Determine which network is at fault. Replace HOST with a mail host known to offer STARTTLS. If the result is the same, the network of this check is at fault.',
    checkCommand(findingValues, ' --control HOST --transcript'),
  );

/**
 * A command for a handshake by another implementation, to confirm that the fault is not
 * in this check.
 */
const testTls = (findingValues: FindingValues): string =>
  `openssl s_client -starttls smtp -connect ${findingValues.host}:25 -servername ${findingValues.host}`;

/** The end of a session inside TLS, with the server's own reply if it sent one. */
const insideEnd = ({ reply, detail }: FindingValues): string =>
  reply === undefined
    ? `and the server then ends the session${inBrackets(detail)}`
    : `but the server answers "${reply}" to EHLO inside TLS`;

/**
 * One file for key and chain: Postfix then never loads a certificate with the wrong key.
 */
const keyAndChain = 'smtpd_tls_chain_files = /etc/ssl/private/mail.pem';
const fileOrder =
  'Set this parameter in /etc/postfix/main.cf. The file holds key, certificate, intermediates:';
const validateAndReload = command(
  'Validate the configuration and reload Postfix.',
  'postfix check && systemctl reload postfix',
);
/**
 * The settings that make Postfix offer STARTTLS. With the level `may`, senders without
 * TLS can still deliver; RFC 3207 §4 forbids public servers to require TLS.
 */
const offer = [
  postfixStep('smtpd_tls_security_level = may'),
  postfixStep(keyAndChain, fileOrder),
  validateAndReload,
];

/**
 * The most common cause of an overwritten keyword: the ESMTP inspection of a Cisco ASA
 * replaces the keyword with a run of the letter X.
 */
const asaInspection = config(
  'On a Cisco ASA, disable ESMTP inspection:',
  'policy-map global_policy\n class inspection_default\n  no inspect esmtp',
);

/** Findings on STARTTLS and the handshake. */
export const starttlsFindings = {
  /**
   * Raised when a host answers EHLO without the keyword STARTTLS. The severity is fail in
   * every profile, since all mail to the host is in plaintext. The text contains "seen
   * from here", because the check cannot detect an attacker who removes the keyword.
   */
  'starttls-absent': {
    topic: 'starttls',
    title: 'STARTTLS is not offered, seen from here',
    passed: 'Every mail host offers STARTTLS',
    why: 'Mail to this host crosses the network in plaintext: an on-path attacker can read and change it. An attacker who removes the keyword looks the same as a server without TLS.',
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Offer STARTTLS on port 25. Even a self-signed certificate is better than plaintext.',
    steps: (findingValues) => [whichNetwork(findingValues), ...offer, checkAgain(findingValues)],
  },
  /**
   * Raised when the EHLO reply has an altered keyword, such as XXXXXXXA, in place of
   * STARTTLS. This finding is separate from an absent keyword, because an overwritten
   * keyword proves that a device changes the session.
   */
  'starttls-mangled': {
    topic: 'starttls',
    title: 'The STARTTLS keyword is overwritten, seen from here',
    passed: 'No STARTTLS keyword is overwritten',
    why: (findingValues) =>
      `The reply contains ${findingValues.detail || 'an altered keyword'} instead of STARTTLS. A mail filter or an on-path attacker rewrites the reply, so mail travels in plaintext.`,
    reference: 'RFC 8461 §1, RFC 3207 §6',
    owner: 'mail-host',
    fix: 'Find the device that rewrites the SMTP session and switch its SMTP inspection off.',
    steps: (findingValues) => [
      whichNetwork(findingValues),
      asaInspection,
      config(
        'On other firewalls, switch off the SMTP filter of port 25 ("SMTP fixup", "mail guard").',
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the server lists STARTTLS and answers the command with a refusal. A 4yz
   * reply is temporary and makes the address inconclusive instead (RFC 3207 §4).
   */
  'starttls-refused': {
    topic: 'starttls',
    title: 'STARTTLS is offered, then refused',
    passed: 'Every mail host accepts the STARTTLS command',
    why: (findingValues) =>
      `The server lists STARTTLS and answers the command with ${findingValues.reply ? `"${findingValues.reply}"` : 'a refusal'}. Senders that do not require TLS continue in plaintext.`,
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Make the server accept STARTTLS. The usual cause is an unreadable key or certificate file.',
    steps: (findingValues) => [
      whichNetwork(findingValues),
      command('Look for a key that cannot be loaded.', `postfix check; ${logLines('TLS')} | tail`),
      postfixStep(keyAndChain, fileOrder),
      reloadPostfix,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised in addition when TLSA records or an enforced policy cover a host without TLS.
   * The domain's own policy contradicts the missing keyword, so an attack is as likely as
   * a fault. The advice is to keep the policy, which protects the mail now.
   */
  'starttls-promised': {
    topic: 'starttls',
    title: 'A policy requires TLS, but none was offered here',
    passed: 'Every host whose policy requires TLS offers it',
    why: (findingValues) =>
      `The domain publishes ${findingValues.detail || 'a policy that requires TLS'}. Either the server is broken or an on-path attacker removes STARTTLS. ` +
      `Senders that apply the policy ${findingValues.instead}; others send plaintext to this server.`,
    reference: 'RFC 7672 §2.2, RFC 8461 §5',
    owner: 'mail-host',
    fix: 'Keep the policies: they protect the mail now. Determine whether the server lacks STARTTLS or the network removes it.',
    steps: (findingValues) => [
      command(
        `On ${findingValues.host}, test TLS locally.`,
        `openssl s_client -starttls smtp -connect localhost:25 -servername ${findingValues.host}`,
      ),
      confirm(
        'If TLS works there, an on-path attacker or a filter removes STARTTLS. Check from another network as well.',
      ),
      whichNetwork(findingValues),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the control host, which is known to offer STARTTLS, does not offer it
   * here. This finding suppresses the findings on missing STARTTLS, which would blame the
   * domain for a filter in the network of this check.
   */
  'own-network-strips': {
    topic: 'network',
    title: 'This network removes STARTTLS',
    why: (findingValues) =>
      `The control host also looks stripped${inBrackets(findingValues.detail)}, so nothing is known about the domain's STARTTLS.`,
    reference: 'RFC 3207 §6',
    owner: 'own-network',
    fix: 'Check from another network. Switch off SMTP inspection in this network: mail from it travels in plaintext.',
    steps: (findingValues) => [
      asaInspection,
      confirm('Check from another network.', checkCommand(findingValues)),
    ],
  },
  /**
   * Raised when the server accepts STARTTLS and answers the ClientHello with an alert,
   * with data that is not TLS, or by closing the connection. A timeout does not raise
   * this finding, since a lost packet has the same effect.
   */
  'tls-handshake-failed': {
    topic: 'starttls',
    title: 'STARTTLS is accepted, but the TLS handshake fails',
    passed: 'The TLS handshake succeeds with every mail host',
    why: (findingValues) =>
      `${findingValues.detail || 'The handshake fails.'} Some senders retry in plaintext. Senders that require TLS ${findingValues.instead}.`,
    reference: 'RFC 3207 §4.1',
    owner: 'mail-host',
    fix: 'Configure TLS 1.2 and 1.3 with the usual cipher suites.',
    steps: (findingValues) => [
      whichNetwork(findingValues),
      postfixStep('smtpd_tls_protocols = >=TLSv1\nsmtpd_tls_ciphers = medium'),
      command('Test the handshake.', testTls(findingValues)),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when EHLO inside TLS gets a permanent refusal. A completed handshake is not
   * sufficient, since the sender must repeat EHLO after it (RFC 3207 §4.2). A sender that
   * does not retry in plaintext cannot deliver.
   */
  'tls-session-refused': {
    topic: 'starttls',
    title: 'The server accepts no mail inside TLS',
    passed: 'Every mail host accepts mail inside TLS',
    why: (findingValues) =>
      `The handshake succeeds, ${insideEnd(findingValues)}. Senders ${findingValues.instead}.`,
    reference: 'RFC 3207 §4.2',
    owner: 'mail-host',
    fix: ({ advice }) =>
      advice ?? 'Accept EHLO and mail inside TLS from every client that may connect.',
    steps: (findingValues) => [
      command(
        `On ${findingValues.host}, open a session and type EHLO test.`,
        'openssl s_client -starttls smtp -connect localhost:25 -crlf',
      ),
      postfixStep(
        'smtpd_tls_req_ccert = no',
        'Port 25 cannot require client certificates. Set in /etc/postfix/main.cf:',
      ),
      confirm('Make sure that no access rule applies to TLS sessions only.'),
      validateAndReload,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when TLS works on one connection to an address after an earlier connection had
   * no STARTTLS or a failed handshake. The later success is required: a permanent end of
   * TLS may be the server's reaction to many connections from this check.
   */
  'starttls-intermittent': {
    topic: 'starttls',
    title: 'STARTTLS works on some connections only',
    passed: 'STARTTLS works on every connection',
    why: (findingValues) =>
      findingValues.detail || 'TLS works on some connections and fails on others.',
    reference: 'RFC 8461 §5, RFC 7672 §2.2, RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Configure every server behind this address the same way: each must offer STARTTLS, complete the handshake and accept mail.',
    steps: (findingValues) => [
      command(
        'Compare the greetings of the connections.',
        checkCommand(findingValues, ' --transcript'),
      ),
      command(
        'Show the setting on every server behind the address.',
        'postconf smtpd_tls_security_level',
      ),
      ...offer,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a ClientHello of about 1,550 octets gets no answer or an alert, and the
   * server answers the same question in a smaller ClientHello. The check sends the large
   * hello in one segment, in two segments, or with a genuine post-quantum key share. The
   * usual cause is a middlebox that reads only the first TCP segment. The severity is
   * warn, because only senders with post-quantum key shares are affected today.
   */
  'tls-large-hello': {
    topic: 'starttls',
    title: 'A ClientHello of modern size starts no TLS session',
    passed: 'Every mail host answers a ClientHello of modern size',
    why: (findingValues) =>
      `${findingValues.detail || 'A ClientHello of 1,550 octets failed, but a smaller one was answered.'} Senders with OpenSSL 3.5 or Go send about this size and cannot start TLS. They defer their mail or send it in plaintext.`,
    reference: 'RFC 9846 §4.2.2',
    owner: 'mail-host',
    fix: 'Find the firewall, proxy or load balancer that drops or refuses a ClientHello of several packets.',
    steps: (findingValues) => [
      command(
        'Send a large ClientHello.',
        `${testTls(findingValues)} -groups X25519MLKEM768:X25519`,
      ),
      confirm('Make sure that the same command succeeds on the mail host itself.'),
      confirm(
        'Switch off TLS inspection and ClientHello filters between the internet and port 25.',
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a handshake without SNI fails on a server that completes one with SNI.
   * The severity is that of missing STARTTLS: Postfix sends SNI only if a policy requires
   * it.
   */
  'tls-sni-required': {
    topic: 'starttls',
    title: 'The server refuses a handshake without SNI',
    why: ({ detail }) =>
      `${detail === '' ? '' : `The handshake ended with ${detail}. `}Many senders, including Postfix by default, send no server name. They send their mail in plaintext, or defer it.`,
    reference: 'RFC 8461 §7.1, RFC 7672 §8.1',
    owner: 'mail-host',
    fix: 'Set a default certificate for clients that send no server name.',
    steps: (findingValues) => [
      command(
        'Try a handshake without SNI.',
        `openssl s_client -starttls smtp -connect ${findingValues.ip || findingValues.host}:25 -noservername`,
      ),
      postfixStep(
        'smtpd_tls_chain_files = /etc/letsencrypt/live/mx.example.com/privkey.pem, /etc/letsencrypt/live/mx.example.com/fullchain.pem',
        'Set a default certificate in /etc/postfix/main.cf, next to tls_server_sni_maps:',
      ),
      confirm('In HAProxy, remove strict-sni from the bind line.'),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a client that offers every version gets TLS 1.0 or 1.1. The severity is
   * fail if a policy requires TLS, since senders then accept TLS 1.2 and newer only.
   */
  'tls-outdated': {
    topic: 'tls-version',
    title: 'The server has no TLS 1.2 or newer',
    passed: 'Every mail host has TLS 1.2 or newer',
    why: ({ instead }) =>
      `Current TLS libraries refuse the old versions. Senders that require TLS ${instead}. Other senders use the old versions, or fall back to plaintext.`,
    reference: 'RFC 9325 §3.1.1, RFC 8996 §4',
    owner: 'mail-host',
    fix: 'Install a TLS library with TLS 1.2 and 1.3, and switch both on.',
    steps: (findingValues) => [
      command(
        'See the versions that the library has.',
        'openssl ciphers -v | cut -c32-39 | sort -u',
      ),
      postfixStep('smtpd_tls_protocols = >=TLSv1'),
      validateAndReload,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when TLS 1.0 or 1.1 completes a handshake. The baseline only warns: for
   * opportunistic mail the alternative of an old sender is plaintext (RFC 7435 §1), which
   * is worse.
   */
  'tls-old-version': {
    topic: 'tls-version',
    title: 'The server accepts TLS 1.0 or 1.1',
    passed: 'Every mail host refuses TLS 1.0 and 1.1',
    why: 'These versions rely on SHA-1 and are deprecated. They are still better than plaintext, which an old sender would use instead.',
    reference: 'RFC 8996 §2',
    owner: 'mail-host',
    fix: 'Offer TLS 1.2 and 1.3. Remove the old versions once no session needs them.',
    steps: (findingValues) => [
      ...countSessions('TLSv1(\\.1)? with'),
      postfixStep(
        'smtpd_tls_protocols = >=TLSv1',
        'Install an OpenSSL that has TLS 1.3. Keep the old versions while you count. Set in /etc/postfix/main.cf:',
      ),
      reloadPostfix,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the server selects SSLv3 or answers an SSLv2 hello. The severity is fail,
   * and not warn as for TLS 1.0, since these versions protect against no active attacker.
   */
  'tls-broken-version': {
    topic: 'tls-version',
    title: 'The server accepts SSLv2 or SSLv3',
    passed: 'Every mail host refuses SSLv2 and SSLv3',
    why: 'Both are broken: an on-path attacker can read the session. SSLv2 also endangers the same key on other services (DROWN).',
    reference: 'RFC 6176 §3, RFC 7568 §3',
    owner: 'mail-host',
    fix: 'Switch SSLv2 and SSLv3 off. Keep TLS 1.0 and later.',
    steps: (findingValues) => [
      postfixStep('smtpd_tls_protocols = >=TLSv1'),
      reloadPostfix,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the server accepts a suite of RC4, RC2, DES, 3DES or IDEA, or with fewer
   * than 112 bits. The severity is warn, as for `tls-old-version`: the suite is still
   * better than plaintext.
   */
  'tls-weak-suite': {
    topic: 'cipher',
    title: withDetail('The server accepts a weak cipher suite'),
    passed: 'No mail host accepts a weak cipher suite',
    why: 'RC4 and 3DES can be broken with effort. Weak encryption is still better than plaintext.',
    reference: 'RFC 7465 §2, RFC 9325 §4.1',
    owner: 'mail-host',
    fix: 'Count the sessions that still need weak suites. Then exclude RC4, 3DES, export and NULL suites.',
    steps: (findingValues) => [
      ...countSessions('with cipher [A-Z0-9-]+'),
      postfixStep(
        'smtpd_tls_ciphers = medium\nsmtpd_tls_exclude_ciphers = RC4, 3DES, EXPORT, eNULL',
      ),
      reloadPostfix,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a suite without authentication is accepted. Its severity is info:
   * opportunistic senders verify nothing anyway, and RFC 7672 §8.2 notes that anonymous
   * suites do not harm them.
   */
  'tls-anonymous-suite': {
    topic: 'cipher',
    title: 'The server accepts anonymous cipher suites',
    why: 'Senders that verify certificates never choose them. They do not harm other senders.',
    reference: 'RFC 7672 §8.2',
    owner: 'mail-host',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  /**
   * Raised when a harmless command, sent in the same packet as STARTTLS, is answered
   * inside TLS. The fault is known as CVE-2011-0411. Only intrusive checks test for the
   * fault, since the test sends data that a strict server may log as an attack.
   */
  'injection-vulnerable': {
    topic: 'starttls',
    title: 'Commands sent before the handshake are executed after it',
    passed: 'Every mail host discards commands sent before the handshake',
    why: 'An on-path attacker can insert commands before the encrypted session, and thereby steal or forge mail.',
    reference: 'RFC 3207 §4.2',
    owner: 'mail-host',
    fix: 'Update the mail server: it must discard everything received before the handshake.',
    steps: (findingValues) => [
      command(
        'Update the installed mail server.',
        'apt-get install --only-upgrade postfix exim4 sendmail opensmtpd',
      ),
      checkAgain(findingValues),
    ],
  },
} satisfies Record<string, FindingEntry>;
