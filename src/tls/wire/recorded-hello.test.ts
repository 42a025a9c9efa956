import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { senderHellos } from '../sender-hellos.js';
import { MalformedTls } from './byte-reader.js';
import { readClientHello } from './read-client-hello.js';
import { buildRecordedHello, RECORDED_HELLO_RANDOM } from './recorded-hello.js';

const random = createHash('shake256', { outputLength: RECORDED_HELLO_RANDOM })
  .update('hello')
  .digest();
const serverName = 'mx.a-longer-name.example';

function read(octets: Uint8Array) {
  const hello = readClientHello(octets);
  assert.ok(hello && hello !== 'more');
  return hello;
}

for (const { id, hello: recorded, omitted = [], origin, source, date } of senderHellos())
  test(`${id}: the hello differs from its record only where each connection differs`, () => {
    const octets = Buffer.from(recorded, 'hex');
    const before = read(octets);
    const built = buildRecordedHello(octets, { random, serverName, omitted });
    const after = read(built);
    assert.deepEqual(after.suites, before.suites);
    assert.deepEqual(after.groups, before.groups);
    assert.deepEqual(after.versions, before.versions);
    assert.deepEqual(after.keyShares, before.keyShares);
    assert.deepEqual(after.signatureSchemes, before.signatureSchemes);
    assert.deepEqual(
      after.extensions,
      before.extensions.filter((type) => !omitted.includes(type)),
    );
    assert.equal(after.serverName, before.serverName && serverName);
    assert.equal(after.sessionId.length, before.sessionId.length);
    assert.deepEqual(Buffer.from(after.random), random.subarray(0, 32));
    if (omitted.length === 0 && before.serverName === undefined)
      assert.equal(built.length, octets.length);
    assert.match(date, /^20\d\d-\d\d-\d\d$/);
    assert.ok(source.length > 20);
    assert.ok(['recorded', 'stand-in', 'documented'].includes(origin));
  });

test('the hello of OpenSSL 3.5 has the size that the prober states', () => {
  const sender = senderHellos().find(({ id }) => id === 'postfix-openssl-3.5');
  assert.ok((sender?.hello.length ?? 0) / 2 > 1550);
});

test('octets that are not one ClientHello are refused', () => {
  const [sender] = senderHellos();
  const octets = Buffer.from(sender?.hello ?? '', 'hex');
  const build = (bytes: Uint8Array) => () =>
    buildRecordedHello(bytes, { random, serverName, omitted: [] });
  assert.throws(build(octets.subarray(0, 60)), MalformedTls);
  assert.throws(build(new Uint8Array(0)), MalformedTls);
  const serverHello = Uint8Array.from(octets);
  serverHello[5] = 2;
  assert.throws(build(serverHello), MalformedTls);
});
