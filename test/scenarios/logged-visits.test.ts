import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import test, { after, before, beforeEach } from 'node:test';
import { collect, collectOptions, DEFAULT_BUDGET, nameOf } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createLab, mailServer, scenariosFor, type Lab } from '../../src/lab/index.js';
import { politeness, REST_LEVELS, visitHost } from '../../src/scan/index.js';

/**
 * docs/if-you-see-us-in-your-logs.md describes the connections of this program to the
 * operators of mail servers. In this test a server records the connections, so that page
 * and program agree.
 */
const page = readFileSync('docs/if-you-see-us-in-your-logs.md', 'utf8');

let lab: Lab;
let host: { readonly name: string; readonly ip: string };
const servers: Server[] = [];
/** The events of each connection, as the server observed them. */
let connections: string[][] = [];

before(async () => {
  lab = await createLab({ scenarios: scenariosFor(['good.example']) });
  const [first] = lab.hostsOf('good.example');
  assert.ok(first);
  host = first;
  const real = mailServer({
    name: host.name,
    certificates: lab.certificatesOf(host.name),
    onCommand: (command) => connections.at(-1)?.push(command),
  });
  const behind = await listen(real);
  const port = await listen((client) => record(client, behind));
  lab.attach(host.ip, 25, { address: '127.0.0.1', port });
});
beforeEach(() => {
  connections = [];
});
after(async () => {
  for (const server of servers) server.close();
  await lab.close();
});

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer(serve);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/**
 * Forwards a connection, and records the TLS messages that the client sends in plaintext.
 */
function record(client: Socket, port: number): void {
  const events: string[] = [];
  connections.push(events);
  const server = connect(port, '127.0.0.1');
  let received = Buffer.alloc(0);
  client.on('data', (octets: Buffer) => {
    received = Buffer.concat([received, octets]);
    events.push(...tlsEvents(received).slice(events.filter(isTls).length));
    server.write(octets);
  });
  server.on('data', (octets: Buffer) => client.write(octets));
  client.on('end', () => server.end());
  server.on('end', () => client.end());
  for (const socket of [client, server]) socket.on('error', () => undefined);
}

const isTls = (event: string): boolean => ['ClientHello', 'close_notify'].includes(event);

/** Returns the ClientHellos and plaintext alerts after STARTTLS (RFC 8446 §5.1, §6.1). */
function tlsEvents(received: Buffer): readonly string[] {
  const command = Buffer.from('STARTTLS\r\n');
  const at = received.indexOf(command);
  const events: string[] = [];
  let rest = received.subarray(at < 0 ? received.length : at + command.length);
  while (rest.length >= 7) {
    const [type, kind, description] = [rest[0], rest[5], rest[6]];
    // A hello of SSLv2 has no record layer: its length is in the first two octets.
    if (type === 0x80) return ['ClientHello'];
    if (type === 22 && kind === 1) events.push('ClientHello');
    if (type === 21 && description === 0) events.push('close_notify');
    rest = rest.subarray(5 + rest.readUInt16BE(3));
  }
  return events;
}

/** The sessions in the table of the page, without backquotes. */
const described = [...page.matchAll(/^\| (.+) \| (`EHLO .+) \|$/gm)].map(([, , events = '']) =>
  events.replaceAll('`', ''),
);
const [whole = ''] = described;
const seen = (): readonly string[] => connections.map((events) => events.join(', '));

test('a check makes the connections that the page describes', async () => {
  await collect(nameOf('good.example'), collectOptions(labOptions(lab)));
  const [first, ...further] = seen();
  assert.equal(first, whole);
  assert.deepEqual([...new Set(further)].sort(), described.slice(1).sort());
  const [, least = '', most = ''] = /usually between (\d+) and (\d+)/.exec(page) ?? [];
  assert.ok(connections.length >= Number(least) && connections.length <= Number(most));
  assert.ok(page.includes(`at most ${DEFAULT_BUDGET} connections to an address`));
});

test('a scan makes the one connection that the page describes', async () => {
  const { name, ip: address } = host;
  const visit = { host: name, address, serverName: name };
  await visitHost(visit, collectOptions(labOptions(lab)));
  assert.deepEqual(seen(), [whole]);
});

test('the limits of the page are those of a scan', () => {
  const { spacingMs, dailyBudget, perNetwork, webDailyBudget } = politeness;
  const inWords = ['none', 'one', 'two', 'three', 'four', 'five'];
  const [rest = 0] = REST_LEVELS;
  for (const limit of [
    `at most ${inWords[perNetwork]} in a network`,
    `at least ${inWords[spacingMs / 1000]} seconds between two connections to an address`,
    `at most ${dailyBudget} connections a day`,
    `at most ${webDailyBudget.toLocaleString('en')} a day`,
    `ends the visits to that address for ${rest / 60_000} minutes`,
  ])
    assert.ok(page.replace(/\s+/g, ' ').includes(limit), limit);
});
