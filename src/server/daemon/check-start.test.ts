import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCa, issue } from '../../pki/index.js';
import { checkStart, createLog, parseConfig } from '../index.js';

const made = issue(createCa({ name: 'Test Root' }), { names: ['mx1.one.example'] });
const other = issue(createCa({ name: 'Test Root' }), { names: ['mx1.one.example'] });

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-start-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Returns the codes and messages of all problems. */
async function problems(text: string): Promise<readonly string[]> {
  const config = parseConfig(`resolver: {addresses: ["127.0.0.1:9"]}\n${text}`);
  assert.ok(config.ok, JSON.stringify(config));
  const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
  return (await checkStart(config.value, log)).map(({ code, message }) => `${code} ${message}`);
}

const memory = 'store: {file: ":memory:"}\n';

test('a valid configuration has no problem, and the check writes nothing', async (t) => {
  const folder = folderFor(t);
  const found = await problems(
    `store: {file: ${folder}/a.db}\nmetrics: {listen: "127.0.0.1:0"}\npostfix: {version: "3.7", listen: "unix:${folder}/s"}\npublish: {keys: ${folder}/keys}\n`,
  );
  assert.deepEqual(found, []);
  assert.deepEqual(readdirSync(folder), []);
});

test('a port in use by another program is reported', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const [found = ''] = await problems(`${memory}metrics: {listen: "127.0.0.1:${port}"}\n`);
  assert.match(found, new RegExp(`^listen-failed 127\\.0\\.0\\.1:${port}: `));
});

test('an unavailable address and one used by two sections are reported', async () => {
  const [elsewhere = ''] = await problems(`${memory}metrics: {listen: "192.0.2.1:9461"}\n`);
  assert.match(elsewhere, /^listen-failed 192\.0\.2\.1:9461/);
  const twice = await problems(
    `${memory}metrics: {listen: "127.0.0.1:59461"}\nweb: {listen: "127.0.0.1:59461"}\n`,
  );
  assert.ok(
    twice.some((one) => /two sections listen on it/.test(one)),
    twice.join(),
  );
});

test('a UNIX socket needs its folder and no other file at its path', async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, 'taken'), 'a file');
  for (const path of [`${folder}/none/s`, `${folder}/taken`]) {
    const [found = ''] = await problems(
      `${memory}postfix: {version: "3.7", listen: "unix:${path}"}\n`,
    );
    assert.match(found, /^listen-failed /, path);
  }
});

test('an unusable database is reported: no folder, not a database', async (t) => {
  const folder = folderFor(t);
  writeFileSync(
    join(folder, 'text.db'),
    'this is not a database, and long enough to be read as one'.repeat(20),
  );
  const [absent = ''] = await problems(`store: {file: ${folder}/none/a.db}\n`);
  assert.match(absent, /^store-unwritable /);
  const [corrupt = ''] = await problems(`store: {file: ${folder}/text.db}\n`);
  assert.match(corrupt, /^store-corrupt /);
});

test('certificates and keys are loaded: missing, exposed, of another certificate', async (t) => {
  const folder = folderFor(t);
  const file = (name: string, text: string, mode = 0o600): string => {
    writeFileSync(join(folder, name), text, { mode });
    chmodSync(join(folder, name), mode);
    return join(folder, name);
  };
  const chain = file('chain.pem', made.chainPem);
  const web = async (key: string): Promise<string> =>
    (
      await problems(
        `${memory}web: {listen: "127.0.0.1:0", certificates: [{chain: ${chain}, key: ${key}}]}\n`,
      )
    ).join();
  assert.equal(await web(file('key.pem', made.keyPem)), '');
  assert.match(
    await web(file('other.pem', other.keyPem)),
    /^certificate-unusable .*does not belong/,
  );
  assert.match(await web(file('open.pem', made.keyPem, 0o644)), /^secret-exposed /);
  assert.match(await web(join(folder, 'none.pem')), /^secret-unreadable /);
});

test('keys and output folders of publish.dns are checked', async (t) => {
  const folder = folderFor(t);
  mkdirSync(join(folder, 'keys'));
  writeFileSync(join(folder, 'a-file'), '');
  const dns = `dns: {own: {kind: rfc2136, server: 192.0.2.53, zone: one.example, key: ${folder}/none.key}}`;
  const [key = ''] = await problems(`${memory}publish: {keys: ${folder}/keys, ${dns}}\n`);
  assert.match(key, /^secret-unreadable .*none\.key/);
});

test('a socket in use is reported, an abandoned one is not', async (t) => {
  const folder = folderFor(t);
  const server = createServer();
  t.after(() => server.close());
  const path = join(folder, 's');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const text = `${memory}postfix: {version: "3.7", listen: "unix:${path}"}\n`;
  assert.match((await problems(text)).join(), /^listen-failed /);
  renameSync(path, join(folder, 'old'));
  assert.deepEqual(await problems(text), []);
});
