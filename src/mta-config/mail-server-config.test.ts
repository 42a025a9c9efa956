import assert from 'node:assert/strict';
import { getCiphers } from 'node:tls';
import test from 'node:test';
import { mozillaSettings } from '../check/index.js';
import { suiteName } from '../tls/index.js';
import { gnuTlsPriority, openSslGroups, openSslSuites } from './library-names.js';
import {
  formatMailServerConfig,
  mailServerConfig,
  mailServers,
  type MailServerName,
  type MailServerTlsOptions,
} from './mail-server-config.js';

const certificates = [{ chain: '/tls/chain.pem', key: '/tls/key.pem' }];
const options: MailServerTlsOptions = {
  tls: mozillaSettings,
  host: 'mx1.example.com',
  certificates,
};
const names = Object.keys(mailServers) as MailServerName[];
const linesOf = (
  name: MailServerName,
  more: Partial<MailServerTlsOptions> = {},
): readonly string[] =>
  mailServerConfig(name, { ...options, ...more }).flatMap(({ settings }) =>
    settings.flatMap(({ lines }) => lines),
  );

// [9325-4.2-1]
test("every suite has an OpenSSL name and is in the profile's order", () => {
  const suites = openSslSuites(mozillaSettings).split(':');
  assert.deepEqual(suites, [
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ]);
  const known = new Set(getCiphers());
  assert.deepEqual(
    suites.filter((name) => !known.has(name.toLowerCase())),
    [],
  );
  assert.deepEqual(mozillaSettings.suites.slice(6).map(suiteName), [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
  ]);
  assert.equal(openSslGroups(mozillaSettings, ':'), 'X25519:prime256v1:secp384r1');
});

// [10015-2-3, 10015-3-2, 10015-4-2]
test('TLS 1.2 has only ephemeral elliptic curve key exchange', () => {
  const forTls12 = mozillaSettings.suites.map(suiteName).filter((name) => name.includes('_WITH_'));
  assert.equal(forTls12.length, 6);
  for (const name of forTls12) assert.match(name, /^TLS_ECDHE_/);
  const priority = gnuTlsPriority(mozillaSettings);
  assert.match(priority, /:-KX-ALL:/);
  assert.deepEqual(
    [...priority.matchAll(/\+((?:DHE?|ECDHE?|RSA|ANON)[A-Z-]*)/g)].map(([, kx]) => kx),
    ['ECDHE-ECDSA', 'ECDHE-RSA'],
  );
});

test('a set of suites that GnuTLS cannot express exactly is refused, not widened', () => {
  assert.match(
    gnuTlsPriority(mozillaSettings),
    /^NORMAL:-VERS-ALL:\+VERS-TLS1\.3:\+VERS-TLS1\.2:-KX-ALL:/,
  );
  assert.throws(
    () => gnuTlsPriority({ ...mozillaSettings, suites: mozillaSettings.suites.slice(1) }),
    TypeError,
  );
});

// [9325-5.2-1]
test('port 25 requires no TLS, and sending without a policy is not restricted', () => {
  for (const name of names)
    for (const version of [undefined, [9, 0]] as const)
      for (const line of linesOf(name, version ? { version } : {})) {
        assert.doesNotMatch(
          line,
          /smtpd_tls_security_level = encrypt|smtpd_tls_req_ccert|tls-require|tls_verify_hosts|hosts_require_tls/,
        );
        assert.doesNotMatch(
          line,
          /^smtp_tls_(protocols|ciphers|exclude_ciphers) |smtp_tls_security_level = (encrypt|verify|secure|dane-only|none)/,
        );
        assert.doesNotMatch(line, /^action /);
      }
});

test('only TLS 1.2 and 1.3, in the syntax of each version [9325-3.1.1-1, 9325-4.1-1]', () => {
  assert.ok(
    linesOf('postfix', { version: [3, 5] }).includes(
      'smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1',
    ),
  );
  assert.ok(linesOf('postfix', { version: [3, 7] }).includes('smtpd_tls_protocols = >=TLSv1.2'));
  assert.ok(linesOf('exim').some((line) => line.includes(':-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:')));
  assert.ok(
    linesOf('exim', { library: 'openssl' }).some((line) => line.includes('+no_tlsv1 +no_tlsv1_1')),
  );
  assert.ok(
    linesOf('opensmtpd', { version: [7, 6] }).every(
      (line) => !line.startsWith('listen') || line.includes('"TLSv1.2,TLSv1.3"'),
    ),
  );
  for (const name of names)
    for (const line of linesOf(name).filter((one) => /ciphers/.test(one)))
      assert.doesNotMatch(line, /RC4|3DES|CBC|NULL|MD5|\+[A-Z]+-ALL/);
});

test('a version gets only the settings that it supports', () => {
  const has = (version: readonly [number, number], text: string): boolean =>
    linesOf('postfix', { version }).some((line) => line.startsWith(text));
  assert.deepEqual(
    [has([3, 7], 'tls_ffdhe_auto_groups'), has([3, 8], 'tls_ffdhe_auto_groups')],
    [false, true],
  );
  // The first group has the key share, and with X25519 alone the hello is small.
  assert.ok(
    linesOf('postfix', { version: [3, 10] }).includes(
      'tls_eecdh_auto_curves = X25519 X25519MLKEM768 prime256v1 secp384r1',
    ),
  );
  assert.ok(
    linesOf('postfix', { version: [3, 9] }).includes(
      'tls_eecdh_auto_curves = X25519 prime256v1 secp384r1',
    ),
  );
  assert.ok(!linesOf('opensmtpd', { version: [6, 8] }).some((line) => line.includes('protocols')));
  for (const version of [
    [4, 96],
    [4, 98],
    [4, 100],
  ] as const)
    assert.ok(
      !linesOf('exim', { library: 'openssl', version }).some((line) =>
        line.startsWith('tls_eccurve'),
      ),
    );
});

test('Postfix 3.11 keeps its own groups, and its text names REQUIRETLS and tls=', () => {
  for (const version of [
    [3, 11],
    [3, 12],
    [4, 0],
  ] as const) {
    const lines = linesOf('postfix', { version });
    assert.deepEqual(
      lines.filter((line) => /auto_curves|auto_groups/.test(line)),
      [],
    );
    // The default is `may` only from compatibility_level 3.11 on, so the settings still
    // contain the line.
    assert.ok(lines.includes('smtp_tls_security_level = dane'));
    const policies = linesOf('postfix', { version, policies: 'inet:127.0.0.1:8461' });
    assert.ok(policies.includes('smtp_tls_security_level = may'));
    const text = formatMailServerConfig(mailServerConfig('postfix', { ...options, version }));
    assert.match(text, /REQUIRETLS/);
    assert.match(text, /tls=dane/);
  }
  for (const version of [
    [3, 9],
    [3, 10],
  ] as const) {
    const text = formatMailServerConfig(mailServerConfig('postfix', { ...options, version }));
    assert.doesNotMatch(text, /REQUIRETLS|tls=dane/);
    assert.match(text, /^tls_eecdh_auto_curves = X25519 /m);
  }
});

test('Exim 4.99 has the settings of 4.98', () => {
  for (const library of ['gnutls', 'openssl'] as const)
    assert.deepEqual(
      linesOf('exim', { library, version: [4, 99] }),
      linesOf('exim', { library, version: [4, 98] }),
    );
});

test('the texts state which versions have post-quantum key exchange', () => {
  const textOf = (name: MailServerName, more: Partial<MailServerTlsOptions> = {}): string =>
    formatMailServerConfig(mailServerConfig(name, { ...options, ...more })).replace(/\n# /g, ' ');
  assert.match(textOf('postfix', { version: [3, 9] }), /before 3\.10 has no post-quantum group/);
  for (const version of [
    [3, 10],
    [3, 11],
  ] as const)
    assert.match(textOf('postfix', { version }), /With OpenSSL 3\.5.* X25519MLKEM768/);
  assert.match(textOf('exim'), /No post-quantum key exchange/);
  assert.match(textOf('exim', { library: 'openssl' }), /Remove tls_eccurve/);
  assert.match(
    textOf('exim', { library: 'openssl', version: [4, 100] }),
    /set tls_eccurve of this transport/,
  );
  assert.match(textOf('opensmtpd'), /no post-quantum group/);
});

test('two key types go to servers that support them; OpenSMTPD refuses the second', () => {
  const both = [...certificates, { chain: '/tls/rsa.pem', key: '/tls/rsa.key' }];
  assert.ok(
    linesOf('postfix', { certificates: both }).includes(
      'smtpd_tls_chain_files = /tls/key.pem, /tls/chain.pem, /tls/rsa.key, /tls/rsa.pem',
    ),
  );
  assert.ok(
    linesOf('exim', { certificates: both }).includes(
      'tls_privatekey = /tls/key.pem : /tls/rsa.key',
    ),
  );
  assert.throws(() => linesOf('opensmtpd', { certificates: both }), { code: 'config-impossible' });
});

test('an unsupported option is refused with a fix', () => {
  for (const [name, more] of [
    ['postfix', { version: [3, 3] }],
    ['postfix', { version: [3, 7], sessions: '/run/hermetic/tlsrpt' }],
    ['exim', { policies: 'inet:127.0.0.1:8461' }],
    ['opensmtpd', { sessions: '/run/hermetic/tlsrpt' }],
  ] as const)
    assert.throws(
      () => linesOf(name, more),
      (error: { code?: string; fix?: string }) =>
        error.code === 'config-impossible' && Boolean(error.fix),
    );
});
