import assert from 'node:assert/strict';
import test from 'node:test';
import { frame, serveSocketmap, type Malformed } from './serve-socketmap.js';
import { TestingConversation } from '../../../../test/support/socketmap-conversation.js';

const ask = (key: string, map = 'hermetic'): string => frame(`${map} ${key}`);

function converse(
  answer: (key: string) => string | Promise<string> = (key) => frame(`OK ${key}`),
): {
  client: TestingConversation;
  malformed: Malformed[];
} {
  const client = new TestingConversation();
  const malformed: Malformed[] = [];
  serveSocketmap(client.conn, {
    map: 'hermetic',
    answer,
    onMalformed: (why) => malformed.push(why),
  });
  return { client, malformed };
}

test('every request gets a reply, with any segmentation', async () => {
  const requests = `${ask('example.com')}${ask('')}${ask('[mx.example]:25')}`;
  const replies = `${frame('OK example.com')}${frame('OK ')}${frame('OK [mx.example]:25')}`;
  for (const size of [1, 2, 7, 1000]) {
    const { client } = converse();
    for (let at = 0; at < requests.length; at += size)
      await client.say(requests.slice(at, at + size));
    assert.equal(client.heard, replies, `${size} octets at a time`);
    assert.ok(!client.ended);
  }
});

test('a malformed request ends the connection after the outstanding replies', async () => {
  const cases: readonly (readonly [string, Malformed])[] = [
    ['GET / HTTP/1.1\r\n', 'length'],
    ['-1:hermetic a,', 'length'],
    ['+9:hermetic a,', 'length'],
    [' 10:hermetic a,', 'length'],
    ['010:hermetic a,', 'length'],
    [':,', 'length'],
    ['123456', 'length'],
    ['10001:', 'too-long'],
    ['99999:', 'too-long'],
    ['10:hermetic a;', 'comma'],
    ['9:hermetic a,', 'comma'],
    ['0:,', 'no-key'],
    ['8:hermetic,', 'no-key'],
  ];
  for (const [text, why] of cases) {
    const { client, malformed } = converse();
    await client.say(`${ask('before')}${text}${ask('after')}`);
    assert.equal(client.heard, frame('OK before'), text);
    assert.deepEqual(malformed, [why], text);
    assert.ok(client.ended, text);
  }
});

test('a request for another map is refused with its name', async () => {
  const { client } = converse();
  await client.say(
    `${ask('example.com', 'hermetics')}${ask('example.com', 'other')}${ask('example.com')}`,
  );
  assert.equal(
    client.heard,
    `${frame('PERM this server has only the map hermetic').repeat(2)}${frame('OK example.com')}`,
  );
});

test('replies come in the order of the requests, also when the first takes longest', async () => {
  const open = new Map<string, (reply: string) => void>();
  const { client } = converse((key) =>
    key.startsWith('slow') ? new Promise((resolve) => open.set(key, resolve)) : frame(`OK ${key}`),
  );
  await client.say(['fast1', 'slow1', 'fast2', 'slow2', 'fast3'].map((key) => ask(key)).join(''));
  assert.equal(client.heard, frame('OK fast1'));
  open.get('slow2')?.(frame('OK slow2'));
  await client.settle();
  assert.equal(client.heard, frame('OK fast1'));
  open.get('slow1')?.(frame('OK slow1'));
  await client.settle();
  assert.equal(
    client.heard,
    ['fast1', 'slow1', 'fast2', 'slow2', 'fast3'].map((key) => frame(`OK ${key}`)).join(''),
  );
});

test('the server stops reading from a client that reads no replies', async () => {
  let asked = 0;
  const { client } = converse((key) => {
    asked++;
    return frame(`OK ${key}${'x'.repeat(5000)}`);
  });
  client.reads = false;
  for (let i = 0; i < 50; i++) await client.say(ask('a').repeat(100));
  assert.ok(asked < 200, `${asked} of 5000 requests were answered into the void`);
  await client.read();
  for (let i = 0; i < 400; i++) await client.settle();
  assert.equal(asked, 5000);
});

test('the number of pending requests is bounded', async () => {
  let asked = 0;
  const { client } = converse(() => {
    asked++;
    return new Promise(() => undefined);
  });
  for (let i = 0; i < 20; i++) await client.say(ask('a').repeat(100));
  assert.equal(asked, 256);
});
