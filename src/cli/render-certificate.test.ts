import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderCertificate } from './render-certificate.js';

const at = Date.UTC(2026, 10, 25);
const day = 86_400_000;

test('a certificate is rendered in lines of 80 columns', () => {
  const text = renderCertificate(
    {
      key: 'ecdsa-1',
      use: 'in use',
      pinned: true,
      issuer: 'CN=YE1, O=Let’s Encrypt, C=US',
      notBefore: at,
      notAfter: at + 90 * day,
      renewed: at + 60 * day,
      installed: '/etc/postfix/tls/ecdsa',
      told: at,
      shown: false,
    },
    80,
  );
  assert.equal(
    text,
    `  cert  ecdsa-1, in use, pinned; until 2027-02-23T00:00:00Z by CN=YE1, O=Let’s
        Encrypt, C=US; renewed 2027-01-24T00:00:00Z; in /etc/postfix/tls/ecdsa;
        server reloaded 2026-11-25T00:00:00Z; not shown at every address
`,
  );
});

test('a next key shows no certificate, and issuer names are neutralised', () => {
  assert.equal(
    renderCertificate({ key: 'ecdsa-2', use: 'next', pinned: false }, 80),
    '  cert  ecdsa-2, next, not pinned; no certificate yet\n',
  );
  const foreign = renderCertificate(
    { key: 'ecdsa-1', use: 'in use', pinned: true, issuer: 'CN=\u001b[2J', notAfter: at },
    80,
  );
  assert.ok(!foreign.includes('\u001b'));
});
