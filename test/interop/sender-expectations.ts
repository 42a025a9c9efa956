import type { CaseVerdict } from '../../src/sender/index.js';

/** The verdict of each case, by the initial of the verdict. */
export type Expected = Readonly<Record<string, CaseVerdict>>;

const words = {
  V: 'delivered-verified',
  T: 'delivered-unverified',
  P: 'delivered-in-plaintext',
  R: 'refused',
  D: 'deferred',
} as const satisfies Record<string, CaseVerdict>;

/**
 * Returns the verdicts of the cases that a text lists after each initial, as in
 * `P: clear sts-clear`.
 */
function verdicts(...lines: readonly string[]): Expected {
  const found: Record<string, CaseVerdict> = {};
  for (const line of lines) {
    const [initial = 'D', ids = ''] = line.split(': ');
    for (const id of ids.split(' ')) found[id] = words[initial as keyof typeof words];
  }
  return found;
}

const badCertificates = 'self-signed expired wrong-name';
const voidPolicies =
  'sts-testing sts-none sts-policy-cert sts-redirect sts-not-found sts-wrong-type sts-two-records';
const authentic = 'dane dane-expired dane-ta both dane-ok-sts-bad requiretls requiretls-absent';
const againstDane = 'dane-ta-name dane-mismatch dane-clear dane-bogus-tlsa sts-ok-dane-bad';
const againstSts = 'sts-self-signed sts-expired sts-wrong-name sts-clear sts-mx sts-cached';

/**
 * A sender with TLS if the server offers it (RFC 7435), a validating resolver and no
 * policy. The sender continues in plaintext after 454 to STARTTLS (RFC 3207 §4).
 */
const opportunistic = verdicts(
  `T: plain ${badCertificates} tls10 tls11 tls12 tls13 old-ciphers large-hello`,
  'T: client-certificate second-mx v4',
  'P: clear starttls-454 sts-clear dane-clear sts-cached',
  `T: sts sts-self-signed sts-expired sts-wrong-name sts-mx ${voidPolicies} report`,
  `T: ${authentic} dane-ta-name dane-mismatch dane-bogus-tlsa sts-ok-dane-bad`,
  'T: dane-insecure dane-unusable',
  'R: bogus-mx',
);

/** DANE if the domain publishes it, else opportunistic TLS (RFC 7672 §2.2). */
const dane = verdicts(`V: ${authentic}`, `R: ${againstDane}`);
/** MTA-STS if the domain publishes it, else opportunistic TLS (RFC 8461 §5). */
const sts = verdicts('V: sts', `R: ${againstSts}`);

/**
 * Postfix, postconf(5), smtp_tls_security_level. After a failed handshake, Postfix defers
 * the mail and tries plaintext after minimal_backoff_time (smtp_tls_security_level,
 * "may"); without DANE it sends no SNI (smtp_tls_servername). The cipher grades of
 * Postfix include static RSA (tls_medium_cipherlist), and the groups exclude ML-KEM
 * before Postfix 3.11 (tls_eecdh_auto_curves).
 */
const postfixMay: Expected = {
  ...opportunistic,
  ...verdicts('D: handshake-broken pq needs-sni'),
};
/** "encrypt": no plaintext, no verification. */
const postfixEncrypt: Expected = {
  ...postfixMay,
  ...verdicts('R: clear starttls-454 sts-clear dane-clear sts-cached'),
};
/**
 * "verify" and "secure": a trusted chain and a matching name everywhere, so DANE-EE and
 * void policies with a self-signed certificate are refused too. smtp_tls_mandatory_protocols
 * excludes TLS 1.0 and 1.1.
 */
const postfixVerify: Expected = {
  ...postfixEncrypt,
  ...verdicts(
    `R: ${badCertificates} sts-self-signed sts-expired sts-wrong-name ${voidPolicies} report`,
    'R: dane dane-expired dane-ta dane-ta-name dane-insecure dane-unusable dane-ok-sts-bad',
    'R: tls10 tls11',
    'V: plain tls12 tls13 old-ciphers large-hello client-certificate second-mx v4 sts sts-mx',
    'V: dane-mismatch dane-bogus-tlsa both sts-ok-dane-bad requiretls requiretls-absent',
  ),
};
/** "dane": as RFC 7672 specifies; "may" if a domain has no usable TLSA records. */
const postfixDane: Expected = { ...postfixMay, ...dane };
/** The answers of `hermetic serve` over "may": DANE and MTA-STS, by domain. */
const postfixSocketmap: Expected = { ...postfixMay, ...sts, ...dane };
/**
 * The answers of postfix-mta-sts-resolver over "dane": `secure` for every policy in mode
 * enforce, which replaces DANE (README, "Warning").
 */
const postfixStsResolver: Expected = {
  ...postfixDane,
  ...sts,
  ...verdicts('V: both sts-ok-dane-bad requiretls requiretls-absent', 'R: dane-ok-sts-bad'),
};
/** "none": TLS is not used. Every delivery is in plaintext. */
const postfixNone: Expected = Object.fromEntries(
  Object.keys(postfixMay).map((id) => [id, id === 'bogus-mx' ? words.R : words.P]),
);

/**
 * Exim, spec chapter 30: tls_tempfail_tryclear is true, so Exim immediately tries
 * plaintext after a failed handshake; tls_sni is empty, so only DANE sends SNI.
 * hosts_try_dane is * by default, and counts only if the resolver is trusted with the AD
 * bit (chapter 43).
 */
const eximClear: Expected = {
  ...opportunistic,
  ...verdicts('P: handshake-broken pq needs-sni'),
};
const eximDane: Expected = { ...eximClear, ...dane };
/** hosts_require_tls: no plaintext, and no verification. */
const eximTls: Expected = {
  ...eximClear,
  ...verdicts('R: clear starttls-454 sts-clear dane-clear sts-cached'),
  ...verdicts('D: handshake-broken pq needs-sni'),
};

/**
 * OpenSMTPD, smtpd.conf(5): relay without `tls` is opportunistic, and there is no DANE.
 * OpenSMTPD supports TLS 1.2 and newer, and tries plaintext after a failed handshake.
 */
const openSmtpd: Expected = {
  ...opportunistic,
  ...verdicts('P: handshake-broken pq needs-sni tls10 tls11'),
};

/**
 * relay tls: TLS is required, and the certificate is verified with the name of the MX
 * host. `no-verify` accepts any certificate.
 */
const openSmtpdNoVerify: Expected = {
  ...openSmtpd,
  ...verdicts('R: clear starttls-454 sts-clear dane-clear sts-cached tls10 tls11'),
  ...verdicts('D: handshake-broken pq needs-sni'),
};
const openSmtpdTls: Expected = {
  ...openSmtpdNoVerify,
  ...verdicts(
    `R: ${badCertificates} sts-self-signed sts-expired sts-wrong-name ${voidPolicies} report`,
    'R: dane dane-expired dane-ta dane-ta-name dane-insecure dane-unusable dane-ok-sts-bad',
    'V: plain tls12 tls13 old-ciphers large-hello client-certificate second-mx v4 sts sts-mx',
    'V: dane-mismatch dane-bogus-tlsa both sts-ok-dane-bad requiretls requiretls-absent',
  ),
};

/** swaks connects to one MX host, so it never delivers the message to `second-mx`. */
const withoutSecondMx = Object.fromEntries(
  Object.entries(opportunistic).filter(([id]) => id !== 'second-mx'),
);
/**
 * swaks(1), --tls-optional-strict: TLS if the server offers it, without verification, and
 * an error if the handshake fails. The OpenSSL of swaks refuses TLS 1.0 and 1.1 at the
 * default security level.
 */
const swaks: Expected = {
  ...withoutSecondMx,
  ...verdicts('R: starttls-454 tls10 tls11', 'D: handshake-broken pq needs-sni'),
};

/** The expected verdicts by configuration. */
export const expectedVerdicts: Readonly<Record<string, Expected>> = {
  none: postfixNone,
  may: postfixMay,
  encrypt: postfixEncrypt,
  dane: postfixDane,
  verify: postfixVerify,
  secure: postfixVerify,
  socketmap: postfixSocketmap,
  'sts-resolver': postfixStsResolver,
  swaks,
  exim: eximDane,
  'exim-no-dane': eximClear,
  'exim-untrusted': eximClear,
  'exim-tls': eximTls,
  opensmtpd: openSmtpd,
  'opensmtpd-tls': openSmtpdTls,
  'opensmtpd-no-verify': openSmtpdNoVerify,
};
