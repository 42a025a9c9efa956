import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { rootCertificates } from 'node:tls';
import fc from 'fast-check';
import { generateKey, selfSigned } from '../pki/index.js';
import { parseCertificate, parseChain, parsePem, spkiSha256 } from './index.js';

test('every root of Node is parsed as Node parses it', () => {
  assert.ok(rootCertificates.length > 100);
  for (const pem of rootCertificates) {
    const parsed = parsePem(pem);
    assert.ok(parsed.ok, parsed.ok ? '' : parsed.failure.detail);
    const [ours] = parsed.value as [(typeof parsed.value)[number]];
    const theirs = new X509Certificate(pem);
    assert.equal(
      ours.serial.replace(/^0+/, ''),
      theirs.serialNumber.toLowerCase().replace(/^0+/, ''),
    );
    assert.equal(ours.notBefore, Date.parse(theirs.validFrom));
    assert.equal(ours.notAfter, Date.parse(theirs.validTo));
    assert.equal(ours.ca || ours.version === 1, theirs.ca || ours.version === 1);
    const spki = theirs.publicKey.export({ type: 'spki', format: 'der' });
    assert.equal(spkiSha256(ours), createHash('sha256').update(spki).digest('hex'));
    assert.equal(
      ours.keyBits,
      theirs.publicKey.asymmetricKeyDetails?.modulusLength ?? ours.keyBits,
    );
  }
});

test('a chain with an unreadable first certificate is empty', () => {
  const { der } = selfSigned({ names: ['mx.example.com'] });
  const cut = der.subarray(0, -1);
  assert.deepEqual(
    [parseChain([der, cut, der]).length, parseChain([cut, der]).length, parseChain([]).length],
    [2, 0, 0],
  );
});

test('key algorithm, size and curve are read', () => {
  const told = (key: ReturnType<typeof generateKey>): string => {
    const parsed = parseCertificate(selfSigned({ names: ['a.example'], key }).der);
    assert.ok(parsed.ok);
    const { keyAlgorithm, keyBits, curve } = parsed.value;
    return [keyAlgorithm, keyBits, curve].filter(Boolean).join(' ');
  };
  assert.equal(told(generateKey('rsa-1024')), 'RSA 1024');
  assert.equal(told(generateKey('p256')), 'ECDSA 256 secp256r1');
  assert.equal(told(generateKey('p384')), 'ECDSA 384 secp384r1');
  assert.equal(told(generateKey('ed25519')), 'Ed25519 256');
});

test('control characters of a subject are removed from its text', () => {
  const parsed = parseCertificate(selfSigned({ commonName: 'a\u001b[31m\u202eb' }).der);
  assert.equal(parsed.ok && parsed.value.subjectText, 'CN=a\\x1b[31m\\u{202e}b');
});

test('parsing never throws and never reads beyond the certificate', () => {
  const { der } = selfSigned({
    names: ['a.example', '*.b.example'],
    nameConstraints: { permitted: ['c.example'] },
  });
  assert.equal(parseCertificate(new Uint8Array([...der, 0])).ok, false);
  fc.assert(
    fc.property(
      fc.nat(der.length - 1),
      fc.integer({ min: 0, max: 255 }),
      fc.nat(der.length),
      (place, octet, length) => {
        const changed = Uint8Array.from(der);
        changed[place] = octet;
        parseCertificate(changed);
        assert.equal(
          parseCertificate(changed.subarray(0, Math.min(length, der.length - 1))).ok,
          false,
        );
      },
    ),
    { numRuns: 3000 },
  );
});

test('a signature with unused bits is malformed', () => {
  // Unused bits must be zero, so only a signature whose last bit is zero can have an
  // unused bit.
  const ends = (der: Uint8Array): boolean => ((der.at(-1) ?? 1) & 1) === 0;
  let der = selfSigned({ names: ['mx.example.com'] }).der;
  for (let tries = 0; tries < 64 && !ends(der); tries++)
    der = selfSigned({ names: ['mx.example.com'] }).der;
  const parsed = parseCertificate(der);
  assert.ok(parsed.ok && ends(der));
  const damaged = Uint8Array.from(der);
  damaged[der.length - parsed.value.signature.length - 1] = 1;
  assert.ok(!parseCertificate(damaged).ok);
});
