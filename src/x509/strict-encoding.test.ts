/** Encodings that DER or the profile of RFC 5280 forbids. */
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import test from 'node:test';
import { createCa, createIntermediate, der, generateKey, issue } from '../pki/index.js';
import { read, root, server, verdictOf, verdictVia } from '../../test/support/chains.js';
import { DerReader } from './der-reader.js';
import { explainProblem, parseCertificate, trustStore, verifyChain } from './index.js';

const trusted = 'trusted valid';
const malformed = 'unknown-ca valid x509-malformed';
const { bitString, explicit, implicit, integer, nothing, objectId, sequence, tlv } = der;

/** The fields of a TBSCertificate in their order. */
const place = { version: 0, serial: 1, algorithm: 2, extensions: 7 } as const;

/** Returns a server's certificate with changed fields, signed by its issuer. */
function changed(
  change: (fields: Uint8Array[]) => void,
  identifier: Uint8Array = sequence(objectId('1.2.840.10045.4.3.2')),
): { readonly der: Uint8Array } {
  const derReader = DerReader.sequence(read(server(root)).tbs);
  const fields: Uint8Array[] = [];
  while (!derReader.done) fields.push(derReader.any().whole);
  change(fields);
  const tbs = sequence(...fields);
  return { der: sequence(tbs, identifier, bitString(sign('sha256', tbs, root.key.privateKey))) };
}

const readable = (certificate: { readonly der: Uint8Array }): boolean =>
  parseCertificate(certificate.der).ok;

test('X.690 §8.3.2 [5280-4.1-1]: an integer has one encoding', () => {
  const serial = (...octets: readonly number[]) =>
    changed((fields) => (fields[place.serial] = tlv(0x02, Uint8Array.from(octets))));
  for (const octets of [[1], [0, 0x80], [0xff], [0x80, 0], [0x7f, 0xff]])
    assert.equal(verdictOf([serial(...octets)]), trusted, octets.join());
  for (const octets of [[], [0, 1], [0, 0], [0xff, 0xff], [0xff, 0x80]])
    assert.equal(readable(serial(...octets)), false, octets.join());
  const pathLength = (...octets: readonly number[]): string =>
    verdictVia({
      extensions: [
        {
          oid: '2.5.29.54',
          critical: true,
          value: tlv(0x02, Uint8Array.from(octets)),
        },
      ],
    });
  assert.equal(pathLength(1), trusted);
  assert.equal(pathLength(0, 1), malformed);
});

test('no octets follow the one element of a field', () => {
  const grown = (index: number, tag: number) =>
    changed((fields) => {
      const { body } = new DerReader(fields[index] ?? new Uint8Array()).any();
      fields[index] = tlv(tag, body, nothing());
    });
  assert.equal(readable(changed(() => undefined)), true);
  assert.equal(readable(grown(place.version, 0xa0)), false);
  assert.equal(readable(grown(place.extensions, 0xa3)), false);
  const key = (...after: readonly Uint8Array[]): Uint8Array =>
    rsaKey(integer(new Uint8Array(256).fill(0x7f)), ...after);
  assert.equal(readable(server(root, { spki: key() })), true);
  assert.equal(readable(server(root, { spki: key(nothing()) })), false);
});

test('an RSA modulus is a positive integer in its shortest form', () => {
  const modulus = new Uint8Array(256).fill(0x7f);
  const negative = new Uint8Array(256).fill(0x80);
  assert.equal(readable(server(root, { spki: rsaKey(integer(modulus)) })), true);
  assert.equal(readable(server(root, { spki: rsaKey(tlv(0x02, negative)) })), false);
  const padded = tlv(0x02, Uint8Array.of(0), modulus);
  assert.equal(readable(server(root, { spki: rsaKey(padded) })), false);
});

/** Returns the SubjectPublicKeyInfo of an RSA key with exponent 65537. */
function rsaKey(modulus: Uint8Array, ...after: readonly Uint8Array[]): Uint8Array {
  return sequence(
    sequence(objectId('1.2.840.113549.1.1.1'), nothing()),
    bitString(sequence(modulus, integer(65_537), ...after)),
  );
}

test('RFC 5758 §3.2, RFC 8410 §3: ECDSA and EdDSA signatures have no parameters', () => {
  const reason = 'unknown-ca valid x509-unknown-algorithm';
  for (const parameters of [[nothing()], [der.octetString(Uint8Array.of(1))]]) {
    const identifier = sequence(objectId('1.2.840.10045.4.3.2'), ...parameters);
    const leaf = changed((fields) => (fields[place.algorithm] = identifier), identifier);
    assert.equal(verdictOf([leaf]), reason);
    assert.match(explainProblem('x509-unknown-algorithm', [read(leaf)]), /octets left over$/);
  }
  const signer = createCa({ name: 'Ed', algorithm: 'ed25519' });
  const plain = sequence(objectId('1.3.101.112'));
  assert.equal(relabelled(signer, plain, plain), trusted);
  assert.equal(relabelled(signer, plain, sequence(objectId('1.3.101.112'), nothing())), reason);
});

test('RFC 4055 §5: parameters of an RSA signature are NULL or absent', () => {
  const signer = createCa({ name: 'RSA', key: generateKey('rsa-2048') });
  const id = objectId('1.2.840.113549.1.1.11');
  const written = sequence(id, nothing());
  assert.equal(relabelled(signer, written, written), trusted);
  assert.equal(relabelled(signer, written, sequence(id)), trusted);
  for (const parameters of [tlv(0x05, Uint8Array.of(0)), integer(1), sequence()])
    assert.match(relabelled(signer, written, sequence(id, parameters)), /x509-unknown-algorithm/);
});

/**
 * Returns the verdict on a leaf of `signer` with another algorithm identifier, signed
 * again.
 */
function relabelled(
  signer: ReturnType<typeof createCa>,
  before: Uint8Array,
  after: Uint8Array,
): string {
  const tbs = Buffer.from(read(server(signer)).tbs);
  const start = tbs.indexOf(before);
  const fields = [tbs.subarray(4, start), after, tbs.subarray(start + before.length)];
  const signed = sequence(...fields);
  const digest = signer.key.privateKey.asymmetricKeyType === 'rsa' ? 'sha256' : null;
  const signature = sign(digest, signed, signer.key.privateKey);
  const { chain, validity, problems } = verifyChain({
    sent: [read({ der: sequence(signed, after, bitString(signature)) })],
    anchors: trustStore([read(signer)]),
    validationTime: Date.now(),
  });
  return [chain, validity, ...problems].join(' ');
}

test('RFC 5280 §4.1.2.8 [5280-4.1-1]: version 1 has no unique identifiers', () => {
  const plain = changed((fields) => {
    fields.splice(place.extensions, 1);
    fields.shift();
  });
  assert.equal(verdictOf([plain]), trusted);
  for (const tag of [1, 2]) {
    const unique = implicit(tag, Uint8Array.of(0, 1));
    const first = changed((fields) => {
      fields.splice(place.extensions, 1, unique);
      fields.shift();
    });
    assert.equal(verdictOf([first]), malformed);
    const third = changed((fields) => fields.splice(place.extensions, 0, unique));
    assert.equal(verdictOf([third]), trusted);
  }
});

test('RFC 5280 §4.1.2.6 [5280-4.2.1.6-1]: names with an empty subject are critical', () => {
  const value = sequence(implicit(2, Buffer.from('mx.example')));
  const verdict = (critical: boolean, commonName: string): string => {
    const extensions = [{ oid: '2.5.29.17', critical, value }];
    return verdictOf([issue(root, { commonName, extensions })]);
  };
  assert.equal(verdict(true, ''), trusted);
  assert.equal(verdict(false, ''), malformed);
  assert.equal(verdict(false, 'mx.example'), trusted);
  assert.equal(verdictOf([issue(root, { names: ['mx.example'], commonName: '' })]), trusted);
});

test('a critical extension that is not applied refuses the path [5280-4.2-1]', () => {
  const uri = implicit(6, Buffer.from('http://ca.example'));
  const identifiers: Readonly<Record<string, Uint8Array>> = {
    '2.5.29.14': der.octetString(Uint8Array.of(1)),
    '2.5.29.18': sequence(uri),
    '2.5.29.35': sequence(implicit(0, Uint8Array.of(1))),
    '1.3.6.1.5.5.7.1.1': sequence(sequence(objectId('1.3.6.1.5.5.7.48.1'), uri)),
    '1.3.6.1.5.5.7.1.24': sequence(integer(5)), // the server must staple OCSP
  };
  const wanted = 'unknown-ca valid x509-critical-extension';
  const keyed = new Set(['2.5.29.14', '2.5.29.35']); // in every certificate, so here twice
  for (const [oid, value] of Object.entries(identifiers)) {
    const verdict = (critical: boolean): string =>
      verdictVia({}, { extensions: [{ oid, critical, value }] });
    if (keyed.has(oid)) assert.match(verdict(true), /x509-critical-extension/, oid);
    else assert.equal(verdict(true), wanted, oid);
    if (!keyed.has(oid)) assert.equal(verdict(false), trusted, oid);
  }
  const points = sequence(sequence(explicit(0, explicit(0, uri))));
  const middle = createIntermediate(root, {
    name: 'Lists',
    extensions: [{ oid: '2.5.29.31', critical: true, value: points }],
  });
  assert.equal(verdictOf([server(middle), middle]), trusted);
});

test('unreadable key identifiers are defects', () => {
  const id = Uint8Array.of(1);
  const only = (oid: string, value: Uint8Array): string => {
    const extension = sequence(objectId(oid), der.octetString(value));
    const names = sequence(
      objectId('2.5.29.17'),
      der.octetString(sequence(implicit(2, Buffer.from('mx.example')))),
    );
    return verdictOf([
      changed((fields) => (fields[place.extensions] = explicit(3, sequence(names, extension)))),
    ]);
  };
  const [own, issuer] = ['2.5.29.14', '2.5.29.35'];
  assert.equal(only(own, der.octetString(id)), trusted);
  for (const value of [
    implicit(0, id),
    sequence(),
    Buffer.concat([der.octetString(id), nothing()]),
  ])
    assert.equal(only(own, value), malformed);
  const number = implicit(2, id);
  const named = tlv(0xa1, implicit(2, Buffer.from('ca.example')));
  for (const fields of [[], [implicit(0, id)], [named, number], [implicit(0, id), named, number]])
    assert.equal(only(issuer, sequence(...fields)), trusted);
  for (const fields of [[implicit(0, id), implicit(0, id)], [number, named], [nothing()]])
    assert.equal(only(issuer, sequence(...fields)), malformed);
});

test('RFC 3279 §2.3, RFC 8410 §3: nothing follows the parameters of a key', () => {
  const point = bitString(Uint8Array.of(4, ...new Uint8Array(64).fill(1)));
  const key = (oid: string, ...parameters: readonly Uint8Array[]): boolean => {
    const spki = sequence(sequence(objectId(oid), ...parameters), point);
    return readable(server(root, { spki }));
  };
  const curve = objectId('1.2.840.10045.3.1.7');
  assert.equal(key('1.2.840.10045.2.1', curve), true);
  assert.equal(key('1.2.840.10045.2.1', curve, nothing()), false);
  assert.equal(key('1.3.101.112'), true);
  assert.equal(key('1.3.101.112', nothing()), false);
});
