import assert from 'node:assert/strict';
import test from 'node:test';
import { runCli } from '../../test/support/run-cli.js';

const config = (...args: string[]) => runCli(['config', ...args]);

test('the text is settings, comments and empty lines, so that all of it can be pasted', async () => {
  for (const [server, setting] of [
    ['postfix', /^[a-z]\w+ =( \S.*)?$/],
    ['exim', /^[a-z]\w+ = \S.*$/],
    ['opensmtpd', /^(pki|smtp ciphers|listen on) \S.*$/],
  ] as const) {
    const { code, out, err } = await config(server, '--host', 'MX1.example.com.');
    assert.deepEqual([code, err], [0, '']);
    for (const line of out.split('\n'))
      assert.ok(line === '' || line.startsWith('# ') || setting.test(line), line);
    assert.match(out, /\/etc\/letsencrypt\/live\/mx1\.example\.com\/privkey\.pem/);
  }
});

test('as data: the same lines, each with its reason', async () => {
  const { parts, profile } = JSON.parse((await config('postfix', '--json')).out) as {
    profile: string;
    parts: { settings: { why: string; lines: string[] }[] }[];
  };
  assert.equal(profile, 'mozilla-intermediate-6.0');
  const settings = parts.flatMap((part) => part.settings);
  assert.ok(settings.every(({ why }) => why.length > 10));
  const { out } = await config('postfix');
  for (const line of settings.flatMap(({ lines }) => lines))
    assert.ok(out.includes(`\n${line}\n`), line);
});

test('no input adds another setting to the text', async () => {
  for (const args of [
    ['--cert', '/tls/a.pem\nsmtpd_tls_security_level = none', '--key', '/tls/a.key'],
    ['--cert', '/tls/$a.pem', '--key', '/tls/a.key'],
    ['--cert', '/tls/a.pem, /tls/b.pem', '--key', '/tls/a.key'],
    ['--cert', '/tls/a.pem'],
    ['--policies', 'inet:127.0.0.1:8461 static:none'],
    ['--host', 'mx1.example.com"'],
    ['--version', 'latest'],
    ['--version', '3.3'],
    ['--sessions', '/run/hermetic/tlsrpt'],
  ]) {
    const { code, out, err } = await config('postfix', ...args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, /^hermetic: .+ \((usage|config-impossible)\)\n {2}\S/, args.join(' '));
  }
  assert.equal((await config('sendmail')).code, 2);
});
