import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createCa,
  createIntermediate,
  generateKey,
  issue,
  purpose,
  selfSigned,
  type Authority,
  type Issued,
  type IssueOptions,
} from '../pki/index.js';
import {
  accepts,
  findPathTo,
  parseCertificate,
  parsePem,
  trustStore,
  verifyChain,
  verifySignedBy,
  type Certificate,
} from './index.js';

const day = 86_400_000;
const at = Date.now();
const root = createCa({ name: 'Root' });
const other = createCa({ name: 'Other Root' });
const middle = createIntermediate(root, { name: 'Intermediate' });
const anchors = trustStore([read(root)]);

function read({ der }: { der: Uint8Array }): Certificate {
  const parsed = parseCertificate(der);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.failure.detail);
  return parsed.value;
}

const server = (by: Authority, options: IssueOptions = {}): Issued =>
  issue(by, { names: ['mx.example'], ...options });
const judge = (sent: readonly { der: Uint8Array }[], when = at) =>
  verifyChain({ sent: sent.map(read), anchors, validationTime: when });
const short = (sent: readonly { der: Uint8Array }[], when = at): string => {
  const { chain, validity, problems } = judge(sent, when);
  return [chain, validity, ...problems].join(' ');
};

test('a chain to a trusted root is trusted, with or without the root sent', () => {
  const leaf = server(middle);
  assert.equal(short([leaf, middle]), 'trusted valid');
  assert.equal(short([leaf, middle, root]), 'trusted valid');
  assert.equal(short([server(root)]), 'trusted valid');
  assert.deepEqual(
    judge([leaf, middle]).path.map((c) => c.subjectText),
    ['CN=mx.example', 'CN=Intermediate', 'CN=Root'],
  );
});

test('every kind of signature is checked: RSA, RSA-PSS, ECDSA, Ed25519', () => {
  const rsa = generateKey('rsa-2048');
  const signers: readonly IssueOptions[] = [
    { key: rsa, hash: 'sha256' },
    { key: rsa, hash: 'sha512' },
    { key: rsa, hash: 'pss-sha256' },
    { algorithm: 'p256' },
    { algorithm: 'p384', hash: 'sha384' },
    { algorithm: 'ed25519' },
  ];
  for (const options of signers) {
    const made = selfSigned({ names: ['a.example'], ...options });
    const certificate = read(made);
    assert.ok(verifySignedBy(certificate, certificate), certificate.signatureAlgorithm);
    const forged = {
      ...certificate,
      tbs: certificate.tbs.map((octet, i) => (i === 20 ? octet ^ 1 : octet)),
    };
    assert.equal(verifySignedBy(forged, certificate), false);
  }
});

test('no path: missing intermediate, self-signed, unknown root, empty chain', () => {
  assert.equal(short([server(middle)]), 'incomplete valid x509-issuer-missing');
  assert.equal(
    short([selfSigned({ names: ['mx.example'] })]),
    'self-signed valid x509-self-signed',
  );
  assert.equal(short([server(other), other]), 'unknown-ca valid x509-unknown-ca');
  assert.equal(short([]), 'unknown valid x509-no-certificate');
});

test('an issuer of the right name and the wrong key signs nothing', () => {
  const impostor = createCa({ name: 'Root' });
  assert.equal(short([server(impostor)]), 'unknown-ca valid x509-bad-signature x509-unknown-ca');
});

test('trust and dates are independent: an expired leaf may be trusted', () => {
  const leaf = server(middle, { notBefore: at - 3 * day, notAfter: at - day });
  assert.equal(short([leaf, middle]), 'trusted expired');
  assert.equal(short([leaf, middle], at - 2 * day), 'trusted valid');
  assert.equal(short([leaf, middle], at - 5 * day), 'trusted not-yet-valid');
  const stale = createIntermediate(root, { name: 'Stale', notAfter: at - day });
  assert.equal(short([server(stale), stale]), 'trusted expired');
});

test('RFC 5280 §6.1: each fault that forbids a path', () => {
  const via = (options: IssueOptions, leaf: IssueOptions = {}): string => {
    const ca = createIntermediate(root, { name: 'Odd', ...options });
    return short([server(ca, leaf), ca]);
  };
  assert.equal(via({}), 'trusted valid');
  assert.equal(via({ ca: false, keyUsage: ['keyCertSign'] }), 'unknown-ca valid x509-not-a-ca');
  assert.equal(via({ keyUsage: ['cRLSign'] }), 'unknown-ca valid x509-may-not-sign');
  assert.equal(via({ keyUsage: null }), 'trusted valid');
  assert.equal(
    via({ extendedKeyUsage: [purpose.clientAuth] }),
    'unknown-ca valid x509-wrong-purpose',
  );
  assert.equal(via({ extendedKeyUsage: [purpose.any] }), 'trusted valid');
  assert.equal(
    via({}, { extendedKeyUsage: [purpose.clientAuth] }),
    'unknown-ca valid x509-wrong-purpose',
  );
  assert.equal(via({}, { extendedKeyUsage: null }), 'trusted valid');
  assert.equal(via({}, { keyUsage: ['keyCertSign'] }), 'unknown-ca valid x509-wrong-purpose');
  assert.equal(
    via({ extensions: [{ oid: '1.2.3.4', critical: true, value: new Uint8Array([5, 0]) }] }),
    'unknown-ca valid x509-critical-extension',
  );
  assert.equal(
    via({ extensions: [{ oid: '1.2.3.4', critical: false, value: new Uint8Array([5, 0]) }] }),
    'trusted valid',
  );
});

test('RFC 5280 §4.2.1.9: a path length counts the intermediates below', () => {
  const narrow = createIntermediate(root, { name: 'Narrow', pathLength: 0 });
  assert.equal(short([server(narrow), narrow]), 'trusted valid');
  const below = createIntermediate(narrow, { name: 'Below' });
  assert.equal(short([server(below), below, narrow]), 'unknown-ca valid x509-path-too-long');
});

test('RFC 5280 §4.2.1.10: DNS name constraints hold for every name of the leaf', () => {
  const verdict = (
    nameConstraints: IssueOptions['nameConstraints'] & object,
    names: string[],
  ): string => {
    const ca = createIntermediate(root, { name: 'Bound', nameConstraints });
    return short([server(ca, { names }), ca]);
  };
  const forbidden = 'unknown-ca valid x509-name-not-permitted';
  assert.equal(
    verdict({ permitted: ['good.example'] }, ['mx.good.example', 'good.example']),
    'trusted valid',
  );
  assert.equal(
    verdict({ permitted: ['good.example'] }, ['mx.good.example', 'mx.evil.example']),
    forbidden,
  );
  assert.equal(verdict({ permitted: ['good.example'] }, ['notgood.example']), forbidden);
  assert.equal(verdict({ excluded: ['bad.example'] }, ['mx.bad.example']), forbidden);
  assert.equal(verdict({ excluded: ['bad.example'] }, ['mx.fine.example']), 'trusted valid');
  assert.equal(verdict({ excluded: ['mx.bad.example'] }, ['*.bad.example']), forbidden);
});

test('weak keys, SHA-1 and MD5 forbid a path, and SHA-1 has its own fault', () => {
  const key = generateKey('rsa-2048');
  const ca = createIntermediate(root, { name: 'Old', key });
  const sha1 = judge([server(ca, { hash: 'sha1' }), ca]);
  assert.deepEqual([sha1.chain, sha1.problems], ['trusted', ['x509-weak-signature']]);
  assert.equal(accepts(sha1), false);
  assert.equal(accepts(judge([server(ca), ca])), true);
  assert.equal(short([server(ca, { hash: 'md5' }), ca]), 'unknown-ca valid x509-weak-signature');
  const short768 = generateKeyPairSync('rsa', { modulusLength: 768 });
  assert.equal(short([server(root, { key: short768 })]), 'unknown-ca valid x509-weak-key');
});

test('a self-signed certificate that is itself an anchor is trusted', () => {
  const own = selfSigned({ names: ['mx.example'] });
  assert.equal(
    verifyChain({ sent: [read(own)], anchors: trustStore([read(own)]), validationTime: at }).chain,
    'trusted',
  );
});

test('RFC 7671 §5.2: any certificate of the chain, or a bare key, can be an anchor', () => {
  const leaf = server(middle);
  const sent = [leaf, middle].map(read);
  const find = (question: Partial<Parameters<typeof findPathTo>[0]>) =>
    findPathTo({ sent, validationTime: at, isAnchor: () => false, ...question });
  assert.equal(find({ isAnchor: (c) => c.subjectText === 'CN=Intermediate' }).chain, 'trusted');
  assert.equal(find({}).chain, 'incomplete');
  assert.equal(find({ anchors: trustStore([read(root)]) }).chain, 'trusted');
  assert.equal(find({ anchors: trustStore([], [read(root).spki]) }).chain, 'trusted');
  assert.equal(find({ anchors: trustStore([], [read(other).spki]) }).chain, 'incomplete');
});

test('a certificate in the chain that signed nothing is not its anchor', () => {
  const verdict = findPathTo({
    sent: [server(middle), other].map(read),
    validationTime: at,
    isAnchor: (c) => c.subjectText === 'CN=Other Root',
  });
  assert.notEqual(verdict.chain, 'trusted');
});

test('the valid one of two paths is found: cross-signed, one of them expired', () => {
  const key = generateKey();
  const dead = createIntermediate(root, { name: 'Cross', key, notAfter: at - day });
  const live = createIntermediate(root, { name: 'Cross', key });
  const leaf = server(live);
  for (const sent of [
    [leaf, dead, live],
    [leaf, live, dead],
  ])
    assert.equal(short(sent), 'trusted valid');
});

test('any order of the certificates after the leaf, with junk, gives the same verdict', () => {
  const below = createIntermediate(middle, { name: 'Below' });
  const leaf = server(below);
  const junk = [
    other,
    selfSigned({ names: ['junk.example'] }),
    server(other),
    createCa({ name: 'Intermediate' }),
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(junk), fc.infiniteStream(fc.nat()), (extra, order) => {
      const rest = [below, middle, ...extra]
        .map((c) => [order.next().value as number, c] as const)
        .sort(([a], [b]) => a - b);
      assert.match(short([leaf, ...rest.map(([, c]) => c)]), /^trusted valid$/);
    }),
    { numRuns: 50 },
  );
});

test('work is bounded: a hundred CAs of one name that sign each other', () => {
  const key = generateKey();
  const knot = Array.from({ length: 120 }, (_, i) =>
    createIntermediate(createCa({ name: `Knot ${i % 3}`, key }), {
      name: `Knot ${(i + 1) % 3}`,
      key,
    }),
  );
  const began = process.cpuUsage();
  const verdict = judge([server(knot[0] as Authority), ...knot]);
  assert.notEqual(verdict.chain, 'trusted');
  // Microseconds of CPU time, which other processes do not change.
  assert.ok(process.cpuUsage(began).user < 5_000_000);
});

test('PEM: certificates in order, other text skipped, an empty text fails', () => {
  const parsed = parsePem(`subject=x\n${root.certPem}junk\n${middle.certPem}`);
  assert.deepEqual(parsed.ok && parsed.value.map((c) => c.subjectText), [
    'CN=Root',
    'CN=Intermediate',
  ]);
  assert.equal(parsePem('nothing').ok, false);
  assert.equal(parsePem('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----').ok, false);
});
