import {
  checkAgain,
  command,
  config,
  confirm,
  noSteps,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

const count = command(
  `grep -hoE '(TLSv[0-9.]+|SSLv3) with cipher [A-Z0-9-]+' /var/log/mail.log* | sort | uniq -c   (sessions that still need it)`,
);
const log = config('Postfix, main.cf: smtpd_tls_loglevel = 1');
const named = (what: string) => (v: FindingValues) => (v.detail ? `${what}: ${v.detail}` : what);
const firstCount =
  (...more: ReturnType<typeof config>[]) =>
  (v: FindingValues) => [log, count, ...more, checkAgain(v)];
const softly =
  'Weak TLS is still better than clear text, to which a sender without anything better falls back: count first, then narrow.';

/** Versions, suites, groups and features. */
export const tlsFindings = {
  'tls-broken-suite': {
    title: named('A suite without encryption, or an export suite, is accepted'),
    why: 'NULL suites send the mail in clear inside TLS, export suites are broken in hours: a sender believes it is protected and is not.',
    reference: 'RFC 9325 §4.1',
    owner: 'mail-host',
    fix: 'Leave NULL and export suites out.',
    steps: (v) => [
      config('Postfix, main.cf: smtpd_tls_exclude_ciphers = eNULL, EXPORT'),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'tls-unlisted-suite': {
    title: named('A suite outside the profile is accepted'),
    why: softly,
    reference: 'RFC 9325 §4.2',
    owner: 'mail-host',
    fix: 'First count the sessions that need it; then offer only what the profile lists.',
    steps: firstCount(
      command(
        'hermetic config postfix   (or exim, or opensmtpd: settings by Mozilla’s guidelines 6.0)',
      ),
    ),
  },
  'tls-phase-out-suite': {
    title: named('A suite that is being phased out is accepted'),
    why: softly,
    reference: 'RFC 9325 §4.2',
    owner: 'mail-host',
    fix: 'Plan its end: count the sessions that need it, and leave it out when there are none.',
    steps: firstCount(),
  },
  'tls-missing-version': {
    title: named('A version that the profile asks for is not spoken'),
    why: 'Senders that accept only current versions cannot agree on one with this server, and fall back to clear text or give up.',
    reference: 'RFC 9325 §3.1.1',
    owner: 'mail-host',
    fix: 'Offer TLS 1.2 and 1.3.',
    steps: (v) => [
      config('Postfix, main.cf: smtpd_tls_protocols = >=TLSv1'),
      command('openssl version   (1.1.1 or later has TLS 1.3)'),
      checkAgain(v),
    ],
  },
  'tls-weak-group': {
    title: named('A weak group is accepted for the key exchange'),
    why: 'Who breaks the key exchange reads every session that used the group, even later.',
    reference: 'RFC 9325 §4.3',
    owner: 'mail-host',
    fix: 'Offer X25519, P-256 and P-384.',
    steps: (v) => [
      config('Postfix, main.cf: tls_eecdh_auto_curves = X25519 prime256v1 secp384r1'),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'tls-phase-out-group': {
    title: named('A group that is being phased out is accepted'),
    why: 'It is not broken, but newer groups are faster and safer.',
    reference: 'RFC 9325 §4.3',
    owner: 'mail-host',
    fix: 'Prefer X25519, P-256 and P-384.',
    steps: (v) => [
      config('Postfix, main.cf: tls_eecdh_auto_curves = X25519 prime256v1 secp384r1'),
      checkAgain(v),
    ],
  },
  'tls-weak-dhe': {
    title: named('The finite-field group of DHE is small'),
    why: 'Groups of 1024 bits are within reach of states; all servers that share one fall together.',
    reference: 'RFC 9325 §4.3',
    owner: 'mail-host',
    fix: 'Use a group of RFC 7919 with at least 2048 bits.',
    steps: (v) => [
      command('openssl dhparam -out /etc/postfix/dh.pem 3072'),
      config('Postfix, main.cf: smtpd_tls_dh1024_param_file = /etc/postfix/dh.pem'),
      checkAgain(v),
    ],
  },
  'tls-weak-handshake-signature': {
    title: named('The key exchange is signed with SHA-1 when asked so'),
    why: 'SHA-1 signatures can be forged with effort; a client of today never asks for them.',
    reference: 'RFC 9155 §2',
    owner: 'mail-host',
    fix: 'Nothing is urgent: a newer OpenSSL with its default security level refuses SHA-1.',
    steps: (v) => [
      command('openssl version   (3.0 or later refuses SHA-1 at its default level)'),
      checkAgain(v),
    ],
  },
  'tls-order': {
    title: "The client's order of suites decides",
    why: 'Old clients that list weak suites first get them, although both sides could do better.',
    reference: 'RFC 9325 §4.2.1',
    owner: 'mail-host',
    fix: "Let the server's order decide.",
    steps: (v) => [
      config('Postfix, main.cf: tls_preempt_cipherlist = yes'),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'tls-compression': {
    title: 'TLS compression is accepted',
    why: 'Compression before encryption leaks contents by their size (CRIME).',
    reference: 'RFC 9325 §3.3',
    owner: 'mail-host',
    fix: 'Switch compression off.',
    steps: (v) => [
      config('Postfix, main.cf: tls_ssl_options = NO_COMPRESSION'),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'tls-no-extended-master-secret': {
    title: 'TLS 1.2 without the extended master secret',
    why: 'Two sessions can be made to share their keys, which some attacks build on (triple handshake).',
    reference: 'RFC 9325 §3.5, RFC 9846 §D',
    owner: 'mail-host',
    fix: 'Update the TLS library.',
    steps: (v) => [command('openssl version   (1.1.0 or later has it)'), checkAgain(v)],
  },
  'tls-no-secure-renegotiation': {
    title: 'TLS 1.2 without secure renegotiation',
    why: "An attacker can put a session of its own in front of a sender's.",
    reference: 'RFC 5746 §4.4',
    owner: 'mail-host',
    fix: 'Update the TLS library.',
    steps: (v) => [command('openssl version   (0.9.8m or later has it)'), checkAgain(v)],
  },
  'tls-renegotiation': {
    title: 'Clients can ask for renegotiation',
    why: 'Each costs the server a whole handshake and the client almost nothing: few clients can keep it busy.',
    reference: 'RFC 9325 §3.5',
    owner: 'mail-host',
    fix: 'Switch renegotiation asked for by clients off.',
    steps: (v) => [
      config('Postfix, main.cf: tls_ssl_options = NO_RENEGOTIATION'),
      command('systemctl reload postfix'),
      checkAgain(v),
    ],
  },
  'tls-unsettled': {
    title: (v) => `Not all of its TLS is known: ${v.detail}`,
    why: 'Each question takes a connection. What was not asked is neither good nor bad.',
    reference: 'RFC 9325 §4',
    owner: 'own-network',
    fix: 'Go on later from what was seen, more slowly, or with a larger budget.',
    steps: (v) => [
      command(`hermetic check ${v.domain} --evidence seen.json`),
      { kind: 'wait', text: 'An hour or more, when the server turned us away.' },
      command(`hermetic check ${v.domain} --resume seen.json --spacing 30`),
    ],
  },
  'tls-hello-intolerant': {
    title: 'A large ClientHello is refused, a smaller one taken',
    why: 'Hellos grow with post-quantum keys: senders that send them will not reach this server by TLS.',
    reference: 'RFC 9846 §4.2.2',
    owner: 'mail-host',
    fix: 'Update the mail server or whatever terminates TLS before it.',
    steps: (v) => [
      command(
        `openssl s_client -starttls smtp -connect ${v.host}:25 -servername ${v.host} -cipher ALL:COMPLEMENTOFALL@SECLEVEL=0`,
      ),
      confirm(
        'If that fails where a short list of suites works: no firewall, proxy or load balancer reads the handshake on the way.',
      ),
      command(
        'openssl version; postconf mail_version   (update both, then whatever terminates TLS before the server)',
      ),
      checkAgain(v),
    ],
  },
  'tls-pq-good': {
    title: (v) => `Post-quantum key exchange is offered (${v.detail})`,
    why: 'Mail recorded today stays closed to later quantum computers. The groups are X25519MLKEM768, SecP256r1MLKEM768 and SecP384r1MLKEM1024.',
    reference: 'RFC 10024',
    owner: 'mail-host',
    fix: 'Nothing has to be done.',
    steps: noSteps,
  },
  'tls-pq-draft-good': {
    title: (v) => `Post-quantum key exchange of a draft is offered (${v.detail})`,
    why: 'It protects recorded mail too, but no RFC defines the group: few senders offer it, and it may change.',
    reference: 'draft-ietf-tls-mlkem',
    owner: 'mail-host',
    fix: 'Offer X25519MLKEM768 (RFC 10024) as well.',
    steps: noSteps,
  },
  'starttls-differs': {
    title: 'Some addresses or ports of this host offer TLS, others do not',
    why: (v) =>
      `${v.detail} A sender that meets the wrong one first sends in clear text; one network path may also be tampered with.`,
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: 'Configure all of them alike; if they are, look for a device on the path of the odd one.',
    steps: (v) => [
      command(
        `hermetic check ${v.domain} --transcript   (compare greeting and EHLO of the addresses)`,
      ),
      confirm(
        'Every address leads to a server with the same configuration; on each: postconf smtpd_tls_security_level',
      ),
      confirm(
        `If they are alike, check from another network: a device on the path of one address takes STARTTLS away.`,
      ),
      checkAgain(v),
    ],
  },
  'dane-required': {
    title: 'The profile asks for DANE',
    why: 'Without TLSA records in a signed zone no DANE sender can insist on TLS.',
    reference: 'RFC 7672 §1.3',
    owner: 'dns-host',
    fix: 'Sign the zones with DNSSEC, then publish TLSA records for the keys in use.',
    steps: (v) => [command(`hermetic records ${v.domain}`), checkAgain(v)],
  },
  'cert-short-key': {
    title: named('The certificate’s key is shorter than the profile wants'),
    why: 'It is not within reach today, but mail recorded today can be opened when it is.',
    reference: 'RFC 9325 §4.3',
    owner: 'mail-host',
    fix: 'Take a longer key, or P-256, at the next renewal; with DANE publish its TLSA record first.',
    steps: (v) => [checkAgain(v)],
  },
} satisfies Record<string, FindingEntry>;
