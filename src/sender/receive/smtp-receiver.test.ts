import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import {
  CaseCertificates,
  Recorder,
  senderCase,
  SmtpReceiver,
  type CasePlace,
  type ReceiverLimits,
} from '../index.js';
import { buildClientHello, ProtocolVersion } from '../../tls/index.js';
import { SigningDomains } from './signing-domains.js';

interface Bench {
  readonly recorder: Recorder;
  /** Sends a command and returns the reply, all its lines; empty after the close. */
  ask(command: string): Promise<string>;
  readonly socket: Socket;
}

const certificates = new CaseCertificates(Date.now());

/** Returns a receiver that shows one case, and a client that has read the greeting. */
async function bench(
  t: TestContext,
  caseId: string,
  limits: Partial<ReceiverLimits> = {},
): Promise<Bench> {
  const played = senderCase(caseId);
  assert.ok(played);
  const place: CasePlace = { senderCase: played, slot: 'me' };
  const recorder = new Recorder();
  const receiver = new SmtpReceiver({ zone: 'sender.example', recorder, certificates, limits });
  const listener = createServer((accepted) => {
    void receiver.serve(
      {
        stream: accepted,
        local: { address: '198.51.100.1', port: 25 },
        remote: { address: '192.0.2.1', port: 40_000 },
        close: () => void accepted.destroy(),
      },
      place,
    );
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => {
    socket.destroy();
    listener.close();
  });
  let received = '';
  let closed = false;
  let wake = (): void => undefined;
  socket.on('data', (octets) => ((received += octets.toString('latin1')), wake()));
  socket.on('error', () => undefined);
  for (const event of ['end', 'close']) socket.on(event, () => ((closed = true), wake()));
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
  assert.match(await reply(), /^220 mx\./);
  return {
    recorder,
    socket,
    ask: (command) => {
      socket.write(`${command}\r\n`);
      return reply();
    },
  };
}

const kinds = ({ recorder }: Bench): string[] => recorder.observations.map(({ kind }) => kind);

test('a message is counted, and its content is discarded', async (t) => {
  const client = await bench(t, 'plain');
  assert.match(await client.ask('EHLO mail.sender.test'), /250-STARTTLS\r\n/);
  assert.match(await client.ask('MAIL FROM:<a@sender.test> SIZE=100'), /^250 /);
  assert.match(await client.ask('RCPT TO:<b@plain.me.sender.example>'), /^250 /);
  assert.match(await client.ask('DATA'), /^354 /);
  assert.match(await client.ask('Subject: secret\r\n\r\nsecret words\r\n.'), /^250 /);
  assert.match(await client.ask('QUIT'), /^221 /);
  await client.ask('');
  assert.deepEqual(kinds(client), ['connection', 'ehlo', 'mail', 'rcpt', 'data', 'close']);
  assert.doesNotMatch(JSON.stringify(client.recorder.observations), /secret|b@plain/);
});

test('only the DKIM domains of a header are stored', async (t) => {
  const client = await bench(t, 'plain');
  await client.ask('EHLO mail.sender.test');
  await client.ask('MAIL FROM:<a@sender.test>');
  await client.ask('RCPT TO:<b@plain.me.sender.example>');
  await client.ask('DATA');
  const mail = [
    'DKIM-Signature: v=1; a=rsa-sha256; s=secret;',
    '\td = Sender.TEST; h=From; bh=dGVzdA==; b=Zm9v',
    'dkim-signature: v=1; d=list.example; s=secret; b=YmFy',
    'DKIM-Signature: v=1; d=not a domain!; b=',
    'X-DKIM-Signature: v=1; d=other.example',
    'From: secret@sender.test',
    '',
    'DKIM-Signature: v=1; d=body.example',
  ];
  await client.ask(`${mail.join('\r\n')}\r\n.`);
  const text = JSON.stringify(client.recorder.observations);
  assert.match(text, /"signedBy":\["sender\.test","list\.example"\]/);
  assert.doesNotMatch(text, /secret|body\.example|other\.example/);
});

test('DKIM domains are read across chunks, within the first 32 kB', () => {
  const read = (text: string, size: number): readonly string[] => {
    const domains = new SigningDomains();
    const octets = Buffer.from(text);
    for (let at = 0; at < octets.length; at += size) domains.add(octets.subarray(at, at + size));
    return domains.end();
  };
  const signature = 'DKIM-Signature: v=1; d=a.example; b=x';
  for (const size of [1, 7, 5000])
    assert.deepEqual(read(`To: b\r\n${signature}\r\n\r\nd=no`, size), ['a.example'], String(size));
  assert.deepEqual(read(signature, 5), ['a.example']);
  assert.deepEqual(read(`X: ${'x'.repeat(40_000)}\r\n${signature}\r\n\r\n`, 4096), []);
  const many = Array.from({ length: 500 }, (_, n) => `DKIM-Signature: d=a${n}.example\r\n`);
  assert.equal(read(many.join(''), 4096).length, 10);
});

/**
 * Returns the alert that answers a ClientHello with these groups; empty without an alert.
 */
async function answerToHello(t: TestContext, caseId: string, groups: number[]): Promise<string> {
  const { ask, socket } = await bench(t, caseId);
  await ask('EHLO mail.sender.test');
  assert.match(await ask('STARTTLS'), /^220 /);
  const answer = new Promise<Buffer>((resolve) => socket.once('data', resolve));
  socket.write(
    buildClientHello({
      random: Buffer.alloc(32, 7),
      maxVersion: ProtocolVersion['TLSv1.2'],
      versions: [ProtocolVersion['TLSv1.3']],
      suites: [0x1301],
      groups,
      signatureSchemes: [0x0403, 0x0804],
      serverName: 'mx.pq.me.sender.example',
    }),
  );
  const octets = await answer;
  return octets[0] === 21 ? `alert ${octets[6]}` : `record ${octets[0]}`;
}

test('the case pq ends only handshakes without the hybrid group', async (t) => {
  assert.equal(await answerToHello(t, 'pq', [29, 23]), 'alert 40');
  assert.equal(await answerToHello(t, 'pq', [0x6399, 29]), 'alert 40', 'a draft of Kyber');
  assert.equal(await answerToHello(t, 'pq', [29, 0x11ec]), 'record 22');
});

test('nothing is relayed: a recipient of another domain is refused', async (t) => {
  const { ask } = await bench(t, 'plain');
  await ask('EHLO mail.sender.test');
  await ask('MAIL FROM:<a@sender.test>');
  for (const recipient of ['b@example.com', 'b@sts.me.sender.example', 'b', '@'])
    assert.match(await ask(`RCPT TO:<${recipient}>`), /^550 5\.7\.1/, recipient);
  assert.match(await ask('DATA'), /^503 /);
  assert.match(await ask('VRFY root'), /^252 /);
  assert.match(await ask('EXPN staff'), /^502 /);
});

test('recipients, commands and octets of a message are bounded', async (t) => {
  const { ask, recorder } = await bench(t, 'plain', { recipients: 2, maxData: 100 });
  await ask('EHLO mail.sender.test');
  await ask('MAIL FROM:<a@sender.test>');
  const replies = [];
  for (let index = 0; index < 3; index++)
    replies.push((await ask('RCPT TO:<b@plain.me.sender.example>')).slice(0, 3));
  assert.deepEqual(replies, ['250', '250', '452']);
  await ask('DATA');
  assert.match(await ask('x'.repeat(500)), /^552 /);
  assert.equal(await ask('NOOP'), '');
  assert.equal(recorder.observations.find(({ kind }) => kind === 'close')?.kind, 'close');
  const many = await bench(t, 'plain', { commands: 3 });
  for (let index = 0; index < 3; index++) await many.ask('NOOP');
  assert.match(await many.ask('NOOP'), /^421 /);
});

// [5321-4.1.4-1, 5321-4.5.1-1, 5321-3.5.3-1]
test('RFC 5321: every command is served, and those out of order get 503', async (t) => {
  const { ask } = await bench(t, 'plain');
  const replies = [];
  for (const command of [
    'MAIL FROM:<a@sender.test>',
    'RCPT TO:<b@plain.me.sender.example>',
    'DATA',
    'HELO mail.sender.test',
    'RCPT TO:<b@plain.me.sender.example>',
    'EHLO mail.sender.test',
    'NOOP',
    'VRFY root',
    'MAIL FROM:<>',
    'MAIL FROM:<>',
    'DATA',
    'RSET',
    'RCPT TO:<b@plain.me.sender.example>',
    'QUIT',
  ])
    replies.push((await ask(command)).slice(0, 3));
  const expected = '503 503 503 250 503 250 250 252 250 503 503 250 503 221';
  assert.deepEqual(replies.join(' '), expected);
});

// [5321-4.5.3.1.8-1, 5321-4.5.3.1.10-2]
test('RFC 5321 §4.5.3.1.8: a message has room for 100 recipients', async (t) => {
  const { ask } = await bench(t, 'plain');
  await ask('EHLO mail.sender.test');
  await ask('MAIL FROM:<a@sender.test>');
  const counts = new Map<string, number>();
  for (let index = 0; index < 105; index++) {
    const code = (await ask(`RCPT TO:<b${index}@plain.me.sender.example>`)).slice(0, 3);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(counts), { 250: 100, 452: 5 });
});

// [3207-4.2-6, 3207-4.2-7, 3207-4-3, 8689-2-1]
test('RFC 3207 §4.2: TLS discards earlier state and pipelined commands', async (t) => {
  const { ask, socket } = await bench(t, 'requiretls');
  assert.doesNotMatch(await ask('EHLO mail.sender.test'), /REQUIRETLS/);
  assert.match(await ask('MAIL FROM:<a@sender.test> REQUIRETLS'), /^555 /);
  // The second command is in the buffer of the server when TLS begins.
  assert.match(await ask('STARTTLS\r\nEHLO injected.test'), /^220 /);
  const secured = connectTls({ socket, rejectUnauthorized: false });
  let text = '';
  const reply = async (command: string): Promise<string> => {
    text = '';
    secured.write(`${command}\r\n`);
    while (!/^\d{3} [^\n]*\n$/m.test(text)) {
      const [octets] = (await once(secured, 'data')) as [Buffer];
      text += octets.toString('latin1');
    }
    return text;
  };
  await once(secured, 'secureConnect');
  assert.match(await reply('MAIL FROM:<a@sender.test>'), /^503 /);
  const hello = await reply('EHLO mail.sender.test');
  assert.doesNotMatch(hello, /STARTTLS/);
  assert.match(hello, /REQUIRETLS/);
  assert.match(await reply('MAIL FROM:<a@sender.test> REQUIRETLS'), /^250 /);
});

test('a silent client is disconnected', async (t) => {
  const client = await bench(t, 'plain', { commandMs: 20 });
  await new Promise((resolve) => client.socket.once('close', resolve).resume());
  assert.deepEqual(client.recorder.observations.at(-1)?.kind, 'close');
});

test('each case answers STARTTLS by its description', async (t) => {
  const absent = await bench(t, 'sts-clear');
  assert.doesNotMatch(await absent.ask('EHLO mail.sender.test'), /STARTTLS/);
  assert.match(await absent.ask('STARTTLS'), /^502 /);
  const deferred = await bench(t, 'starttls-454');
  assert.match(await deferred.ask('EHLO mail.sender.test'), /STARTTLS/);
  assert.match(await deferred.ask('STARTTLS'), /^454 /);
});

test('a flood of observations is truncated, and the first ones stay', () => {
  const recorder = new Recorder();
  const played = senderCase('plain');
  assert.ok(played);
  for (let index = 0; index < 21_000; index++)
    recorder.record({ senderCase: played, slot: 'me' }, { kind: 'submitted', via: String(index) });
  assert.equal(recorder.observations.length, 20_000);
  assert.equal(JSON.stringify(recorder.observations[0]).includes('"via":"0"'), true);
});
