import assert from 'node:assert/strict';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  publicDecrypt,
  verify,
  X509Certificate,
  constants,
} from 'node:crypto';
import test from 'node:test';
import { createCa, generateKey, issue } from '../../pki/index.js';
import {
  buildClientHello,
  FlightReader,
  groups12,
  groups13,
  ProtocolVersion,
  readClientHello,
  suiteName,
  suites,
  suites12,
  suites13,
  suitesOld,
  type ClientHello,
  type ServerFlight,
} from '../../tls/index.js';
import { answerHello, type ResponderConfig } from './index.js';

const ca = createCa({ name: 'Responder' });
const certificates = (['rsa-2048', 'p256'] as const).map((kind) => {
  const { chain, keyPem } = issue(ca, { names: ['mx.example'], key: generateKey(kind) });
  return { chain, key: createPrivateKey(keyPem) };
});
const everything: ResponderConfig = {
  versions: [0x0300, 0x0301, 0x0302, 0x0303, 0x0304],
  suites: [...suites13, ...suites12],
  groups: [29, 23],
  certificates,
};
const random = new Uint8Array(32).fill(7);

function ask(
  config: ResponderConfig,
  changes: Partial<ClientHello>,
): { flight: ServerFlight; bytes: Uint8Array } {
  const hello = buildClientHello({
    maxVersion: ProtocolVersion['TLSv1.2'],
    suites: suites12,
    groups: groups12,
    signatureSchemes: [0x0401, 0x0403],
    random,
    ...changes,
  });
  const received = readClientHello(hello);
  assert.ok(received && received !== 'more');
  const { bytes } = answerHello(config, received);
  const reader = new FlightReader();
  reader.push(bytes);
  return { flight: reader.flight, bytes };
}

/** Returns the messages of a flight by type. */
function messagesOf(bytes: Uint8Array): Map<number, Buffer> {
  const content: Buffer[] = [];
  const all = Buffer.from(bytes);
  for (let at = 0; at < all.length; at += 5 + all.readUInt16BE(at + 3))
    content.push(all.subarray(at + 5, at + 5 + all.readUInt16BE(at + 3)));
  const stream = Buffer.concat(content);
  const found = new Map<number, Buffer>();
  for (let at = 0; at < stream.length; at += 4 + stream.readUIntBE(at + 1, 3))
    found.set(stream.readUInt8(at), stream.subarray(at + 4, at + 4 + stream.readUIntBE(at + 1, 3)));
  return found;
}

/** Returns the parameters and signature of ServerKeyExchange, separately. */
function exchangeOf(bytes: Uint8Array, scheme: boolean): { signed: Buffer; signature: Buffer } {
  const messages = messagesOf(bytes);
  const [hello, exchange] = [messages.get(2), messages.get(12)];
  assert.ok(hello && exchange);
  const length =
    exchange.readUInt8(0) === 3
      ? 4 + exchange.readUInt8(3)
      : [0, 0, 0].reduce((at) => at + 2 + exchange.readUInt16BE(at), 0);
  const params = exchange.subarray(0, length);
  const signature = exchange.subarray(length + (scheme ? 4 : 2));
  return { signed: Buffer.concat([random, hello.subarray(2, 34), params]), signature };
}

const keyOf = ({ certificates: chain }: ServerFlight) =>
  createPublicKey(
    new X509Certificate(Buffer.from(chain?.[0] ?? [])).publicKey.export({
      type: 'spki',
      format: 'pem',
    }),
  );

for (const [name, suite] of [
  ['ECDHE-RSA', 0xc02f],
  ['ECDHE-ECDSA', 0xc02b],
  ['DHE-RSA', 0x009e],
] as const)
  test(`TLS 1.2, ${name}: the key exchange is signed with the certificate's key`, () => {
    const { flight, bytes } = ask(everything, { suites: [suite] });
    assert.equal(flight.hello?.suite, suite);
    const { signed, signature } = exchangeOf(bytes, true);
    assert.ok(verify('sha256', signed, keyOf(flight), signature));
  });

test('RFC 4346 §7.4.3: SSLv3 and TLS 1.0 with RSA sign MD5 and SHA-1 together', () => {
  for (const maxVersion of [ProtocolVersion.SSLv3, ProtocolVersion.TLSv1]) {
    const { flight, bytes } = ask(everything, {
      maxVersion,
      suites: [0xc013],
      signatureSchemes: [],
    });
    assert.equal(flight.hello?.version, maxVersion);
    const { signed, signature } = exchangeOf(bytes, false);
    const both = Buffer.concat(
      ['md5', 'sha1'].map((hash) => createHash(hash).update(signed).digest()),
    );
    assert.deepEqual(
      publicDecrypt({ key: keyOf(flight), padding: constants.RSA_PKCS1_PADDING }, signature),
      both,
    );
  }
});

test('suites that OpenSSL dropped: export with a short key, RC4, NULL, anonymous', () => {
  for (const suite of [0x0003, 0x0005, 0x0002, 0x0034]) {
    const { flight } = ask(everything, {
      suites: [suite],
      maxVersion: ProtocolVersion.TLSv1,
      signatureSchemes: [],
    });
    assert.equal(flight.hello?.suite, suite, suiteName(suite));
    const { export: weak, authentication } = suites.get(suite) ?? {};
    assert.deepEqual(
      flight.keyExchange?.kind,
      weak ? 'rsa-export' : authentication === 'none' ? 'dhe' : undefined,
    );
    assert.equal(flight.certificates !== undefined, authentication !== 'none');
  }
});

test('TLS 1.3 without a key share: HelloRetryRequest in the preferred order', () => {
  const offer = {
    maxVersion: 0x0304,
    versions: [0x0304],
    suites: [0x1303, 0x1301],
    groups: [23, 29],
    sessionId: random,
  };
  const config = { ...everything, suites: [0x1301, 0x1303], groups: [29, 23] };
  const server = ask(config, offer).flight.hello;
  const client = ask({ ...config, preference: 'client' }, offer).flight.hello;
  assert.deepEqual([server?.retry, server?.suite, server?.group], [true, 0x1301, 29]);
  assert.deepEqual([client?.retry, client?.suite, client?.group], [true, 0x1303, 23]);
  assert.ok(groups13.includes(29));
});

test('refusals: an alert by cause, a silent close, long hellos, heads of lists', () => {
  assert.equal(ask({ ...everything, versions: [0x0304] }, {}).flight.alert?.description, 70);
  assert.equal(
    ask({ ...everything, suites: [0xc02f] }, { suites: [0xc030] }).flight.alert?.description,
    40,
  );
  assert.equal(ask({ ...everything, refusal: 'close', suites: [] }, {}).bytes.length, 0);
  assert.equal(ask({ ...everything, maxSuites: 100 }, {}).flight.alert?.description, 80);
  assert.equal(
    ask({ ...everything, suites: [0xc02f], readsSuites: 1 }, { suites: [0xc030, 0xc02f] }).flight
      .alert?.description,
    40,
  );
  assert.ok(suitesOld.length > 60);
});
