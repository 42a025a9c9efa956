import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Connection } from '../net/index.js';
import { openSession, parseMailbox, sendMail, type Envelope, type MailResult } from './index.js';
import { duplexPair } from '../../test/support/stream-pair.js';

/**
 * Returns a server that offers some keywords, answers by verb, and stores all received
 * data.
 */
async function handOver(
  offers: readonly string[],
  answers: Readonly<Record<string, string>>,
  envelope: Envelope,
  message = 'Subject: x\r\n\r\nhello\r\n',
): Promise<{ readonly result: MailResult; readonly received: string }> {
  const [client, peer] = duplexPair();
  let received = '';
  let data = false;
  peer.write('220 mx.example\r\n');
  peer.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1');
    received += text;
    if (data) {
      if (received.endsWith('\r\n.\r\n')) {
        data = false;
        peer.write(answers['.'] ?? '250 queued\r\n');
      }
      return;
    }
    const verb = text.split(/[ \r]/)[0] ?? '';
    if (verb === 'EHLO')
      peer.write(
        ['mx.example', ...offers]
          .map((k, i, all) => `250${i < all.length - 1 ? '-' : ' '}${k}\r\n`)
          .join(''),
      );
    else
      peer.write(
        answers[text.trim()] ?? answers[verb] ?? (verb === 'DATA' ? '354 go\r\n' : '250 ok\r\n'),
      );
    if (verb === 'DATA' && !answers['DATA']) data = true;
  });
  const at = { address: '192.0.2.1', port: 25 };
  const connection: Connection = {
    stream: client,
    local: at,
    remote: at,
    close: () => void client.destroy(),
  };
  const opened = await openSession({ connection, helo: 'sender.example', timeoutMs: 5000 });
  assert.ok(opened.ok);
  await opened.value.ehlo();
  const result = await sendMail(opened.value, envelope, Buffer.from(message));
  return { result, received };
}

const envelope: Envelope = { from: 'me@sender.example', to: ['a@example.com', 'b@example.com'] };
const codes = ({ accepted, refused }: MailResult): readonly string[] => [
  ...accepted,
  ...refused.map(({ address, failure }) => `${address} ${failure.code}`),
];

// [5321-4.5.3.1.10-1]
test('RFC 5321 §4.5.3.1.10: 552 is temporary after RCPT only', async () => {
  const full = '552 too many recipients\r\n';
  const to = 'RCPT TO:<b@example.com>';
  const { result } = await handOver([], { [to]: full }, envelope);
  assert.deepEqual(codes(result), ['a@example.com', 'b@example.com smtp-mail-deferred']);
  const all = await handOver([], { RCPT: '552 5.5.3 Too many\r\n' }, envelope);
  assert.ok(codes(all.result).every((code) => code.endsWith('smtp-mail-deferred')));
  for (const command of ['MAIL', '.']) {
    const other = await handOver([], { [command]: full }, envelope);
    assert.ok(
      codes(other.result).every((code) => code.endsWith('smtp-mail-rejected')),
      command,
    );
  }
  const gone = await handOver([], { [to]: '550 5.1.1 no such user\r\n' }, envelope);
  assert.deepEqual(codes(gone.result)[1], 'b@example.com smtp-mail-rejected');
});

test('RFC 5321 §3.3: one transaction, every recipient accounted for', async () => {
  const { result, received } = await handOver(
    ['SIZE 1000', '8BITMIME'],
    { 'RCPT TO:<b@example.com>': '550 5.1.1 no such user\r\n' },
    envelope,
  );
  assert.deepEqual(codes(result), ['a@example.com', 'b@example.com smtp-mail-rejected']);
  assert.match(
    received,
    /MAIL FROM:<me@sender\.example> SIZE=\d+\r\nRCPT TO:<a@example\.com>\r\nRCPT TO:<b@example\.com>\r\nDATA\r\n/,
  );
});

test('4xx is temporary and 5xx permanent, after every command', async () => {
  for (const verb of ['MAIL', 'RCPT', 'DATA', '.']) {
    for (const [reply, code] of [
      ['451 4.3.0 later\r\n', 'smtp-mail-deferred'],
      ['554 5.6.0 never\r\n', 'smtp-mail-rejected'],
    ] as const) {
      const { result } = await handOver([], { [verb]: reply }, envelope);
      assert.deepEqual(
        codes(result),
        [`a@example.com ${code}`, `b@example.com ${code}`],
        `${verb} ${reply}`,
      );
    }
  }
});

test('extensions that the server does not offer are not used', async () => {
  const failing = async (
    offers: string[],
    given: Partial<Envelope>,
    message?: string,
  ): Promise<string | undefined> =>
    (await handOver(offers, {}, { ...envelope, ...given }, message)).result.refused[0]?.failure
      .code;
  assert.equal(await failing(['SIZE 10'], {}), 'smtp-too-big');
  assert.equal(await failing([], {}, 'Subject: x\r\n\r\nh\u00e9\r\n'), 'smtp-8bit-not-offered');
  assert.equal(
    await failing(['8BITMIME'], { to: ['gr\u00fc\u00dfe@example.com'] }),
    'smtp-utf8-not-offered',
  );
  assert.equal(await failing(['REQUIRETLS'], { requireTls: true }), 'smtp-requiretls-not-offered');
});

test('RFC 5321 §4.5.2: leading dots are doubled, and no bare CR or LF remains', async () => {
  for (const message of ['a\n.\nb', 'a\r.\rb', 'a\r\n.\nb', '.a\r\n..b\r\n', 'a\n.\r\nQUIT\r\n']) {
    const { result, received } = await handOver([], {}, envelope, message);
    assert.equal(result.accepted.length, 2);
    const sent = received.slice(received.indexOf('DATA\r\n') + 6);
    assert.equal(sent.indexOf('\r\n.\r\n'), sent.length - 5, JSON.stringify(sent));
    assert.doesNotMatch(sent, /(^|[^\r])\n|\r([^\n]|$)/);
  }
});

test('property: no accepted address can end a command or its brackets', () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      'a',
      '@',
      '.',
      '"',
      '\\',
      '<',
      '>',
      ' ',
      '\r',
      '\n',
      ',',
      '\u00e9',
      '[',
      ']',
      ':',
      '1',
      '\0',
    ),
  });
  fc.assert(
    fc.property(fc.tuple(nasty, nasty), ([local, host]) => {
      const parsed = parseMailbox(`${local}@${host}`);
      if (!parsed.ok) return;
      assert.doesNotMatch(parsed.value.domain, /[<>\r\n\0 ]/);
      const bare = parsed.value.local.replace(/^"(.*)"$/s, '');
      assert.doesNotMatch(bare, /[<>\r\n\0 ]/);
      assert.doesNotMatch(parsed.value.local, /[\r\n\0]/);
    }),
  );
  for (const good of [
    'me@example.com',
    'a.b+c@Example.COM',
    '"a b"@example.com',
    'gr\u00fc\u00dfe@b\u00fccher.example',
    'me@[192.0.2.1]',
    'me@[IPv6:2001:db8::1]',
  ])
    assert.ok(parseMailbox(good).ok, good);
  for (const bad of [
    '',
    'me',
    '@example.com',
    'me@',
    '.a@example.com',
    'a..b@example.com',
    `${'a'.repeat(65)}@example.com`,
    'me@[nowhere]',
  ])
    assert.ok(!parseMailbox(bad).ok, bad);
});
