import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { generateKey } from '../../pki/index.js';
import { openedStore } from '../../../test/support/opened-store.js';
import { senderCases } from '../index.js';
import type { Observation } from '../observation.js';
import { CaseAddresses } from './case-addresses.js';
import { allocateSlot } from './allocate-slot.js';
import { ObservationBuffer } from './observation-buffer.js';
import { SlotCertificates } from './slot-certificates.js';
import { SlotReceivers } from './slot-receivers.js';
import { SlotTable } from './slot-table.js';

const start = Date.UTC(2026, 11, 1);
const zone = 'sender.example';
const every = Array.from({ length: 60 }, (_, index) => `198.51.100.${index + 1}`);
const keys = { host: generateKey(), issuer: generateKey() };

interface Client {
  /** Sends a line and returns the reply; empty after the close. */
  ask(line: string): Promise<string>;
  /** Starts TLS; resolves to whether the handshake succeeded. */
  secure(serverName?: string): Promise<boolean>;
  end(): Promise<void>;
}

class Bench {
  time = start;
  readonly table: SlotTable;
  readonly buffer: ObservationBuffer;
  readonly addresses: CaseAddresses;
  readonly receivers: SlotReceivers;

  constructor(
    private readonly t: TestContext,
    store: ConstructorParameters<typeof SlotTable>[0],
    v4: readonly string[],
  ) {
    const now = (): number => this.time;
    this.table = new SlotTable(store);
    this.buffer = new ObservationBuffer(this.table, now);
    this.addresses = new CaseAddresses(senderCases, { v4, v6Network: '2001:db8:25::' });
    this.receivers = new SlotReceivers({
      zone,
      table: this.table,
      buffer: this.buffer,
      addresses: this.addresses,
      certificates: new SlotCertificates({
        ...keys,
        // Certificates of the test must be valid now.
        now: Date.now,
        publicCertificate: () => undefined,
      }),
      now,
      page: 'https://sender.example/sender',
    });
  }

  async lend(): Promise<string> {
    const limits = { slots: 9, perClient: 9 };
    const clock = { now: () => this.time };
    const allocated = await allocateSlot('192.0.2.1', {
      table: this.table,
      clock,
      limits,
      hours: 72,
    });
    assert.ok(allocated.ok);
    return allocated.slot.slot;
  }

  addressOf(caseId: string, slot = 'x', family = 4): string {
    const found = senderCases.find(({ id }) => id === caseId);
    assert.ok(found);
    const all = this.addresses.of(found, slot);
    return all.find((address) => address.includes(':') === (family === 6)) ?? '';
  }

  /** Returns a client that has connected to the address and read the greeting. */
  async dial(local: string, source = '203.0.113.7'): Promise<Client & { greeting: string }> {
    const server = createServer((socket) => {
      const close = (): void => void socket.destroy();
      const remote = { address: source, port: 40_000 };
      const connection = { stream: socket, local: { address: local, port: 25 }, remote, close };
      this.#served.push(this.receivers.serve(connection));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const plain = connect((server.address() as AddressInfo).port, '127.0.0.1');
    this.t.after(() => {
      plain.destroy();
      server.close();
    });
    const client = new SmtpClient(plain);
    return Object.assign(client, { greeting: await client.reply() });
  }

  readonly #served: Promise<void>[] = [];

  /** Returns the observations of a slot after all connections have ended. */
  async seen(slot: string): Promise<readonly Observation[]> {
    await Promise.all(this.#served);
    await this.buffer.flush();
    return this.table.observations(slot);
  }
}

class SmtpClient implements Client {
  #received = '';
  #closed = false;
  #wake = (): void => undefined;
  #socket: ReturnType<typeof connect> | TLSSocket;

  constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket;
    this.#listen();
  }

  #listen(): void {
    this.#socket
      .on('data', (octets: Buffer) => ((this.#received += octets.toString('latin1')), this.#wake()))
      .on('error', () => undefined)
      .on('close', () => ((this.#closed = true), this.#wake()));
  }

  async reply(): Promise<string> {
    for (;;) {
      const [whole] = /^(?:\d{3}-[^\n]*\n)*\d{3} [^\n]*\n/.exec(this.#received) ?? [];
      if (whole !== undefined) {
        this.#received = this.#received.slice(whole.length);
        return whole.trimEnd();
      }
      if (this.#closed) return '';
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  ask(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return this.reply();
  }

  async secure(serverName?: string): Promise<boolean> {
    assert.match(await this.ask('STARTTLS'), /^220/);
    const plain = this.#socket.removeAllListeners('data');
    const secured = connectTls({
      socket: plain,
      rejectUnauthorized: false,
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
    const outcome = await new Promise<boolean>((resolve) => {
      secured.once('secureConnect', () => resolve(true)).once('error', () => resolve(false));
      secured.once('close', () => resolve(false));
    });
    this.#socket = secured;
    this.#listen();
    return outcome;
  }

  async end(): Promise<void> {
    await this.ask('QUIT');
    this.#socket.destroy();
  }
}

async function bench(t: TestContext, v4: readonly string[] = every): Promise<Bench> {
  const { store } = await openedStore(t, []);
  return new Bench(t, store, v4);
}

/** Sends a message and returns the replies to RCPT and to its end. */
async function send(client: Client, domain: string): Promise<readonly [string, string]> {
  await client.ask('EHLO mail.example');
  await client.ask('MAIL FROM:<a@mail.example>');
  const rcpt = await client.ask(`RCPT TO:<test@${domain}>`);
  if (!rcpt.startsWith('250')) return [rcpt, ''];
  await client.ask('DATA');
  return [rcpt, await client.ask('Subject: secret\r\n\r\nsecret\r\n.')];
}

test('a message is observed in its slot, and its content is discarded', async (t) => {
  const all = await bench(t);
  const [slot, other] = [await all.lend(), await all.lend()];
  const client = await all.dial(all.addressOf('plain'));
  const [rcpt, end] = await send(client, `plain.${slot}.${zone}`);
  assert.match(rcpt + end, /^250.*250/s);
  await client.end();
  const seen = await all.seen(slot);
  assert.deepEqual(
    seen.map(({ kind }) => kind),
    ['connection', 'ehlo', 'mail', 'rcpt', 'data', 'close'],
  );
  assert.ok(seen.every((one) => one.slot === slot && one.case === 'plain'));
  assert.doesNotMatch(JSON.stringify(seen), /secret|test@/);
  assert.deepEqual(await all.seen(other), []);
});

test('SNI identifies the slot of a sender that leaves after the handshake', async (t) => {
  const all = await bench(t);
  const [slot] = [await all.lend(), await all.lend()];
  const client = await all.dial(all.addressOf('dane-mismatch'));
  await client.ask('EHLO mail.example');
  assert.equal(await client.secure(`mx.dane-mismatch.${slot}.${zone}`), true);
  await client.end();
  const kinds = (await all.seen(slot)).map(({ kind }) => kind);
  assert.ok(kinds.includes('hello') && kinds.includes('handshake') && !kinds.includes('mail'));
});

test('an IPv6 address identifies case and slot before the first command', async (t) => {
  const all = await bench(t);
  const [slot] = [await all.lend(), await all.lend()];
  const client = await all.dial(all.addressOf('dane-clear', slot, 6));
  assert.doesNotMatch(await client.ask('EHLO mail.example'), /STARTTLS/);
  await client.end();
  const seen = await all.seen(slot);
  assert.ok(seen.length > 0 && seen.every((one) => one.case === 'dane-clear'));
});

test('without a name, the network of earlier connections identifies the slot', async (t) => {
  const all = await bench(t);
  const [slot] = [await all.lend(), await all.lend()];
  const first = await all.dial(all.addressOf('plain'));
  await send(first, `plain.${slot}.${zone}`);
  await first.end();
  await all.seen(slot);
  const next = await all.dial(all.addressOf('sts-clear'), '203.0.113.99');
  await next.ask('EHLO mail.example');
  await next.end();
  const stranger = await all.dial(all.addressOf('sts-clear'), '192.0.2.200');
  await stranger.ask('EHLO mail.example');
  await stranger.end();
  const cases = (await all.seen(slot)).filter((one) => one.kind === 'ehlo').map((one) => one.case);
  assert.deepEqual(cases, ['plain', 'sts-clear']);
  assert.equal(all.receivers.unassigned, 1);
});

test('recipients of ended, unknown and foreign domains are refused with the page', async (t) => {
  const all = await bench(t);
  const slot = await all.lend();
  const client = await all.dial(all.addressOf('plain'));
  for (const domain of [
    `plain.unknown.${zone}`,
    `nothing.${slot}.${zone}`,
    `${slot}.${zone}`,
    zone,
    'victim.example',
    `plain.${slot}.${zone}.victim.example`,
    `x.plain.${slot}.${zone}`,
  ]) {
    const [rcpt] = await send(client, domain);
    assert.match(rcpt, /^55[04] 5\.[0-9]\.[0-9] /, domain);
    if (!domain.startsWith('x.')) assert.match(rcpt, /https:\/\/sender\.example\/sender$/, domain);
    await client.ask('RSET');
  }
  all.time += 73 * 3_600_000;
  const later = await all.dial(all.addressOf('plain'));
  const [rcpt] = await send(later, `plain.${slot}.${zone}`);
  assert.match(rcpt, /^550 5\.7\.1 no test is running here; start one at/);
  for (const address of [all.addressOf('dane', slot, 6), '2001:db8:25::1', '192.0.2.99']) {
    const ended = await all.dial(address, '192.0.2.33');
    const [reply] = await send(ended, `dane.${slot}.${zone}`);
    assert.match(reply, /^550 5\.7\.1 no test is running here/, address);
  }
});

test('relay syntax, VRFY, EXPN and 10,000 recipients have no effect', async (t) => {
  const all = await bench(t);
  const slot = await all.lend();
  const client = await all.dial(all.addressOf('plain'));
  await client.ask('EHLO mail.example');
  assert.match(await client.ask('VRFY root'), /^(252|502)/);
  assert.match(await client.ask('EXPN list'), /^502/);
  await client.ask('MAIL FROM:<>');
  for (const path of [
    `<@plain.${slot}.${zone}:user@victim.example>`,
    `<user%victim.example@${zone}>`,
    `<"user@victim.example"@other.example>`,
    '<victim.example!user>',
    '<user@[203.0.113.9]>',
  ])
    assert.match(await client.ask(`RCPT TO:${path}`), /^5/, path);
  let accepted = 0;
  let last = '250';
  for (let index = 0; index < 10_000 && !/^421|^$/.test(last); index++) {
    last = await client.ask(`RCPT TO:<u${index}@plain.${slot}.${zone}>`);
    if (last.startsWith('250')) accepted++;
  }
  assert.equal(accepted, 100);
  assert.match(last, /^421/);
});

test('a flood of DNS questions within a second leaves room for a connection', async (t) => {
  const all = await bench(t);
  const slot = await all.lend();
  const common = { case: 'plain', slot, source: '203.0.113.53', type: 'A', dnssecOk: false };
  for (let index = 0; index < 1500; index++)
    all.buffer.addQuestion({ ...common, name: `x${index}.plain.${slot}.${zone}` });
  const client = await all.dial(all.addressOf('plain'));
  await send(client, `plain.${slot}.${zone}`);
  await client.end();
  const seen = await all.seen(slot);
  assert.equal(seen.filter(({ kind }) => kind === 'dns').length, 500);
  assert.ok(seen.some(({ kind }) => kind === 'close'));
});

test('a bare line feed ends no message, so smuggling fails', async (t) => {
  const all = await bench(t);
  const slot = await all.lend();
  const domain = `plain.${slot}.${zone}`;
  const client = await all.dial(all.addressOf('plain'));
  await client.ask('EHLO mail.example');
  await client.ask('MAIL FROM:<a@mail.example>');
  await client.ask(`RCPT TO:<test@${domain}>`);
  await client.ask('DATA');
  const inner = `MAIL FROM:<b@victim.example>\r\nRCPT TO:<test@${domain}>\r\nDATA\r\n`;
  const ends = ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r'];
  const body = ends.map((end) => `x${end}${inner}`).join('');
  assert.match(await client.ask(`${body}x\r\n.`), /^250 2.0.0 Received/);
  await client.end();
  const seen = await all.seen(slot);
  assert.equal(seen.filter(({ kind }) => kind === 'mail').length, 1);
});

test('extensions that move mail elsewhere are not offered', async (t) => {
  const all = await bench(t);
  const client = await all.dial(all.addressOf('plain'));
  await client.ask('EHLO mail.example');
  const commands = ['AUTH PLAIN AGEAYg==', 'ETRN example.com', 'TURN', 'ATRN example.com'];
  commands.push('XCLIENT ADDR=192.0.2.1', 'XFORWARD NAME=a', 'BDAT 5 LAST', 'BURL imap://x');
  for (const command of commands) assert.match(await client.ask(command), /^50[0-3]/, command);
  await client.end();
});

test('too much data ends the connection, and nothing is stored', async (t) => {
  const all = await bench(t);
  const slot = await all.lend();
  const client = await all.dial(all.addressOf('plain'));
  await client.ask('EHLO mail.example');
  await client.ask('MAIL FROM:<a@mail.example>');
  await client.ask(`RCPT TO:<a@plain.${slot}.${zone}>`);
  await client.ask('DATA');
  const line = `${'x'.repeat(998)}\r\n`;
  assert.match(await client.ask(line.repeat(1100)), /^552|^$/);
  const data = (await all.seen(slot)).find((one) => one.kind === 'data');
  assert.equal(data?.reply, 552);
});

test('connections of a slot and of a network are limited', async (t) => {
  const all = await bench(t);
  const slot = await all.lend();
  let refused = 0;
  for (let index = 0; index < 203; index++) {
    const client = await all.dial(all.addressOf('plain'), `203.0.${index}.1`);
    const [rcpt] = await send(client, `plain.${slot}.${zone}`);
    if (rcpt.startsWith('451')) refused++;
    await client.end();
  }
  assert.equal(refused, 3);
  for (let index = 0; index < 60; index++)
    await (await all.dial(all.addressOf('plain'), '192.0.2.9')).end();
  assert.match((await all.dial(all.addressOf('plain'), '192.0.2.10')).greeting, /^421/);
});

test('with one address, a case is deferred once and then accepted', async (t) => {
  const all = await bench(t, every.slice(0, 1));
  const slot = await all.lend();
  const [address] = every;
  assert.ok(address !== undefined);
  const attempt = async (caseId: string): Promise<string> => {
    const client = await all.dial(address);
    const ehlo = await client.ask('EHLO mail.example');
    await client.ask('RSET');
    const [rcpt] = await send(client, `${caseId}.${slot}.${zone}`);
    await client.end();
    return `${/STARTTLS/.test(ehlo) ? 'offered' : 'absent'} ${rcpt.slice(0, 3)}`;
  };
  assert.equal(await attempt('plain'), 'offered 250');
  assert.equal(await attempt('clear'), 'offered 451');
  assert.equal(await attempt('sts-clear'), 'absent 250');
  assert.equal(await attempt('clear'), 'offered 451');
  assert.equal(await attempt('clear'), 'absent 250');
  const seen = await all.seen(slot);
  // Connections that showed another case prove nothing about this case.
  assert.deepEqual(
    seen.filter((one) => one.kind === 'rcpt').map((one) => [one.case, one.reply]),
    [
      ['plain', 250],
      ['sts-clear', 250],
      ['clear', 250],
    ],
  );
  assert.equal(all.receivers.turns, 2);
});

test('with one address, SNI selects the certificate, and a wrong case is deferred', async (t) => {
  const all = await bench(t, every.slice(0, 1));
  const slot = await all.lend();
  const [address = ''] = every;
  const named = await all.dial(address);
  await named.ask('EHLO mail.example');
  assert.equal(await named.secure(`mx.dane.${slot}.${zone}`), true);
  const [rcpt] = await send(named, `dane.${slot}.${zone}`);
  assert.match(rcpt, /^250/);
  await named.end();
  const unnamed = await all.dial(address);
  await unnamed.ask('EHLO mail.example');
  await unnamed.secure();
  const [put] = await send(unnamed, `self-signed.${slot}.${zone}`);
  assert.match(put, /^451/);
  await unnamed.end();
  const early = await all.dial(address, '192.0.2.77');
  await early.ask('EHLO mail.example');
  assert.equal(await early.secure(`mx.dane-clear.${slot}.${zone}`), false);
  const cases = new Set((await all.seen(slot)).map((one) => one.case));
  assert.deepEqual([...cases], ['dane']);
});

test('one connection is evidence of one case: another recipient is deferred', async (t) => {
  const all = await bench(t);
  const [slot, other] = [await all.lend(), await all.lend()];
  const client = await all.dial(all.addressOf('plain'));
  await client.ask('EHLO mail.example');
  await client.ask('MAIL FROM:<a@mail.example>');
  assert.match(await client.ask(`RCPT TO:<test@plain.${slot}.${zone}>`), /^250/);
  // The host of the case self-signed behaves the same up to the certificate.
  const second = await client.ask(`RCPT TO:<test@self-signed.${slot}.${zone}>`);
  assert.match(second, /^451 4\.7\.1 This case follows/);
  assert.match(await client.ask(`RCPT TO:<test@plain.${other}.${zone}>`), /^451/);
  assert.match(await client.ask(`RCPT TO:<more@plain.${slot}.${zone}>`), /^250/);
  await client.ask('DATA');
  assert.match(await client.ask('Subject: test\r\n\r\ntest\r\n.'), /^250/);
  // A second message on the same connection is deferred too.
  const [rcpt] = await send(client, `self-signed.${slot}.${zone}`);
  assert.match(rcpt, /^451/);
  await client.end();
  const seen = await all.seen(slot);
  assert.ok(seen.every((one) => one.case === 'plain'));
  assert.equal(seen.filter(({ kind }) => kind === 'data').length, 1);
  assert.deepEqual(await all.seen(other), []);
});

test('the withdrawn case stops offering STARTTLS', async (t) => {
  const all = await bench(t);
  const slot = await all.lend();
  const offers = async (): Promise<boolean> => {
    const client = await all.dial(all.addressOf('sts-cached', slot, 6));
    const ehlo = await client.ask('EHLO mail.example');
    await client.end();
    return /STARTTLS/.test(ehlo);
  };
  assert.equal(await offers(), true);
  await all.table.withdraw(slot, all.time);
  assert.equal(await offers(), false);
  const messages = (await all.seen(slot)).filter((one) => one.kind === 'ehlo');
  assert.deepEqual(
    messages.map(({ message }) => message),
    [1, 2],
  );
});
