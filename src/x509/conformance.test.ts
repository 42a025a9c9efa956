import assert from 'node:assert/strict';
import { createECDH, createHash } from 'node:crypto';
import { test } from 'node:test';
import { verifyDane } from '../dane/index.js';
import {
  createCa,
  createIntermediate,
  der,
  distinguishedName,
  generateKey,
  issue,
  type Authority,
  type SignatureHash,
} from '../pki/index.js';
import {
  accepts,
  explainProblem,
  findPathTo,
  parseChain,
  parsePem,
  parsePemBundle,
  trustStore,
  verifyChain,
} from './index.js';
import { read, root, server, verdictOf, verdictVia } from '../../test/support/chains.js';

const trusted = 'trusted valid';
const at = Date.now();

test('RSASSA-PSS is as weak as the hashes in its parameters [9155-1-1]', () => {
  const key = generateKey('rsa-2048');
  const top = createCa({ name: 'Old', key });
  const anchors = trustStore([read(top)]);
  const verdict = (hash: SignatureHash) => {
    const middle = createIntermediate(top, { name: 'Middle', hash });
    return verifyChain({ sent: [read(server(middle)), read(middle)], anchors, validationTime: at });
  };
  assert.equal(accepts(verdict('pss-sha256')), true);
  for (const hash of ['pss-sha1', 'pss-sha256-mgf1-sha1'] as const) {
    assert.equal(accepts(verdict(hash)), false, hash);
    assert.deepEqual(verdict(hash).problems, ['x509-weak-signature'], hash);
  }
  const leaf = read(server(top, { hash: 'pss-sha1' }));
  assert.equal(leaf.signatureAlgorithm, 'rsassaPss-sha1');
  assert.deepEqual(verifyChain({ sent: [leaf], anchors, validationTime: at }).problems, [
    'x509-weak-signature',
  ]);
});

test('a weak signature is not accepted below a DANE-TA anchor either', () => {
  const key = generateKey('rsa-2048');
  const top = createCa({ name: 'Old', key });
  const dane = (hash: SignatureHash): string => {
    const middle = createIntermediate(top, { name: 'Middle', hash });
    const data = createHash('sha256').update(read(top).spki).digest();
    return verifyDane({
      records: [{ usage: 2, selector: 1, matchingType: 1, data }],
      chain: [server(middle), middle, top].map(read),
      names: ['mx.example'],
      validationTime: at,
    }).verdict;
  };
  assert.equal(dane('sha256'), 'match');
  for (const hash of ['sha1', 'pss-sha1', 'md5'] as const) assert.equal(dane(hash), 'mismatch');
});

test('unreadable PSS parameters make the certificate unusable, not unreadable', () => {
  const made = server(root);
  const identifier = der.sequence(
    der.objectId('1.2.840.113549.1.1.10'),
    der.sequence(der.explicit(3, der.integer(2))),
  );
  const original = Buffer.from(der.sequence(der.objectId('1.2.840.10045.4.3.2')));
  const parts = splitAt(made.der, original);
  const swapped = reseal(parts.map(Buffer.from), Buffer.from(identifier));
  const certificate = read({ der: swapped });
  assert.deepEqual(certificate.dnsNames, ['mx.example']);
  assert.equal(verdictOf([{ der: swapped }]), 'unknown-ca valid x509-unknown-algorithm');
  const reason = explainProblem('x509-unknown-algorithm', [certificate]);
  assert.match(reason, /: signature algorithm: trailer field is not 1$/);
});

/**
 * Returns the parts of a certificate around its two algorithm identifiers: TBSCertificate
 * before and after the inner one, and the octets after the outer one.
 */
function splitAt(certificate: Uint8Array, identifier: Buffer): readonly Uint8Array[] {
  const bytes = Buffer.from(certificate);
  const inner = bytes.indexOf(identifier);
  const outer = bytes.indexOf(identifier, inner + 1);
  return [
    bytes.subarray(8, inner),
    bytes.subarray(inner + identifier.length, outer),
    bytes.subarray(outer + identifier.length),
  ];
}

function reseal([before, within, after]: readonly Buffer[], identifier: Buffer): Uint8Array {
  const tbs = der.sequence(before as Buffer, identifier, within as Buffer);
  return der.sequence(tbs, identifier, after as Buffer);
}

test('explicit EC parameters are refused anywhere on the path [5480-2.1.1-1]', () => {
  const unnamed = 'unknown-ca valid x509-unnamed-curve';
  const leaf = { spki: explicitCurve(generateKey()) };
  assert.equal(verdictVia({}, leaf), unnamed);
  const key = generateKey();
  assert.equal(verdictVia({ key, spki: explicitCurve(key) }), unnamed);
  const rootKey = generateKey();
  const top = createCa({ name: 'Explicit', key: rootKey, spki: explicitCurve(rootKey) });
  const verdict = verifyChain({
    sent: [read(server(top))],
    anchors: trustStore([read(top)]),
    validationTime: at,
  });
  assert.deepEqual(verdict.problems, ['x509-unnamed-curve']);
  const bare = findPathTo({
    sent: [read(server(top))],
    anchors: trustStore([], [explicitCurve(rootKey)]),
    isAnchor: () => false,
    validationTime: at,
  });
  assert.deepEqual(bare.problems, ['x509-unnamed-curve']);
});

/** Returns the key of a P-256 pair with explicit curve parameters (SEC 1 C.2). */
function explicitCurve({ publicKey }: ReturnType<typeof generateKey>): Uint8Array {
  const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
  const p = hex('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff');
  const a = hex('ffffffff00000001000000000000000000000000fffffffffffffffffffffffc');
  const b = hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b');
  const n = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(Uint8Array.of(1)); // the point is the generator
  const parameters = der.sequence(
    der.integer(1),
    der.sequence(der.objectId('1.2.840.10045.1.1'), der.integer(p)),
    der.sequence(der.octetString(a), der.octetString(b)),
    der.octetString(ecdh.getPublicKey()),
    der.integer(n),
    der.integer(1),
  );
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  return der.sequence(
    der.sequence(der.objectId('1.2.840.10045.2.1'), parameters),
    der.bitString(point),
  );
}

const printable = (text: string): Uint8Array => der.tlv(0x13, Buffer.from(text, 'latin1'));
const bmp = (text: string): Uint8Array => der.tlv(0x1e, Buffer.from(text, 'utf16le').swap16());

// [5280-7.1-1]
test('issuer and subject are compared as text: type, case and spaces do not count', () => {
  const org = (value: Uint8Array): Uint8Array => distinguishedName(['2.5.4.10', value]);
  const via = (subject: Uint8Array, issuer: Uint8Array): string =>
    verdictVia({ subject: org(subject) }, { issuer: org(issuer) });
  const missing = 'incomplete valid x509-issuer-missing';
  assert.equal(via(printable('Example Org'), der.utf8('Example Org')), trusted);
  assert.equal(via(printable('Example Org'), printable('EXAMPLE  oRG ')), trusted);
  assert.equal(via(bmp('Straße'), der.utf8('STRASSE')), trusted);
  assert.equal(via(der.utf8('e\u0301'), der.utf8('\u00c9')), trusted);
  assert.equal(via(der.tlv(0x14, Buffer.from('Ö', 'latin1')), der.utf8('ö')), trusted);
  assert.equal(via(der.utf8('a\u00adb'), der.utf8('ab')), trusted);
  assert.equal(via(der.utf8('Example Org'), der.utf8('ExampleOrg')), missing);
  assert.equal(via(der.utf8('Org'), der.octetString(Buffer.from('Org'))), missing);
  assert.equal(via(der.utf8('a\ufffd'), der.utf8('A\ufffd')), missing);
  assert.equal(via(der.utf8('a\ufffd'), der.utf8('a\ufffd')), trusted);
});

test('names differ by the order of RDNs, not by the order within one', () => {
  const pair = (type: string, text: string): Uint8Array =>
    der.sequence(der.objectId(type), der.utf8(text));
  const [one, two] = [pair('2.5.4.10', 'Org'), pair('2.5.4.11', 'Unit')];
  const single = (first: Uint8Array, second: Uint8Array): Uint8Array =>
    der.sequence(der.setOf(first), der.setOf(second));
  const multi = (first: Uint8Array, second: Uint8Array): Uint8Array =>
    der.sequence(der.tlv(0x31, first, second));
  const via = (subject: Uint8Array, issuer: Uint8Array): string =>
    verdictVia({ subject }, { issuer });
  assert.equal(via(multi(one, two), multi(two, one)), trusted);
  assert.equal(via(single(one, two), single(one, two)), trusted);
  assert.match(via(single(one, two), single(two, one)), /issuer-missing/);
  assert.match(via(multi(one, two), single(one, two)), /issuer-missing/);
});

test('an anchor is found under another spelling of its name', () => {
  const key = generateKey();
  const name = (value: Uint8Array): Uint8Array => distinguishedName(['2.5.4.3', value]);
  const top = createCa({ name: 'x', key, subject: name(printable('Top')) });
  const renewed = createCa({ name: 'x', key, subject: name(der.utf8('TOP')) });
  const sent = [server(renewed), renewed].map(read);
  assert.equal(
    verifyChain({ sent, anchors: trustStore([read(top)]), validationTime: at }).chain,
    'trusted',
  );
});

test('certificates without an issuer name do not chain', () => {
  const nameless = createIntermediate(root, { name: 'x', subject: der.sequence() });
  assert.equal(verdictOf([server(nameless), nameless]), 'unknown-ca valid x509-malformed');
});

test('a self-issued CA does not count for the path length [5280-4.2.1.9-1]', () => {
  const narrow = createIntermediate(root, { name: 'Same', pathLength: 0 });
  const again = createIntermediate(narrow, { name: 'Same' });
  assert.equal(verdictOf([server(again), again, narrow]), trusted);
  const respelled = createIntermediate(narrow, {
    name: 'x',
    subject: distinguishedName(['2.5.4.3', printable('SAME')]),
  });
  assert.equal(verdictOf([server(respelled), respelled, narrow]), trusted);
});

test('critical unknown extensions bind the anchor too [5280-4.2-1]', () => {
  const extensions = [{ oid: '1.2.3.4', critical: true, value: der.nothing() }];
  const unknown = 'x509-critical-extension';
  assert.match(verdictVia({ extensions }), new RegExp(unknown));
  assert.match(verdictVia({}, { extensions }), new RegExp(unknown));
  const top = createCa({ name: 'Top', extensions });
  const verdict = verifyChain({
    sent: [read(server(top))],
    anchors: trustStore([read(top)]),
    validationTime: at,
  });
  assert.deepEqual(verdict.problems, [unknown]);
});

test('an unreadable extension excludes a certificate from paths, not from DANE-EE', () => {
  const extensions = [{ oid: '2.5.29.30', critical: false, value: der.nothing() }];
  assert.equal(verdictVia({ extensions }), 'unknown-ca valid x509-malformed');
  assert.equal(verdictVia({}, { extensions }), 'unknown-ca valid x509-malformed');
  const leaf = read(server(root, { extensions }));
  const data = createHash('sha256').update(leaf.spki).digest();
  const record = { usage: 3, selector: 1, matchingType: 1, data };
  const question = { records: [record], chain: [leaf], names: [], validationTime: at };
  assert.equal(verifyDane(question).verdict, 'match');
});

test('octets after an extension, empty lists and odd addresses are defects', () => {
  const malformed = 'unknown-ca valid x509-malformed';
  const dns = der.implicit(2, Buffer.from('mx.example'));
  const names = (value: Uint8Array): string =>
    verdictVia({}, { names: [], extensions: [{ oid: '2.5.29.17', critical: true, value }] });
  assert.equal(names(der.sequence(dns)), trusted);
  assert.equal(names(Buffer.concat([der.sequence(dns), der.sequence(dns)])), malformed);
  assert.equal(names(der.sequence()), malformed);
  assert.equal(names(der.sequence(dns, der.implicit(7, Uint8Array.of(192, 0, 2)))), malformed);
  assert.equal(names(der.sequence(dns, der.implicit(9, Uint8Array.of(1)))), malformed);
  assert.equal(names(der.sequence(dns, der.tlv(0x80, Uint8Array.of(1)))), malformed);
});

test('validity includes its last second [5280-4.1.2.5-1]', () => {
  const notAfter = Math.floor(at / 1000) * 1000;
  const leaf = server(root, { notAfter, notBefore: notAfter - 60_000 });
  assert.equal(verdictOf([leaf], notAfter), trusted);
  assert.equal(verdictOf([leaf], notAfter + 999), trusted);
  assert.equal(verdictOf([leaf], notAfter + 1000), 'trusted expired');
  assert.equal(verdictOf([leaf], notAfter - 60_000), trusted);
  assert.equal(verdictOf([leaf], notAfter - 60_001), 'trusted not-yet-valid');
});

test('an unreadable certificate outside the path is skipped', () => {
  const middle = createIntermediate(root, { name: 'Middle' });
  const leaf = issue(middle, { names: ['mx.example'] });
  const versionOne = Buffer.from(middle.der);
  versionOne[versionOne.indexOf(Buffer.from('a003020102', 'hex')) + 4] = 0; // v1, which DER omits
  const broken: readonly Uint8Array[] = [versionOne, Uint8Array.of(0x30, 0x80), new Uint8Array()];
  const judge = (chain: readonly Uint8Array[]): string => verdictOf(parseChain(chain));
  for (const junk of broken) {
    assert.equal(judge([leaf.der, junk, middle.der]), trusted);
    assert.equal(judge([leaf.der, middle.der, junk]), trusted);
    assert.match(judge([leaf.der, junk]), /^incomplete/);
    assert.match(judge([junk, leaf.der, middle.der]), /no-certificate/);
  }
});

test('a bundle of roots skips unreadable certificates; a chain to send does not', () => {
  const junk = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
  const bundle = parsePemBundle(junk + root.certPem + junk);
  assert.deepEqual(bundle.ok && bundle.value.map((c) => c.subjectText), ['CN=Root']);
  assert.equal(parsePem(root.certPem + junk).ok, false);
  assert.equal(parsePemBundle(junk).ok, false);
  assert.equal(parsePemBundle('').ok, false);
});

test('negative serial numbers are accepted [5280-4.1.2.2-1]', () => {
  const made = (first: number): Authority => {
    const ca = createIntermediate(root, { name: 'Middle' });
    return { ...ca, der: ca.der.map((octet, i) => (i === 15 ? first : octet)) };
  };
  for (const first of [0x80, 0xa5]) assert.ok(read(made(first)).serial.length > 0);
});
