import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { connect as connectTls, createSecureContext } from 'node:tls';
import fc from 'fast-check';
import { selfSigned } from '../../pki/index.js';
import type { Connection } from '../../net/index.js';
import { SmtpServer, type SmtpServerOptions } from '../index.js';
import { MailDataReader } from './mail-data.js';

interface Bench {
  readonly server: SmtpServer;
  readonly mails: string[];
  /** The connections served, in order. */
  readonly conns: Connection[];
  /** Time of the server's clock, milliseconds. */
  time: number;
  client(): Promise<Client>;
}

interface Client {
  readonly socket: Socket;
  send(text: string): void;
  /**
   * Returns the next reply, all its lines; empty when the server closed the connection.
   */
  reply(): Promise<string>;
  /** Sends a command and returns the reply to it. */
  ask(command: string): Promise<string>;
}

async function bench(t: TestContext, more: Partial<SmtpServerOptions> = {}): Promise<Bench> {
  const mails: string[] = [];
  const server = new SmtpServer({
    name: 'mx.example',
    maxMail: 1_000_000,
    monotonic: () => state.time,
    onConnect: () => undefined,
    onSender: () => undefined,
    onRecipient: (address) =>
      address === 'r@example.com' ? undefined : { code: 550, text: '5.1.1 No such recipient' },
    async onMail({ data }) {
      let mail = '';
      try {
        for await (const octets of data) mail += Buffer.from(octets).toString('latin1');
      } catch {
        return { code: 451, text: '4.3.0 Broken off' };
      }
      mails.push(mail);
      return { code: 250, text: '2.0.0 Taken' };
    },
    ...more,
  });
  const listener = createServer((socket) => {
    const remote = { address: '192.0.2.1', port: 40_000 };
    const local = { address: '192.0.2.2', port: 25 };
    const conn = { stream: socket, local, remote, close: () => void socket.destroy() };
    state.conns.push(conn);
    server.serve(conn);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
    await server.stop();
  });
  const state: Bench = {
    server,
    mails,
    conns: [],
    time: 0,
    async client() {
      const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
      sockets.push(socket);
      const one = clientOf(socket);
      assert.match(await one.reply(), /^220 mx\.example/);
      return one;
    },
  };
  return state;
}

function clientOf(socket: Socket): Client {
  let received = '';
  let closed = false;
  let wake = (): void => undefined;
  socket.on('data', (octets) => ((received += octets.toString('latin1')), wake()));
  socket.on('error', () => undefined);
  // Either event is sufficient: the server has sent its last reply.
  for (const event of ['end', 'close'] as const) socket.on(event, () => ((closed = true), wake()));
  const reply = async (): Promise<string> => {
    for (;;) {
      const [whole] = /^(?:\d{3}-[^\n]*\n)*\d{3} [^\n]*\n/.exec(received) ?? [];
      if (whole !== undefined) {
        received = received.slice(whole.length);
        return whole.trimEnd();
      }
      if (closed) return '';
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const send = (text: string): void => void socket.write(Buffer.from(text, 'latin1'));
  return { socket, send, reply, ask: (command) => (send(`${command}\r\n`), reply()) };
}

async function greeted(t: TestContext, more?: Partial<SmtpServerOptions>): Promise<Bench & Client> {
  const state = await bench(t, more);
  const client = await state.client();
  assert.match(await client.ask('EHLO client.example'), /^250-mx\.example/);
  return Object.assign(state, client);
}

test('RFC 5321 §4.1.1.11: parameters that EHLO does not announce are refused with 555', async (t) => {
  const { ask } = await greeted(t);
  const refused = ['FOO=BAR', 'SMTPUTF8', 'AUTH=<>', 'RET=FULL', 'REQUIRETLS', 'BODY=BINARYMIME'];
  for (const parameter of refused)
    assert.match(await ask(`MAIL FROM:<a@b.example> ${parameter}`), /^555 /, parameter);
  assert.match(await ask('MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME'), /^250 /);
  for (const parameter of ['NOTIFY=NEVER', 'ORCPT=rfc822;a@b.example', 'FOO'])
    assert.match(await ask(`RCPT TO:<r@example.com> ${parameter}`), /^555 /, parameter);
  assert.match(await ask('RCPT TO:<r@example.com>'), /^250 /);
});

test('parameters after HELO are refused', async (t) => {
  const { ask } = await greeted(t);
  assert.equal(await ask('HELO client.example'), '250 mx.example');
  assert.match(await ask('MAIL FROM:<a@b.example> SIZE=100'), /^555 /);
  assert.match(await ask('MAIL FROM:<a@b.example>'), /^250 /);
});

test('malformed commands get 501, sizes over the limit get 552', async (t) => {
  const { ask } = await greeted(t);
  for (const command of [
    'MAIL FROM:<a@b.example> SIZE=many',
    'MAIL FROM:<a@b.example> SIZE=1 SIZE=2',
    'MAIL FROM:<a@b.example> =x',
    'MAIL FROM:a@b.example',
    'MAIL TO:<a@b.example>',
    'MAIL',
    'EHLO',
    'EHLO two names',
    'DATA now',
    'NOOP \x01',
    `MAIL FROM:<${'a'.repeat(300)}@b.example>`,
  ])
    assert.match(await ask(command), /^501 /, command);
  assert.match(await ask('MAIL FROM:<a@b.example> SIZE=1000001'), /^552 5\.3\.4/);
  assert.match(await ask('MAIL FROM:<\xfc@b.example>'), /^553 5\.6\.7/);
});

test('commands out of sequence are refused with 503, others with 500 and 502', async (t) => {
  const { client } = await bench(t);
  const { ask } = await client();
  assert.match(await ask('MAIL FROM:<a@b.example>'), /^503 /);
  assert.match(await ask('EHLO client.example'), /^250-/);
  assert.match(await ask('RCPT TO:<r@example.com>'), /^503 /);
  assert.match(await ask('DATA'), /^503 /);
  assert.match(await ask('MAIL FROM:<a@b.example>'), /^250 /);
  assert.match(await ask('MAIL FROM:<a@b.example>'), /^503 /);
  assert.match(await ask('DATA'), /^554 /);
  for (const verb of ['BDAT 10 LAST', 'AUTH PLAIN', 'STARTTLS', 'EXPN staff', 'ETRN x'])
    assert.match(await ask(verb), /^502 /, verb);
  for (const verb of ['WIZ', '', 'é']) assert.match(await ask(verb), /^500 /, verb);
  assert.match(await ask('X'.repeat(5000)), /^500 5\.5\.2 Line too long/);
  assert.match(await ask('NOOP'), /^250 /);
});

test('an envelope may have the null sender, a source route and quoted local parts', async (t) => {
  const { ask } = await greeted(t);
  for (const path of [
    '<>',
    '<@a.example,@b.example:c@d.example>',
    '<"a> b"@c.example>',
    ' <a@b>',
  ]) {
    assert.match(await ask(`MAIL FROM:${path}`), /^250 /, path);
    assert.match(await ask('RSET  '), /^250 /);
  }
  assert.match(await ask('mail from:<a@b.example>'), /^250 /);
  assert.match(await ask('RCPT TO:<@relay.example:r@example.com>'), /^250 /);
});

test('RFC 5321 §2.3.8: a command that ends with a bare LF is refused and runs nothing', async (t) => {
  for (const text of ['MAIL FROM:<a@b.example>\n', 'NOOP\nNOOP\r\n', '\n', 'NOOP \r \nRSET\r\n']) {
    const { send, reply } = await greeted(t);
    send(text);
    assert.match(await reply(), /^500 5\.5\.2 Bare LF/, JSON.stringify(text));
    assert.equal(await reply(), '', 'the connection ends');
  }
});

test('only CR LF dot CR LF ends a message', async (t) => {
  const { ask, send, reply, mails } = await greeted(t);
  await ask('MAIL FROM:<a@b.example>');
  await ask('RCPT TO:<r@example.com>');
  assert.match(await ask('DATA'), /^354 /);
  const smuggled = 'one\n.\nMAIL FROM:<x@y.example>\r\ntwo\n.\r\nRSET\r\nthree\nfour\r.\rfive';
  send(`${smuggled}\r\n..six\r\n.\r\n`);
  assert.match(await reply(), /^250 /);
  assert.deepEqual(mails, [`${smuggled}\r\n.six\r\n`]);
  assert.match(await ask('QUIT'), /^221 /);
});

test('commands pipelined after a message run once, one after another', async (t) => {
  const { send, reply, mails } = await greeted(t);
  const envelope = 'MAIL FROM:<>\r\nRCPT TO:<r@example.com>\r\nDATA\r\n';
  send(`${envelope}a\r\n.\r\n${envelope}.\r\nNOOP\r\nQUIT\r\nNOOP\r\n`);
  const replies = [];
  for (let text = await reply(); text !== ''; text = await reply()) replies.push(text.slice(0, 3));
  const one = ['250', '250', '354', '250'];
  assert.deepEqual(replies, [...one, ...one, '250', '221']);
  assert.deepEqual(mails, ['a\r\n', '']);
});

test('a message does not depend on the chunks of its octets', () => {
  const text = fc.array(fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', 'a'), { maxLength: 40 });
  const cuts = fc.array(fc.nat(60), { maxLength: 8 });
  fc.assert(
    fc.property(text, cuts, (parts, at) => {
      const body = parts.join('') + '\r\n';
      const stuffed = body.replace(/^\./, '..').replaceAll('\r\n.', '\r\n..');
      const sent = Buffer.from(`${stuffed}.\r\nQUIT\r\n`);
      const reader = new MailDataReader();
      let read = '';
      const ends = [...new Set([...at, sent.length])].sort((a, b) => a - b);
      for (const [index, end] of ends.entries()) {
        const { data, rest } = reader.push(sent.subarray(ends[index - 1] ?? 0, end));
        read += data.toString();
        if (!rest) continue;
        assert.equal(rest.toString() + sent.toString('latin1', end), 'QUIT\r\n');
        assert.equal(read, body);
        return;
      }
      assert.fail('no end');
    }),
    { numRuns: 2000 },
  );
});

test('a session ends with 421 after a hundred commands without effect', async (t) => {
  const { client } = await bench(t);
  const useless: readonly (readonly string[])[] = [
    ['NOOP'],
    ['RSET'],
    ['VRFY x'],
    ['EHLO client.example'],
    ['NONSENSE'],
    ['MAIL FROM:<a@b.example>', 'RSET'],
    ['MAIL FROM:<a@b.example>', 'RCPT TO:<nobody@example.com>', 'RSET'],
  ];
  for (const commands of useless) {
    const { ask } = await client();
    await ask('EHLO client.example');
    let answered = 0;
    let last = '';
    while (answered < 1000) {
      const reply = await ask(commands[answered % commands.length] ?? '');
      if (reply === '') break;
      last = reply;
      answered++;
    }
    assert.ok(answered <= 100, `${commands.join()}: ${answered} answered`);
    assert.match(last, /^421 4\.7\.0/);
  }
});

test('refused recipients end a session with 421, also when they are pipelined', async (t) => {
  const { ask, send, reply } = await greeted(t);
  await ask('MAIL FROM:<a@b.example>');
  send('RCPT TO:<nobody@example.com>\r\n'.repeat(2000));
  let refused = 0;
  let text = await reply();
  for (; text.startsWith('550'); text = await reply()) refused++;
  assert.ok(refused < 100, String(refused));
  assert.match(text, /^421 /);
  assert.equal(await reply(), '');
});

test('accepted messages do not count against a session', async (t) => {
  const { ask, send, reply, mails } = await greeted(t);
  for (let n = 0; n < 60; n++) {
    await ask('MAIL FROM:<a@b.example>');
    await ask('RCPT TO:<r@example.com>');
    await ask('DATA');
    send('x\r\n.\r\n');
    assert.match(await reply(), /^250 /);
  }
  assert.equal(mails.length, 60);
});

test('a slow command ends the session with 421 after a minute', async (t) => {
  const state = await greeted(t);
  const { send, reply, server, ask } = state;
  for (const octet of 'NOO') {
    state.time += 19_000;
    send(octet);
    server.checkTimes();
  }
  state.time += 4000;
  server.checkTimes();
  assert.match(await reply(), /^421 4\.4\.2/);
  const other = await state.client();
  for (let n = 0; n < 6; n++) {
    state.time += 20_000;
    server.checkTimes();
    assert.match(await other.ask('NOOP'), /^250 /, `NOOP ${n}`);
  }
  state.time += 1000;
  server.checkTimes();
  assert.match(await other.reply(), /^421 4\.4\.2/, 'NOOP does not extend the session');
  assert.equal(await ask('NOOP'), '');
});

test('a message slower than 1 KiB a second ends the session', async (t) => {
  const state = await greeted(t);
  const { ask, send, reply, server, mails } = state;
  await ask('MAIL FROM:<a@b.example>');
  await ask('RCPT TO:<r@example.com>');
  await ask('DATA');
  send('Subject: x\r\n');
  for (let n = 0; n < 6; n++) {
    state.time += 5000;
    send('abc');
    server.checkTimes();
  }
  state.time += 2000;
  server.checkTimes();
  assert.match(await reply(), /^421 4\.4\.2/);
  assert.deepEqual(mails, []);
});

test('a message may take ten minutes and no longer', async (t) => {
  const state = await greeted(t);
  const { ask, send, reply, server } = state;
  let received = 0;
  await ask('MAIL FROM:<a@b.example>');
  await ask('RCPT TO:<r@example.com>');
  await ask('DATA');
  for (let minute = 1; minute <= 10; minute++) {
    send('x'.repeat(70_000) + '\r\n');
    received += 70_002;
    await settle();
    state.time += 59_000;
    server.checkTimes();
  }
  assert.ok(received < 1_000_000);
  state.time += 11_000;
  server.checkTimes();
  assert.match(await reply(), /^421 4\.4\.2/);
});

test('RFC 5321 §3.8: a stopping server sends 421 after the current message', async (t) => {
  const { client, server, mails } = await bench(t);
  const [idle, busy] = [await client(), await client()];
  await busy.ask('EHLO client.example');
  await busy.ask('MAIL FROM:<a@b.example>');
  await busy.ask('RCPT TO:<r@example.com>');
  await busy.ask('DATA');
  const stopped = server.stop();
  assert.match(await idle.reply(), /^421 4\.3\.2/);
  assert.equal(await idle.reply(), '');
  busy.send('x\r\n.\r\n');
  assert.match(await busy.reply(), /^250 /);
  assert.match(await busy.reply(), /^421 4\.3\.2/);
  await stopped;
  assert.deepEqual(mails, ['x\r\n']);
});

test('RFC 5321 §3.8: a displaced session ends with 421', async (t) => {
  for (const commands of [
    [],
    ['EHLO client.example'],
    ['EHLO client.example', 'MAIL FROM:<a@b.example>', 'RCPT TO:<r@example.com>', 'DATA'],
  ]) {
    const { client, server, conns, mails } = await bench(t);
    const { ask, reply } = await client();
    for (const command of commands) await ask(command);
    const [conn] = conns;
    assert.ok(conn);
    server.evict(conn);
    assert.match(await reply(), /^421 4\.3\.2 /);
    assert.equal(await reply(), '');
    server.evict(conn);
    assert.deepEqual(mails, []);
  }
});

test('a session displaced during a TLS handshake gets no reply in plaintext', async (t) => {
  const { client, server, conns } = await bench(t, { secureContext: createSecureContext({}) });
  const { ask, reply } = await client();
  await ask('EHLO client.example');
  assert.match(await ask('STARTTLS'), /^220 /);
  await settle();
  const [conn] = conns;
  assert.ok(conn);
  server.evict(conn);
  assert.equal(await reply(), '');
});

test('an HTTP request and a message of twice the size end the session', async (t) => {
  const { client, mails } = await bench(t, { maxMail: 10_000 });
  const web = await client();
  assert.match(await web.ask('POST /tlsrpt HTTP/1.1'), /^421 /);
  assert.equal(await web.reply(), '');
  const large = await client();
  await large.ask('EHLO client.example');
  await large.ask('MAIL FROM:<a@b.example>');
  await large.ask('RCPT TO:<r@example.com>');
  await large.ask('DATA');
  large.send('x'.repeat(30_000));
  assert.match(await large.reply(), /^552 5\.3\.4/);
  assert.deepEqual(mails, []);
});

test('[3207-4.2-3] data sent together with STARTTLS is not part of the TLS session', async (t) => {
  const { keyPem, certPem } = selfSigned({ names: ['mx.example'] });
  const secureContext = createSecureContext({ key: keyPem, cert: certPem });
  const { client } = await bench(t, { secureContext });
  const injected = await client();
  assert.match(await injected.ask('EHLO client.example'), /STARTTLS/);
  injected.send('STARTTLS\r\nEHLO attacker.example\r\nMAIL FROM:<a@b.example>\r\n');
  assert.match(await injected.reply(), /^220 /);
  const after = clientOf(connectTls({ socket: injected.socket, rejectUnauthorized: false }));
  assert.match(await after.ask('RCPT TO:<r@example.com>'), /^503 /, 'MAIL was discarded');
  const { ask, socket } = await client();
  await ask('EHLO client.example');
  assert.match(await ask('STARTTLS'), /^220 /);
  const secured = clientOf(connectTls({ socket, rejectUnauthorized: false }));
  assert.match(await secured.ask('MAIL FROM:<a@b.example>'), /^503 /, 'EHLO is forgotten');
  assert.doesNotMatch(await secured.ask('EHLO client.example'), /STARTTLS/);
  assert.match(await secured.ask('STARTTLS'), /^503 /);
});

/** Waits until sent octets have arrived. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
