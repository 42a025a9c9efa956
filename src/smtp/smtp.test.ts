import assert from 'node:assert/strict';
import { duplexPair } from '../../test/support/stream-pair.js';
import test from 'node:test';
import fc from 'fast-check';
import type { Connection } from '../net/index.js';
import { openSession, ReplyReader, starttlsOffer, type SmtpSession } from './index.js';

/** Returns a scripted server: its greeting, and its reply to each command. */
function server(greeting: string, answers: Record<string, string> = {}): Connection {
  const [client, peer] = duplexPair();
  peer.write(greeting);
  peer.on('data', (bytes: Buffer) => {
    const answer = answers[bytes.toString().trim().split(' ')[0] ?? ''];
    if (answer === undefined) peer.end();
    else peer.write(answer);
  });
  const at = { address: '192.0.2.1', port: 25 };
  return { stream: client, local: at, remote: at, close: () => void client.destroy() };
}

async function open(greeting: string, answers?: Record<string, string>): Promise<SmtpSession> {
  const opened = await openSession({
    connection: server(greeting, answers),
    helo: 'probe.example',
    timeoutMs: 5000,
  });
  assert.ok(opened.ok);
  return opened.value;
}

async function failureOf(greeting: string, timeoutMs = 5000): Promise<string> {
  const opened = await openSession({
    connection: server(greeting, { QUIT: '221 bye\r\n' }),
    helo: 'probe.example',
    timeoutMs,
  });
  return opened.ok ? 'opened' : opened.failure.code;
}

test('RFC 5321 §4.2.1: replies of several lines in pieces of any size', () => {
  const text = Buffer.from('250-mx.example\r\n250-SIZE 1\r\n250 STARTTLS\r\n220 next\r\n');
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 })), (cuts) => {
      const reader = new ReplyReader();
      let at = 0;
      const replies: string[] = [];
      for (const cut of [...cuts, text.length]) {
        reader.push(text.subarray(at, at + cut));
        at += cut;
        for (let next = reader.next(); next.state === 'reply'; next = reader.next())
          replies.push(`${next.reply.code} ${next.reply.lines.join('|')}`);
      }
      assert.deepEqual(replies, ['250 mx.example|SIZE 1|STARTTLS', '220 next']);
    }),
  );
});

test('property: no bytes make the reader throw or buffer more than a line', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
      const reader = new ReplyReader();
      reader.push(bytes);
      for (let i = 0; i < 300 && reader.next().state === 'reply'; i++);
      assert.ok(reader.pending <= 5000);
    }),
  );
});

test('a line without end fails at its limit', () => {
  const reader = new ReplyReader();
  for (let i = 0; i < 1000; i++) reader.push(new Uint8Array(10_000).fill(65));
  assert.equal(reader.next().state, 'too-long');
  assert.ok(reader.pending < 20_000);
});

test('carriage returns in the middle of lines cost no more than other octets', () => {
  const reader = new ReplyReader();
  const line = Buffer.from(`250-${'\r'.repeat(2000)}x\r\r\n`);
  const began = process.cpuUsage();
  for (let i = 0; i < 255; i++) {
    reader.push(line);
    assert.equal(reader.next().state, 'more');
  }
  assert.ok(process.cpuUsage(began).user < 150_000);
});

test('STARTTLS is offered, absent, or mangled in place', () => {
  const offer = (...keywords: string[]): string =>
    starttlsOffer(['mx.example', ...keywords]).status;
  assert.equal(offer('SIZE 100', 'starttls'), 'offered');
  assert.equal(
    offer(
      'SIZE 100',
      'PIPELINING',
      '8BITMIME',
      'CHUNKING',
      'SMTPUTF8',
      'DSN',
      'REQUIRETLS',
      'XCLIENT',
      'X-ANONYMOUSTLS',
      'HELP',
      'AUTH=LOGIN',
    ),
    'absent',
  );
  for (const odd of ['starttls', 'StartTLS ', 'STARTTLS\tx', ' STARTTLS', 'STARTTLS=x'])
    assert.equal(offer(odd), 'offered', odd);
  for (const other of [
    '8BITMIME',
    'XCLIENT NAME',
    'XFORWARD',
    'XEXCH50',
    'AUTH STARTTLS',
    'X-STARTTLS',
    'XXXX',
  ])
    assert.equal(offer(other), 'absent', other);
  for (const mangled of [
    'XXXXXXXA',
    'XXXXXXXX',
    'XXXXTTLS',
    'STARTTLX',
    'STARXXXX',
    'STARTTL',
    'STARTTLSX',
  ])
    assert.equal(offer(mangled), 'mangled', mangled);
  assert.equal(starttlsOffer(['STARTTLS']).status, 'absent', 'the first line is the server’s name');
});

test('greetings: busy, refused, garbage, silence and a closed port have separate codes', async () => {
  assert.equal(await failureOf('421 too many connections\r\n'), 'smtp-busy');
  assert.equal(await failureOf('450 greylisted\r\n'), 'smtp-busy');
  assert.equal(await failureOf('554 no service\r\n'), 'smtp-refused');
  assert.equal(await failureOf('HTTP/1.1 200 OK\r\n'), 'smtp-garbage');
  assert.equal(await failureOf('', 60), 'smtp-silent');
  assert.equal(await failureOf('x'.repeat(9000)), 'smtp-too-long');
});

test('RFC 5321 §3.2 [5321-3.2-1]: HELO follows a refused EHLO and offers nothing', async () => {
  const helo = { HELO: '250-mx\r\n250 STARTTLS\r\n' };
  const older = await open('220 mx\r\n', { EHLO: '502 no\r\n', ...helo });
  const greeted = await older.greet();
  assert.deepEqual(greeted.ok && greeted.value.lines, ['mx']);
  assert.equal(older.ehloRefusal?.detail, '502 no');
  for (const replies of [
    { EHLO: '502 no\r\n', HELO: '550 no\r\n' },
    { EHLO: '421 busy\r\n', ...helo },
  ]) {
    const session = await open('220 mx\r\n', replies);
    const refused = await session.greet();
    assert.equal(!refused.ok && refused.failure.detail, replies.EHLO.trim());
    assert.equal(session.ehloRefusal, undefined);
  }
});

// [3207-4.2-3]
test('RFC 3207 §4.2: plaintext after 220 is refused and TLS does not start', async () => {
  const session = await open('220 mx\r\n', {
    EHLO: '250-mx\r\n250 STARTTLS\r\n',
    STARTTLS: '220 go\r\n250 injected\r\n',
  });
  await session.ehlo();
  let asked = false;
  const result = await session.startTls(() => {
    asked = true;
    throw new Error('must not be called');
  });
  assert.equal(!result.ok && result.failure.code, 'smtp-injected-plaintext');
  assert.equal(asked, false);
});

test('RFC 3207 §4.2 [3207-4.2-1]: knowledge from before TLS is discarded', async () => {
  const session = await open('220 mx\r\n', {
    EHLO: '250-mx\r\n250-SIZE 5\r\n250 STARTTLS\r\n',
    STARTTLS: '220 go\r\n',
  });
  await session.ehlo();
  assert.deepEqual([...session.capabilities.keys()], ['SIZE', 'STARTTLS']);
  const secured = server('', { EHLO: '250 mx\r\n' });
  assert.ok((await session.startTls(() => Promise.resolve({ ok: true, connection: secured }))).ok);
  assert.equal(session.capabilities.size, 0);
  assert.ok((await session.ehlo()).ok);
  assert.equal(session.connection, secured);
});

// [3207-4-2, 3207-4.2-4]
test('RFC 3207 §4: no data is sent between 220 and TLS, and TLS starts once', async () => {
  const session = await open('220 mx\r\n', {
    EHLO: '250-mx\r\n250 STARTTLS\r\n',
    STARTTLS: '220 go\r\n',
  });
  await session.ehlo();
  const said = (): readonly string[] =>
    session.transcript.flatMap(({ from, text }) => (from === 'C' ? [text] : []));
  await session.startTls(() => {
    assert.equal(said().at(-1), 'STARTTLS');
    return Promise.resolve({
      ok: true,
      connection: server('', { EHLO: '250-mx\r\n250 STARTTLS\r\n' }),
    });
  });
  await session.ehlo();
  await assert.rejects(
    session.startTls(() => Promise.reject(new Error('must not be called'))),
    TypeError,
  );
});

test('RFC 3207 §4 [3207-4-1]: a refusal after the offer has its own code', async () => {
  const session = await open('220 mx\r\n', {
    EHLO: '250-mx\r\n250 STARTTLS\r\n',
    STARTTLS: '454 TLS not available\r\n',
  });
  await session.ehlo();
  const result = await session.startTls(() => Promise.reject(new Error('must not be called')));
  assert.equal(!result.ok && result.failure.code, 'smtp-starttls-refused');
});

test('a command with a line break is a mistake of the caller', async () => {
  const session = await open('220 mx\r\n');
  await assert.rejects(session.command('NOOP\r\nQUIT'), TypeError);
});
