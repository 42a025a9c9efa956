import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { dropLargeHellos, type LargeHelloLoss } from '../../src/lab/attackers/drop-large-hellos.js';
import { nodeNetwork, type Endpoint } from '../../src/net/index.js';
import { readClientHello, X25519_MLKEM768, type ReceivedHello } from '../../src/tls/wire/index.js';
import { configuredServers, textFor } from './configured-servers.js';
import { NEXT_RELEASE } from './debian.js';
import { createSite, folderFor } from './matrix/server.js';
import type { SentSession } from './node-versions/answers.js';
import { nodeBinaries } from './node-versions/node-binaries.js';
import { Postfix } from './postfix.js';
import { freePort } from '../support/free-port.js';
import { runProgram } from './process.js';

/*
 * Real TLS endpoints with OpenSSL 3.5: Debian 13's Postfix, and the newer versions of
 * Node, which contain a separate library.
 */

const folder = mkdtempSync(join(tmpdir(), 'hermetic-post-quantum-'));
/**
 * Addresses of the receiving Postfix: one with the printed groups, one with OpenSSL's
 * defaults.
 */
const addresses = { printed: '127.0.0.51', library: '127.0.0.52' } as const;
const listeners: Server[] = [];
let postfix: Postfix;
let port: number;

before(async () => {
  chmodSync(folder, 0o755);
  const site = createSite(folder);
  const server = configuredServers.find(({ name }) => name === `postfix-${NEXT_RELEASE}`);
  assert.ok(server);
  const own = folderFor(site, server.name);
  for (const label of ['rsa', 'ecdsa'] as const) {
    writeFileSync(join(own, `${label}.key`), site[label].keyPem, { mode: 0o600 });
    writeFileSync(join(own, `${label}.crt`), site[label].chainPem);
  }
  const text = await textFor(server, site, server.own);
  port = await freePort();
  postfix = new Postfix(own, port, { release: NEXT_RELEASE });
  await postfix.start(
    [
      { address: addresses.printed, asConfigured: true },
      {
        address: addresses.library,
        asConfigured: true,
        options: ['tls_eecdh_auto_curves=', 'tls_ffdhe_auto_groups='],
      },
    ],
    [text],
  );
});

after(async () => {
  for (const listener of listeners) listener.close();
  await postfix.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  listeners.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function middlebox(target: Endpoint, loss: LargeHelloLoss): Promise<number> {
  return listen(createServer(dropLargeHellos(nodeNetwork(), target, loss)));
}

/**
 * Returns the ClientHello that Postfix sends to a server, with the octets of its record.
 */
async function helloOfPostfix(): Promise<ReceivedHello & { readonly octets: number }> {
  let received: (ReceivedHello & { readonly octets: number }) | undefined;
  const server = createServer((socket) => {
    let hello = Buffer.alloc(0);
    let isTls = false;
    socket.on('error', () => undefined).write('220 mx.example ESMTP\r\n');
    socket.on('data', (bytes: Buffer) => {
      if (!isTls) {
        isTls = /^STARTTLS/i.test(bytes.toString());
        socket.write(isTls ? '220 go\r\n' : '250-mx.example\r\n250 STARTTLS\r\n');
        return;
      }
      hello = Buffer.concat([hello, bytes]);
      const read = readClientHello(hello);
      if (read === 'more' || read === undefined) return;
      received = { ...read, octets: hello.length };
      socket.destroy();
    });
  });
  const at = await listen(server);
  await postfix.finger(['-l', 'may', `[127.0.0.1]:${at}`]);
  assert.ok(received);
  return received;
}

test('Postfix with the printed settings offers the group in a small hello', async () => {
  const { groups, keyShares, octets } = await helloOfPostfix();
  assert.ok(groups.includes(X25519_MLKEM768), groups.join());
  assert.ok(!keyShares.includes(X25519_MLKEM768), keyShares.join());
  assert.ok(octets < 600, `${octets} octets`);
});

test('Postfix agrees on the group with an OpenSSL that asks for its share', async () => {
  const { out } = await postfix.finger(['-l', 'may', `[${addresses.library}]:${port}`]);
  assert.match(out, /key-exchange X25519MLKEM768/);
});

for (const binary of nodeBinaries()) {
  const { name, path, missing: skip } = binary;
  test(`Node ${name}: mail reaches Postfix through a middlebox`, { skip }, async () => {
    const { out: library } = await runProgram(path, ['-p', 'process.versions.openssl']);
    const [major = 0, minor = 0] = library.trim().split('.').map(Number);
    const isHybrid = major > 3 || (major === 3 && minor >= 5);
    const at = await middlebox({ address: addresses.library, port }, 'drop');
    const program = 'dist/test/interop/node-versions/answers.js';
    const { out } = await runProgram(path, [program, 'send-to', String(at)]);
    const session = JSON.parse(out) as SentSession;
    assert.deepEqual(session, {
      status: 'delivered',
      group: isHybrid ? 'X25519MLKEM768' : 'x25519',
      postQuantum: isHybrid,
      attempts: 1,
    });
    if (!isHybrid) return;
    // Proves that the middlebox is effective: with a key share for the group, the same
    // library fails.
    const large = 'dist/test/interop/node-versions/large-hello.js';
    for (const [at, result] of [
      [await middlebox({ address: addresses.library, port }, 'reset'), /ECONNRESET/],
      [await listen(forward({ address: addresses.library, port })), /agreed/],
    ] as const) {
      assert.match((await runProgram(path, [large, String(at)])).out, result);
    }
  });
}

/** Forwards every octet. */
function forward(target: Endpoint): Server {
  return createServer((client) => {
    void nodeNetwork()
      .dial(target)
      .then((dialled) => {
        if (!dialled.ok) return client.destroy();
        const { stream } = dialled.connection;
        client.on('error', () => stream.destroy()).pipe(stream);
        stream.on('error', () => client.destroy()).pipe(client);
      });
  });
}
