import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  checkCommand,
  command,
  confirm,
  noSteps,
  postfixStep,
  recordsCommand,
  countSessions,
  reloadPostfix,
  wait,
  withDetail,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

/**
 * Steps that first count the sessions with a suite and then remove the suite. A weak
 * suite that one partner still needs is better than the plaintext that this partner would
 * otherwise use.
 */
const firstCount =
  (...more: readonly FixStep[]) =>
  (findingValues: FindingValues): FixStep[] => [
    ...countSessions('(TLSv[0-9.]+|SSLv3) with cipher [A-Z0-9-]+'),
    ...more,
    checkAgain(findingValues),
  ];

/** Steps that change one setting of Postfix only. */
const set =
  (setting: string) =>
  (findingValues: FindingValues): FixStep[] => [
    postfixStep(setting),
    reloadPostfix,
    checkAgain(findingValues),
  ];

/** Steps for a library that lacks a feature: only a newer version helps. */
const libraryVersion =
  (since: string) =>
  (findingValues: FindingValues): FixStep[] => [
    command(`Print the version in use; ${since}.`, 'openssl version'),
    checkAgain(findingValues),
  ];

/**
 * The reason why profiles only warn about a fault that a guideline for the web forbids.
 */
const weakBeatsPlaintext =
  'Weak TLS is still better than plaintext, which a sender without stronger TLS would use instead.';
/**
 * Steps that select strong groups. Postfix from 3.11 on has a default with post-quantum
 * groups, and a list would remove these groups. Older versions need a list, here of
 * groups that every current library supports.
 */
const strongGroups = (findingValues: FindingValues): FixStep[] => [
  command(
    'With Postfix 3.11 or newer, remove your own groups. The default is good.',
    'postconf -X tls_eecdh_auto_curves tls_ffdhe_auto_groups',
  ),
  postfixStep(
    'tls_eecdh_auto_curves = X25519 prime256v1 secp384r1',
    'With an older Postfix, set in /etc/postfix/main.cf:',
  ),
  reloadPostfix,
  checkAgain(findingValues),
];

/** Findings on TLS versions, suites, groups and features. */
export const tlsFindings = {
  /**
   * Raised when a suite with NULL encryption or an export cipher is accepted. The
   * severity is fail: both sides treat the session as encrypted, and an on-path attacker
   * can read it.
   */
  'tls-broken-suite': {
    topic: 'cipher',
    title: withDetail('The server accepts a NULL or export suite'),
    passed: 'No mail host accepts a NULL or export suite',
    why: 'NULL suites do not encrypt, and export suites are broken in hours. A session with such a suite is not protected.',
    reference: 'RFC 9325 §4.1',
    owner: 'mail-host',
    fix: 'Exclude NULL and export suites.',
    steps: set('smtpd_tls_exclude_ciphers = eNULL, EXPORT'),
  },
  /**
   * Raised when TLS 1.2 is the newest version, and the server refuses every suite with
   * ephemeral elliptic curve key exchange and a current cipher. The severity is fail if a
   * policy requires TLS, since senders that follow RFC 10015 then offer no other suite.
   */
  'tls-outdated-suites': {
    topic: 'cipher',
    title: 'The server has no current cipher suite',
    passed: 'Every mail host has a current cipher suite',
    why: ({ instead }) =>
      `RFC 10015 forbids static RSA and finite-field Diffie-Hellman in TLS 1.2. Senders that follow it and require TLS ${instead}. Other senders still use these suites.`,
    reference: 'RFC 10015 §2, §3, §4, RFC 9325 §4.1',
    owner: 'mail-host',
    fix: 'Offer suites with ECDHE and AES-GCM, and TLS 1.3.',
    steps: (findingValues) => [
      command(
        'Remove your own suites and curves: the defaults of Postfix have current ones.',
        'postconf -X smtpd_tls_exclude_ciphers tls_medium_cipherlist tls_eecdh_auto_curves',
      ),
      reloadPostfix,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a suite outside the lists of the profile is accepted. Only profiles with
   * a closed list ask this question; the severity depends on the guideline.
   */
  'tls-unlisted-suite': {
    topic: 'cipher',
    title: withDetail('The server accepts a suite outside the profile'),
    passed: 'Every mail host accepts only suites of the profile',
    why: weakBeatsPlaintext,
    reference: 'RFC 9325 §4.2',
    owner: 'mail-host',
    fix: 'Count the sessions that need this suite. Then offer only the suites of the profile.',
    steps: firstCount(
      command(
        "Print the settings of Mozilla's guidelines 6.0. The command supports Exim and OpenSMTPD too.",
        'hermetic config postfix',
      ),
    ),
  },
  /**
   * Raised when a suite is accepted that the guideline still tolerates and plans to
   * remove. The severity is at most warn, so that a server can follow the guideline's own
   * schedule.
   */
  'tls-phase-out-suite': {
    topic: 'cipher',
    title: withDetail('The server accepts a suite that is being phased out'),
    passed: 'No mail host accepts a suite that is being phased out',
    why: weakBeatsPlaintext,
    reference: 'RFC 9325 §4.2',
    owner: 'mail-host',
    fix: 'Count the sessions that need this suite, and exclude it when no session does.',
    steps: firstCount(),
  },
  /**
   * Raised when a version that the profile requires is refused. A version that could not
   * be tested does not raise this finding.
   */
  'tls-missing-version': {
    topic: 'tls-version',
    title: withDetail('A TLS version of the profile is missing'),
    passed: 'Every mail host offers each TLS version of the profile',
    why: 'Senders that accept only current versions have no version in common with this server. They fall back to plaintext or defer the mail.',
    reference: 'RFC 9325 §3.1.1',
    owner: 'mail-host',
    fix: 'Offer TLS 1.2 and 1.3.',
    steps: (findingValues) => [
      postfixStep('smtpd_tls_protocols = >=TLSv1'),
      ...libraryVersion('1.1.1 and later have TLS 1.3')(findingValues),
    ],
  },
  /**
   * Raised when a group below the guideline's strength is accepted. Key exchange is
   * graded more strictly than suites, since recorded sessions can be decrypted years
   * later.
   */
  'tls-weak-group': {
    topic: 'cipher',
    title: withDetail('The server accepts a weak key exchange group'),
    passed: 'No mail host accepts a weak key exchange group',
    why: 'An attacker who breaks the key exchange reads every session that used the group, even later.',
    reference: 'RFC 9325 §4.3',
    owner: 'mail-host',
    fix: 'Offer X25519, P-256 and P-384.',
    steps: strongGroups,
  },
  /**
   * Raised when a group is accepted that the guideline tolerates for now. No
   * attack is known, so the severity is info.
   */
  'tls-phase-out-group': {
    topic: 'cipher',
    title: withDetail('The server accepts a group that is being phased out'),
    passed: 'No mail host accepts a group that is being phased out',
    why: 'The group is not broken, but newer groups are faster and safer.',
    reference: 'RFC 9325 §4.3',
    owner: 'mail-host',
    fix: 'Prefer X25519, P-256 and P-384.',
    steps: strongGroups,
  },
  /**
   * Raised when the prime of the server's DHE group has fewer bits than the profile
   * requires. The prime is read from ServerKeyExchange, so one handshake with DHE is
   * enough evidence.
   */
  'tls-weak-dhe': {
    topic: 'cipher',
    title: withDetail('The finite-field group of DHE is small'),
    passed: 'The finite-field group of DHE is large enough',
    why: 'States can break groups of 1024 bits. An attacker who breaks one group can read the sessions of every server that uses it.',
    reference: 'RFC 9325 §4.3',
    owner: 'mail-host',
    fix: 'Use a group of RFC 7919 with at least 2048 bits, or no DHE at all (RFC 10015).',
    // postconf(5): custom DH parameters are not recommended from Postfix 3.7 on.
    steps: (findingValues) => [
      command(
        'Remove your own parameters. Postfix 3.1 and later use 2048 bits; from 3.7 on, OpenSSL 3 chooses the group.',
        'postconf -X smtpd_tls_dh1024_param_file',
      ),
      reloadPostfix,
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a server completes a hello that offers only SHA-1 signatures for the key
   * exchange. The attack needs a collision during the handshake, so the severity is info
   * in profiles for mail.
   */
  'tls-weak-handshake-signature': {
    topic: 'cipher',
    title: withDetail('The key exchange can be signed with SHA-1'),
    passed: 'No mail host signs the key exchange with SHA-1',
    why: 'SHA-1 signatures can be forged with effort. No current sender asks for SHA-1.',
    reference: 'RFC 9155 §2',
    owner: 'mail-host',
    fix: 'Update OpenSSL when convenient: its default security level refuses SHA-1.',
    steps: libraryVersion('3.0 and later refuse SHA-1 at their default level'),
  },
  /**
   * Raised when the server follows the client's order and selects a worse suite than the
   * best that both support. The order matters only for clients that list weak suites
   * first.
   */
  'tls-order': {
    topic: 'cipher',
    title: "The client's order of suites decides",
    passed: "The server's order of suites decides",
    why: 'Old senders that list weak suites first get a weak suite, although both sides support better suites.',
    reference: 'RFC 9325 §4.2.1',
    owner: 'mail-host',
    fix: "Let the server's order decide.",
    steps: set('tls_preempt_cipherlist = yes'),
  },
  /**
   * Raised when the server selects a compression method other than null. CRIME needs an
   * attacker who controls part of the plaintext, which in mail is easy: the attacker
   * sends a message.
   */
  'tls-compression': {
    topic: 'cipher',
    title: 'The server accepts TLS compression',
    passed: 'Every mail host refuses TLS compression',
    why: 'Compression before encryption reveals contents by their size (CRIME).',
    reference: 'RFC 9325 §3.3',
    owner: 'mail-host',
    fix: 'Switch compression off.',
    steps: set('tls_ssl_options = NO_COMPRESSION'),
  },
  /**
   * Raised when a TLS 1.2 answer lacks the extension of RFC 7627. TLS 1.3 always has this
   * property, so the check does not test servers with TLS 1.3 alone.
   */
  'tls-no-extended-master-secret': {
    topic: 'tls-version',
    title: 'TLS 1.2 lacks the extended master secret',
    passed: 'TLS 1.2 has the extended master secret',
    why: 'An attacker can make two sessions share their keys (triple handshake attack).',
    reference: 'RFC 9325 §3.5, RFC 9846 §D',
    owner: 'mail-host',
    fix: 'Update the TLS library.',
    steps: libraryVersion('1.1.0 and later have it'),
  },
  /**
   * Raised when a TLS 1.2 answer lacks the extension of RFC 5746. An attacker can then
   * insert their own data before the sender's data in one session.
   */
  'tls-no-secure-renegotiation': {
    topic: 'tls-version',
    title: 'TLS 1.2 lacks secure renegotiation',
    passed: 'TLS 1.2 has secure renegotiation',
    why: 'An on-path attacker can insert commands before the session of a sender.',
    reference: 'RFC 5746 §4.4',
    owner: 'mail-host',
    fix: 'Update the TLS library.',
    steps: libraryVersion('0.9.8m and later have it'),
  },
  /**
   * Raised when the server starts a second handshake on the client's request.
   * Renegotiation costs processing time and harms no confidentiality, so the severity is
   * info.
   */
  'tls-renegotiation': {
    topic: 'tls-version',
    title: 'Clients can start a renegotiation',
    passed: 'Clients cannot start a renegotiation',
    why: 'Each renegotiation costs the server a handshake and the client almost nothing. A few clients can overload the server.',
    reference: 'RFC 9325 §3.5',
    owner: 'mail-host',
    fix: 'Switch off renegotiation by clients.',
    steps: set('tls_ssl_options = NO_RENEGOTIATION'),
  },
  /**
   * Raised when the budget of connections was spent, or the server stopped answering,
   * before every question of the profile had an answer. The finding lists the open
   * questions, so that readers do not mistake a result without faults for a complete one.
   */
  'tls-unsettled': {
    topic: 'network',
    title: withDetail('Some TLS tests have no result'),
    why: 'Each test needs a connection of its own. A test without a result is neither good nor bad.',
    reference: 'RFC 9325 §4',
    owner: 'own-network',
    fix: 'Continue later from the saved evidence, with longer pauses or a larger budget.',
    steps: (findingValues) => [
      command('Save the evidence.', checkCommand(findingValues, ' --evidence seen.json')),
      wait('If the server refused connections, wait an hour or more.'),
      command('Continue from it.', checkCommand(findingValues, ' --resume seen.json --spacing 30')),
    ],
  },
  /**
   * Raised when the server answers a ClientHello with many cipher suites with an alert,
   * and accepts one of these suites from a shorter list. The cause is the number of
   * suites, unlike the cause of `tls-large-hello`, which is the number of octets.
   */
  'tls-hello-intolerant': {
    topic: 'starttls',
    title: 'The server refuses a ClientHello with many cipher suites',
    passed: 'Every mail host accepts a ClientHello with many cipher suites',
    why: 'The server accepts one of these suites only in a shorter list. Senders that offer a long list cannot start TLS with this server.',
    reference: 'RFC 9846 §4.2.2',
    owner: 'mail-host',
    fix: 'Update the mail server, or the device that terminates TLS in front of it.',
    steps: (findingValues) => [
      command(
        'Send a ClientHello with many cipher suites.',
        `openssl s_client -starttls smtp -connect ${findingValues.host}:25 -servername ${findingValues.host} -cipher ALL:COMPLEMENTOFALL@SECLEVEL=0`,
      ),
      confirm(
        'If only a short list of suites works, rule out firewalls and proxies that read the handshake.',
      ),
      command(
        'Print both versions, and update the program that terminates TLS.',
        'openssl version; postconf mail_version',
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a hybrid group of RFC 10024 is selected. The severity is good, and no
   * profile requires a hybrid group, since few senders offer one yet.
   */
  'tls-pq-good': {
    topic: 'cipher',
    title: withDetail('Post-quantum key exchange is offered'),
    why: 'Mail recorded today stays unreadable for later quantum computers. RFC 10024 defines X25519MLKEM768, SecP256r1MLKEM768 and SecP384r1MLKEM1024.',
    reference: 'RFC 10024',
    owner: 'mail-host',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  /**
   * Raised when a group is selected that exists in drafts only, such as a Kyber hybrid.
   * This finding is separate from `tls-pq-good`, because support may disappear with the
   * next draft.
   */
  'tls-pq-draft-good': {
    topic: 'cipher',
    title: withDetail('A draft of post-quantum key exchange is offered'),
    why: 'The draft protects recorded mail too. No RFC defines the group, so few senders offer it and it may change.',
    reference: 'draft-ietf-tls-mlkem',
    owner: 'mail-host',
    fix: 'Offer X25519MLKEM768 (RFC 10024) as well.',
    steps: noSteps,
  },
  /**
   * Raised when addresses of one host, or port 25 and a submission port, differ in
   * STARTTLS. The comparison shows that the server supports TLS, so a setting or a device
   * causes the missing keyword.
   */
  'starttls-differs': {
    topic: 'starttls',
    title: 'Only some addresses or ports offer TLS',
    passed: 'All addresses of a host offer the same TLS',
    why: (findingValues) =>
      `${findingValues.detail} Senders that reach an address without TLS send in plaintext. An attacker on the path to one address can cause the same difference.`,
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Configure all addresses and ports the same way. If the configurations are equal, look for a device in front of the address that differs.',
    steps: (findingValues) => [
      command(
        'Compare greeting and EHLO of the addresses.',
        checkCommand(findingValues, ' --transcript'),
      ),
      command(
        'Show the setting on every server behind the addresses.',
        'postconf smtpd_tls_security_level',
      ),
      confirm(
        'If the settings are the same, check from another network: a device in front of one address removes STARTTLS.',
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the profile requires DANE and TLSA records are not in force for every
   * host. A profile can accept an enforced MTA-STS policy instead.
   */
  'dane-required': {
    topic: 'dane',
    title: 'The profile requires DANE',
    passed: 'DANE is in force, as the profile requires',
    why: 'Without TLSA records in a signed zone, senders with DANE cannot require TLS.',
    reference: 'RFC 7672 §1.3',
    owner: 'dns-host',
    fix: 'Sign the zones with DNSSEC, then publish TLSA records for the keys in use.',
    steps: (findingValues) => [
      command('Print the records to publish.', recordsCommand(findingValues)),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the key of a certificate is above the weak limit and below the length
   * that the profile asks for. The severity is warn: the guidelines set this length for
   * data that must stay secret for years.
   */
  'cert-short-key': {
    topic: 'certificate',
    title: withDetail('A chain key is shorter than the profile requires'),
    passed: 'The keys of the chain are as long as the profile requires',
    why: 'The key cannot be broken today. An attacker who later breaks the key can impersonate the server, and read recorded sessions without forward secrecy.',
    reference: 'RFC 9325 §4.3',
    owner: 'mail-host',
    fix: ({ advice }) =>
      advice ??
      'Use a longer key, or P-256, at the next renewal. With DANE, publish the TLSA record of the new key first.',
    steps: (findingValues) => [checkAgain(findingValues)],
  },
} satisfies Record<string, FindingEntry>;
