import assert from 'node:assert/strict';
import test from 'node:test';
import { senderCases } from '../cases/all-cases.js';
import { readExim } from './exim/read-exim.js';
import { readOpenSmtpd } from './opensmtpd/read-opensmtpd.js';
import { readPostfix } from './postfix/read-postfix.js';
import { predictSender } from './prediction.js';
import type { SenderModel } from './sender-model.js';
import { parseTlsLibrary, splitTlsLibrary } from './tls-library.js';

/** Returns the verdicts of the cases that the TLS library decides, by their initials. */
function byLibrary(model: SenderModel): string {
  const ids = ['tls10', 'tls11', 'old-ciphers', 'large-hello', 'pq'];
  const { cases } = predictSender(model, senderCases);
  return ids
    .map((id) => cases.find((one) => one.case === id)?.verdict ?? 'absent')
    .map((verdict) => verdict.replace('delivered-', '').slice(0, 2))
    .join(' ');
}

function postfix(lines: readonly string[], tlsLibrary: string): string {
  return byLibrary(
    readPostfix({
      text: lines.join('\n'),
      readTable: () => ({ ok: false, reason: 'no such file' }),
      domain: 'recipient.example',
      version: '3.7.11',
      tlsLibrary,
    }),
  );
}

const may = ['smtp_tls_security_level = may'];
const secure = [
  'smtp_tls_security_level = secure',
  'smtp_tls_secure_cert_match = hostname',
  'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt',
];
const openssl30 = 'OpenSSL 3.0.19 27 Jan 2026\n';
const openssl35 = 'OpenSSL 3.5.4 30 Sep 2025\n';
const built = (level: number): string =>
  `compiler: gcc -O2 -DOPENSSL_TLS_SECURITY_LEVEL=${level}\n`;
const cnf = (...lines: readonly string[]): string =>
  [
    'openssl_conf = init',
    '[init]',
    'ssl_conf = ssl_sect',
    '[ ssl_sect ]',
    'system_default = defaults',
    '[defaults]',
    ...lines,
    '[other]',
    'CipherString = DEFAULT@SECLEVEL=0',
  ].join('\n');

const postfixTable: readonly (readonly [name: string, lines: readonly string[], string, string])[] =
  [
    ['without a library', may, '', 'un un ca un in'],
    ['with OpenSSL 3.0', may, openssl30, 'un un un un in'],
    ['with OpenSSL 3.0, authenticated', secure, openssl30, 'de de ve ve de'],
    [
      'with OpenSSL 1.1.1, authenticated',
      secure,
      'OpenSSL 1.1.1w  11 Sep 2023\n',
      've ve ve ve de',
    ],
    [
      'with static RSA excluded',
      [...may, 'smtp_tls_exclude_ciphers = kRSA'],
      openssl30,
      'un un ca un in',
    ],
    [
      'with harmless exclusions',
      [...may, 'smtp_tls_exclude_ciphers = aNULL, RC4'],
      openssl30,
      'un un un un in',
    ],
    [
      'with groups of the library',
      [...may, 'tls_eecdh_auto_curves ='],
      openssl35 + cnf(),
      'un un un in un',
    ],
    [
      'with an own list of suites',
      [...may, 'tls_medium_cipherlist = HIGH'],
      openssl30,
      'un un ca un in',
    ],
    ['with OpenSSL 4.0', may, 'OpenSSL 4.0.0 14 Apr 2026\n', 'un un ca un in'],
  ];
for (const [name, lines, library, expected] of postfixTable)
  test(`Postfix ${name}: ${expected}`, () => {
    assert.equal(postfix(lines, library), expected);
  });

test('MinProtocol counts without a lower bound of Postfix', () => {
  const lines = [...may, 'smtp_tls_protocols = !SSLv2, !SSLv3'];
  assert.equal(postfix(lines, openssl30), 'ca ca un un in');
  assert.equal(postfix(lines, openssl30 + cnf('MinProtocol = TLSv1.2')), 'in in un un in');
  assert.equal(postfix(lines, openssl30 + cnf('MinProtocol = TLSv1')), 'un un un un in');
  assert.equal(postfix(lines, openssl30 + cnf()), 'un un un un in');
  assert.equal(postfix(lines, `${openssl30}.include /etc/more.cnf\n${cnf()}`), 'ca ca un un in');
});

const smtpd = 'action "out" relay\nmatch for any action "out"\n';
const opensmtpd = (tlsLibrary: string, text = smtpd): string =>
  byLibrary(readOpenSmtpd({ text, domain: 'recipient.example', version: '6.8.0', tlsLibrary }));

test('the library of OpenSMTPD decides by its level and groups', () => {
  assert.equal(opensmtpd(''), 'in in ca ca ca');
  assert.equal(opensmtpd(openssl30 + built(2) + cnf()), 'in in un un in');
  assert.equal(opensmtpd(openssl30 + built(2)), 'in in ca un in');
  assert.equal(opensmtpd(openssl35 + built(2) + cnf()), 'in in un in un');
  assert.equal(opensmtpd(openssl35 + built(3) + cnf()), 'in in in in un');
  assert.equal(opensmtpd(openssl35 + built(2) + cnf('Groups = X25519:P-256')), 'in in un un in');
  assert.equal(
    opensmtpd(openssl35 + built(1) + cnf('CipherString = DEFAULT:@SECLEVEL=3')),
    'in in in in un',
  );
  const ciphers = 'action "out" relay tls no-verify ciphers "HIGH"\nmatch for any action "out"\n';
  assert.match(opensmtpd(openssl30 + built(2) + cnf(), ciphers), / ca /);
});

/** Returns the output of Exim with the options that decide in these tests. */
function exim(library: string, ciphers = '', support = 'GnuTLS'): string {
  const text = `Exim version 4.96 #2 built 26-Nov-2023 14:26:47
Support for: IPv6 ${support} DANE
${library}
no_disable_ipv6
${support === 'OpenSSL' ? 'openssl_options = +no_sslv2' : ''}
remote_smtp transport:
driver = smtp
hosts_avoid_tls =
hosts_require_dane =
hosts_require_tls =
hosts_try_dane =
protocol = smtp
tls_require_ciphers = ${ciphers}
tls_sni =
tls_tempfail_tryclear
tls_try_verify_hosts = *
tls_verify_cert_hostnames = *
tls_verify_certificates = system
tls_verify_hosts =
`;
  return byLibrary(readExim({ text, domain: 'recipient.example', tlsLibrary: '' }));
}

test('exim -d-all+tls -bV names the library', () => {
  const gnutls = 'Library version: GnuTLS: Compile: 3.7.9\n                         Runtime: 3.7.9';
  assert.equal(exim(gnutls), 'un un un un in');
  assert.equal(exim(gnutls.replaceAll('3.7.9', '3.9.1')), 'ca ca ca ca ca');
  assert.equal(exim(gnutls, 'NORMAL:-VERS-TLS1.0'), 'in un un un in');
  assert.equal(exim(gnutls, 'SECURE256'), 'un un ca un in');
  assert.equal(exim(''), 'ca ca ca ca ca');
  const openssl = `Library version: OpenSSL: Compile: OpenSSL 3.0.11 19 Sep 2023
                          Runtime: OpenSSL 3.5.4 30 Sep 2025`;
  assert.equal(exim(openssl, '', 'OpenSSL'), 'ca ca ca ca ca');
});

test('build options of another library do not count', () => {
  const text = `${openssl35}OpenSSL 3.0.19 27 Jan 2026\n${built(2)}${cnf()}`;
  assert.equal(parseTlsLibrary(text)?.version, '3.5.4');
  const exim40 = 'Library version: OpenSSL: Compile: OpenSSL 3.0.1\n  Runtime: OpenSSL 3.2.0\n';
  assert.equal(parseTlsLibrary(exim40 + openssl30 + built(2) + cnf())?.securityLevel, undefined);
  assert.equal(parseTlsLibrary('no library'), undefined);
});

test('the description of the library ends the configuration', () => {
  const text = `smtp_tls_security_level = may\n${openssl30}${cnf()}`;
  const parts = splitTlsLibrary(text);
  assert.equal(parts.text, 'smtp_tls_security_level = may\n');
  assert.ok(parts.tlsLibrary.startsWith('OpenSSL 3.0.19'));
  assert.deepEqual(splitTlsLibrary('a = OpenSSL 3\n'), { text: 'a = OpenSSL 3\n', tlsLibrary: '' });
});

test('a media type decides by the policy server', () => {
  const verdict = (policyServer: 'hermetic' | 'mta-sts-resolver' | 'tlspol'): string => {
    const model = readPostfix({
      text: [
        'smtp_tls_security_level = may',
        'smtp_tls_CAfile = /ca.pem',
        'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:x',
      ].join('\n'),
      readTable: () => ({ ok: false, reason: 'no such file' }),
      domain: 'recipient.example',
      policyServer,
    });
    const { cases } = predictSender(model, senderCases);
    return cases.find((one) => one.case === 'sts-wrong-type')?.verdict ?? '';
  };
  // The host has a self-signed certificate: a sender that applies the policy defers the
  // mail.
  assert.equal(verdict('hermetic'), 'delivered-unverified');
  assert.equal(verdict('mta-sts-resolver'), 'delivered-unverified');
  assert.equal(verdict('tlspol'), 'refused');
});
