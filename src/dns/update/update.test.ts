import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { concat, Name } from '../../base/index.js';
import { nodeNetwork } from '../../net/index.js';
import {
  decodeMessage,
  encodeMessage,
  sendUpdate,
  signTsig,
  updateMessage,
  verifyTsig,
  type RrsetChange,
  type TsigKey,
} from '../index.js';

const key: TsigKey = {
  name: Name.of('Hermetic.Key'),
  algorithm: 'hmac-sha256',
  secret: new Uint8Array(32).fill(7),
};
const now = Date.UTC(2026, 10, 25);
const change: RrsetChange = {
  zone: Name.of('example.com'),
  name: Name.of('_25._tcp.mx.example.com'),
  type: 'TLSA',
  from: [`3 1 1 ${'aa'.repeat(32)}`],
  to: [`3 1 1 ${'aa'.repeat(32)}`, `3 1 1 ${'bb'.repeat(32)}`],
  ttl: 3600,
};
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 255);

/**
 * Returns a reply with the server's signature, implemented in the test according to
 * RFC 8945 §4.3 and §5.3.
 */
function reply(
  id: number,
  requestMac: Uint8Array,
  {
    rcode = 0,
    at = now,
    error = 0,
    octets = 32,
    secret = key.secret,
  }: { rcode?: number; at?: number; error?: number; octets?: number; secret?: Uint8Array } = {},
): Uint8Array {
  const head = concat(u16(id), u16(0xa800 | rcode), u16(0), u16(0), u16(0), u16(0));
  const time = Buffer.alloc(6);
  time.writeUIntBE(Math.floor(at / 1000), 0, 6);
  const [name, algorithm] = [Name.of('hermetic.key').wire, Name.of('hmac-sha256').wire];
  const other = error === 18 ? time : new Uint8Array();
  const variables = concat(
    name,
    u16(255),
    u16(0),
    u16(0),
    algorithm,
    time,
    u16(300),
    u16(error),
    u16(other.length),
    other,
  );
  const mac = createHmac('sha256', secret)
    .update(concat(u16(requestMac.length), requestMac, head, variables))
    .digest()
    .subarray(0, octets);
  const rdata = concat(
    algorithm,
    time,
    u16(300),
    u16(mac.length),
    mac,
    u16(id),
    u16(error),
    u16(other.length),
    other,
  );
  head.set(u16(1), 10);
  return concat(head, name, u16(250), u16(255), u16(0), u16(0), u16(rdata.length), rdata);
}

// [2136-2.4-1]
test('an update requires exactly the observed RRset and changes only that type', () => {
  const built = updateMessage(change, 1);
  assert.ok(built.ok);
  const back = decodeMessage(encodeMessage(built.value));
  assert.ok(back.ok);
  const { opcode, questions, answers, authorities } = back.value;
  assert.deepEqual(
    [opcode, questions[0]?.type, questions[0]?.name.toString()],
    [5, 6, 'example.com'],
  );
  assert.deepEqual(
    answers.map((rr) => [rr.class, rr.ttl, rr.type]),
    [[1, 0, 52]],
  );
  assert.deepEqual(
    authorities.map((rr) => [rr.class, rr.ttl, rr.rdata.length]),
    [
      [255, 0, 0],
      [1, 3600, 35],
      [1, 3600, 35],
    ],
  );
  for (const rr of [...answers, ...authorities])
    assert.ok(rr.name.equals(change.name) && rr.type === 52);
});

test('a new RRset must not exist before; invalid RDATA produces no message', () => {
  const built = updateMessage({ ...change, from: [] }, 1);
  assert.ok(built.ok);
  assert.deepEqual(
    built.value.answers.map((rr) => [rr.class, rr.rdata.length]),
    [[254, 0]],
  );
  assert.equal(updateMessage({ ...change, to: ['3 1 1 xyz'] }, 1).ok, false);
  assert.equal(
    updateMessage({ ...change, to: [`3 1 1 aa\n@ 0 IN TXT "more"`] }, 1).ok,
    false,
    'a value smuggles in a second record',
  );
});

// [8945-5.1-1, 8945-5.3-1, 8945-10-1]
test('a reply is trusted only with a full MAC over the request, by its key, in time', () => {
  const built = updateMessage(change, 77);
  assert.ok(built.ok);
  const { mac } = signTsig(encodeMessage(built.value), key, now);
  const judge = (bytes: Uint8Array): string => {
    const verdict = verifyTsig(bytes, key, mac, now);
    return verdict.ok ? 'ok' : verdict.failure.code;
  };
  assert.equal(judge(reply(77, mac)), 'ok');
  assert.equal(
    judge(reply(77, new Uint8Array(32))),
    'dns-update-unsigned',
    'a reply to another request',
  );
  assert.equal(judge(reply(77, mac, { secret: new Uint8Array(32) })), 'dns-update-unsigned');
  assert.equal(judge(reply(77, mac, { octets: 16 })), 'dns-update-unsigned', 'a shortened MAC');
  assert.equal(
    judge(reply(77, mac, { at: now - 301_000 })),
    'dns-update-time',
    'a reply of long ago',
  );
  assert.equal(
    judge(reply(77, mac, { rcode: 9, error: 18, at: now + 600_000 })),
    'dns-update-time',
  );
  assert.equal(
    judge(reply(77, mac, { at: (2 ** 48 - 1) * 1000 })),
    'dns-update-time',
    'a date beyond all calendars',
  );
  const unsigned = reply(77, mac, { octets: 0, error: 17, rcode: 9 });
  assert.equal(judge(unsigned), 'dns-update-key');
  assert.equal(judge(unsigned.subarray(0, 12)), 'dns-update-unsigned');
});

test('a changed or extended signed reply is refused [8945-5.1-2]', () => {
  const mac = new Uint8Array(32).fill(1);
  const good = reply(5, mac);
  assert.ok(verifyTsig(good, key, mac, now).ok);
  assert.equal(verifyTsig(concat(good, Uint8Array.of(0)), key, mac, now).ok, false);
  // The id on the wire may change between client and server. The original id is signed.
  for (let at = 2; at < good.length; at++) {
    const changed = Uint8Array.from(good);
    changed[at] = (changed[at] as number) ^ 0x01;
    assert.equal(verifyTsig(changed, key, mac, now).ok, false, `octet ${at}`);
  }
});

test('no octets make the parser throw', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      (bytes) => void verifyTsig(bytes, key, new Uint8Array(32), now),
    ),
  );
});

async function serverThat(
  t: TestContext,
  answer: (id: number, mac: Uint8Array, nth: number) => Uint8Array | undefined,
  timeoutMs = 30_000,
) {
  let nth = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      const message = new Uint8Array(data.subarray(2));
      const decoded = decodeMessage(message);
      const tsig = decoded.ok ? decoded.value.additionals.at(-1) : undefined;
      const start = Name.of('hmac-sha256').wire.length + 10;
      const bytes = answer(
        decoded.ok ? decoded.value.id : 0,
        tsig?.rdata.subarray(start, start + 32) ?? new Uint8Array(),
        ++nth,
      );
      if (bytes) socket.end(concat(u16(bytes.length), bytes));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const upstream = { address: '127.0.0.1', port, label: `127.0.0.1:${port}` };
  return sendUpdate(change, {
    network: nodeNetwork(),
    server: upstream,
    key,
    now: () => now,
    timeoutMs,
  });
}

// [2136-7.8-1]
test('existing records count as done, foreign ones conflict, silence is unknown', async (t) => {
  assert.deepEqual(await serverThat(t, (id, mac) => reply(id, mac)), {
    ok: true,
    value: 'changed',
  });
  assert.deepEqual(
    await serverThat(t, (id, mac, nth) => reply(id, mac, { rcode: nth === 1 ? 8 : 0 })),
    { ok: true, value: 'same' },
  );
  const failures = {
    'dns-update-conflict': (id: number, mac: Uint8Array) => reply(id, mac, { rcode: 8 }),
    'dns-update-refused': (id: number, mac: Uint8Array) => reply(id, mac, { rcode: 5 }),
    'dns-update-unreachable': () => undefined,
    'dns-update-unsigned': (id: number, mac: Uint8Array) => reply(id ^ 1, mac),
  };
  for (const [code, answer] of Object.entries(failures)) {
    const sent = await serverThat(t, answer, code === 'dns-update-unreachable' ? 300 : undefined);
    assert.equal(!sent.ok && sent.failure.code, code);
  }
});

test('an unsigned reply is not trusted, neither success nor refusal [8945-5.4-1]', async (t) => {
  const bare = await serverThat(t, (id) =>
    concat(u16(id), u16(0xa800), u16(0), u16(0), u16(0), u16(0)),
  );
  assert.equal(!bare.ok && bare.failure.code, 'dns-update-unsigned');
  const refused = await serverThat(t, (id) =>
    concat(u16(id), u16(0xa805), u16(0), u16(0), u16(0), u16(0)),
  );
  assert.equal(!refused.ok && refused.failure.code, 'dns-update-unsigned');
});
