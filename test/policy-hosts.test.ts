import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { connect } from 'node:tls';
import { createCa, issue } from '../src/pki/index.js';
import { KeyRing, openLedger } from '../src/publish/index.js';
import { createLog, parseConfig, startDaemon } from '../src/server/index.js';
import { openStore } from '../src/store/index.js';

/**
 * Returns the observation of a sender: the certificate's name and the answer, or the
 * error of the handshake.
 */
function fetched(port: number, servername: string | undefined, host: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ...(servername === undefined ? {} : { servername }),
      rejectUnauthorized: false,
    });
    let text = '';
    socket.once('secureConnect', () => {
      text = `${String(socket.getPeerCertificate().subject.CN)} `;
      socket.write(
        `GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
    });
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    socket.once('close', () => resolve(text));
    socket.once('error', (error: Error & { code?: string }) =>
      resolve(error.code ?? error.message),
    );
  });
}

test('the daemon serves each policy with the certificate for its own name', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-policy-hosts-'));
  const file = join(folder, 'hermetic.db');
  const [ca, ring, store] = [
    createCa({ name: 'test root' }),
    new KeyRing(join(folder, 'keys')),
    await openStore(file),
  ];
  const ledger = openLedger(store);
  for (const domain of ['a.example', 'b.example']) {
    const host = `mta-sts.${domain}`;
    ring.make(host, 'ecdsa-1', 'ecdsa');
    const key = {
      privateKey: ring.privateKey(host, 'ecdsa-1'),
      publicKey: ring.publicKey(host, 'ecdsa-1'),
    };
    writeFileSync(ring.chainFile(host, 'ecdsa-1'), issue(ca, { names: [host], key }).chainPem);
    await ledger.serve(
      domain,
      `version: STSv1\r\nmode: testing\r\nmx: mx.${domain}\r\nmax_age: 86400\r\n`,
    );
  }
  // The daemon has a separate certificate for other sites, which no policy host presents.
  const own = issue(ca, { names: ['reports.example'] });
  writeFileSync(join(folder, 'own.pem'), own.chainPem);
  writeFileSync(join(folder, 'own.key'), own.keyPem, { mode: 0o600 });
  const config = parseConfig(`store: {file: ${file}}
resolver: {addresses: ['127.0.0.1:9']}
web: {listen: '127.0.0.1:0', certificates: [{chain: ${join(folder, 'own.pem')}, key: ${join(folder, 'own.key')}}]}
publish: {keys: ${ring.folder}, everyMinutes: 0}`);
  assert.ok(config.ok);
  const daemon = await startDaemon(
    config.value,
    createLog({ format: 'plain', write: () => undefined, now: Date.now }),
  );
  t.after(async () => {
    await daemon.stop();
    store.close();
    rmSync(folder, { recursive: true });
  });
  const at = daemon.listening.find(({ what }) => what === 'web')?.at;
  const port = at && 'port' in at ? at.port : 0;
  const a = await fetched(port, 'mta-sts.a.example', 'mta-sts.a.example');
  assert.match(
    a,
    /^mta-sts\.a\.example HTTP\/1\.1 200 [\s\S]*text\/plain[\s\S]*mx: mx\.a\.example/,
  );
  assert.match(
    await fetched(port, 'mta-sts.b.example', 'mta-sts.b.example'),
    /^mta-sts\.b\.example HTTP\/1\.1 200 [\s\S]*mx: mx\.b\.example/,
  );
  // Without SNI or for an unknown name, the server presents the first certificate, which
  // no sender accepts.
  for (const name of ['mta-sts.c.example', undefined])
    assert.match(
      await fetched(port, name, 'mta-sts.c.example'),
      /^reports\.example HTTP\/1\.1 404 /,
    );
  assert.match(
    await fetched(port, 'reports.example', 'reports.example'),
    /^reports\.example HTTP\/1\.1 404 /,
  );
  await ledger.serve(
    'a.example',
    'version: STSv1\r\nmode: enforce\r\nmx: mx.a.example\r\nmax_age: 86400\r\n',
  );
  assert.match(await fetched(port, 'mta-sts.a.example', 'mta-sts.a.example'), /mode: enforce/);
  await ledger.serve('a.example', undefined);
  assert.match(await fetched(port, 'mta-sts.a.example', 'mta-sts.a.example'), /HTTP\/1\.1 404/);
});
