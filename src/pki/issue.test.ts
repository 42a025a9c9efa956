import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  certificateRequest,
  createCa,
  createIntermediate,
  generateKey,
  issue,
  selfSigned,
  type KeyAlgorithm,
} from './index.js';

const root = createCa({ name: 'Root' });

test('an independent parser reads a chain of three alike', () => {
  const intermediate = createIntermediate(root, { name: 'Intermediate', pathLength: 0 });
  const server = issue(intermediate, {
    names: ['mx.example', '*.mx.example'],
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: new Date(Date.UTC(2060, 0, 2)),
  });
  const [leaf, middle, top] = [server, intermediate, root].map(
    (c) => new X509Certificate(c.certPem),
  ) as [X509Certificate, X509Certificate, X509Certificate];
  assert.ok(
    leaf.verify(middle.publicKey) && middle.verify(top.publicKey) && top.verify(top.publicKey),
  );
  assert.ok(leaf.checkIssued(middle) && middle.checkIssued(top));
  assert.equal(leaf.subjectAltName, 'DNS:mx.example, DNS:*.mx.example');
  assert.equal(leaf.ca, false);
  assert.equal(middle.ca, true);
  assert.equal(Date.parse(leaf.validFrom), Date.UTC(2020, 0, 1));
  assert.equal(Date.parse(leaf.validTo), Date.UTC(2060, 0, 2));
  assert.deepEqual(server.chain, [server.der, intermediate.der]);
  assert.ok(leaf.checkPrivateKey(server.key.privateKey));
});

test('every key algorithm signs a certificate that verifies', () => {
  for (const algorithm of [
    'rsa-1024',
    'rsa-2048',
    'p256',
    'p384',
    'ed25519',
  ] satisfies KeyAlgorithm[]) {
    const made = new X509Certificate(selfSigned({ names: ['a.example'], algorithm }).der);
    assert.ok(made.verify(made.publicKey), algorithm);
  }
});

test('every hash signs, and MD5 by an EC key is refused as misuse', () => {
  const key = generateKey('rsa-2048');
  for (const hash of ['md5', 'sha1', 'sha256', 'sha384', 'sha512', 'pss-sha256'] as const) {
    const made = new X509Certificate(selfSigned({ names: ['a.example'], key, hash }).der);
    assert.ok(made.verify(key.publicKey), hash);
  }
  assert.throws(() => selfSigned({ hash: 'md5' }), RangeError);
});

// [9325-7.5-1]
test('a request contains only names: no must-staple, no key usage', () => {
  const request = Buffer.from(certificateRequest({ names: ['mx.example'], key: generateKey() }));
  const has = (objectId: string): boolean => request.includes(Buffer.from(objectId, 'hex'));
  const [subjectAltName, tlsFeature, extendedKeyUsage] = [
    '0603551d11',
    '06082b06010505070118',
    '0603551d25',
  ] as const;
  assert.deepEqual(
    [has(subjectAltName), has(tlsFeature), has(extendedKeyUsage)],
    [true, false, false],
  );
});
