import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCa, issue } from '../../pki/index.js';
import { openStore } from '../../store/index.js';
import { nodeDisk, type Disk } from '../keys/durable-file.js';
import { KeyRing } from '../keys/key-ring.js';
import { openLedger } from '../ledger/ledger.js';
import {
  crashAtEveryStep,
  moments,
  untilCrash,
  type CrashInjector,
} from '../../../test/support/publish/crash-injection.js';
import { deployCertificate } from './deploy-certificate.js';
import { runReload } from './run-reload.js';

const host = 'mx.example.com';
const ca = createCa({ name: 'Test Root' });
const day = 86_400_000;

/**
 * Returns a key ring with two keys and their certificates, a folder for the mail server,
 * and a reload command that counts its runs.
 */
async function world(t?: TestContext) {
  const base = mkdtempSync(join(tmpdir(), 'hermetic-deploy-'));
  const store = await openStore(':memory:');
  const close = (): void => {
    store.close();
    rmSync(base, { recursive: true });
  };
  t?.after(close);
  const ring = new KeyRing(join(base, 'keys'));
  const certify = (name: string, names: readonly string[] = [host]): void => {
    const key = { privateKey: ring.privateKey(host, name), publicKey: ring.publicKey(host, name) };
    ring.putChain(host, name, issue(ca, { names, key }).chainPem);
  };
  for (const name of ['ecdsa-1', 'ecdsa-2']) {
    ring.make(host, name, 'ecdsa');
    certify(name);
  }
  const [folder, log] = [join(base, 'tls', host), join(base, 'reloads')];
  const reload = ['sh', '-c', 'printf x >> "$0"', log];
  const deploy = (
    key: string,
    given: {
      mortal?: CrashInjector;
      disk?: Disk;
      reload?: string[];
      at?: number;
      also?: string[];
    } = {},
  ) =>
    deployCertificate(
      { kind: 'deploy', host, key, ...(given.also ? { also: given.also } : {}) },
      { folder, reload: given.reload ?? reload },
      {
        ring: new KeyRing(ring.folder, given.mortal?.disk ?? given.disk),
        ledger: openLedger(given.mortal?.store(store) ?? store),
        now: () => given.at ?? Date.now(),
      },
    );
  return {
    ring,
    folder,
    deploy,
    certify,
    close,
    /** Returns the number of reloads of the mail server. */
    reloads: () => (existsSync(log) ? readFileSync(log, 'utf8').length : 0),
    file: (name: string) => readFileSync(join(folder, 'ecdsa', name), 'utf8'),
    shows: () => readdirSync(folder).includes('ecdsa') && shownBy(join(folder, 'ecdsa'), ring),
  };
}

/**
 * Returns the name of the key that a server would load. Fails if key and chain do not
 * match, in two files or in one.
 */
function shownBy(folder: string, ring: KeyRing): string | undefined {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  for (const [chain, key] of [
    ['chain.pem', 'key.pem'],
    ['both.pem', 'both.pem'],
  ] as const)
    assert.ok(
      new X509Certificate(read(chain)).checkPrivateKey(createPrivateKey(read(key))),
      `${chain} is not for ${key}`,
    );
  return ring
    .list(host, Date.now())
    .find(({ name }) => ring.pair(host, name).key.trim() === read('key.pem').trim())?.name;
}

test('key, chain and both in one file are installed with one reload', async (t) => {
  const { deploy, reloads, shows, file } = await world(t);
  assert.deepEqual(await deploy('ecdsa-1'), { status: 'done' });
  assert.deepEqual(await deploy('ecdsa-1'), { status: 'done' });
  assert.deepEqual([shows(), reloads()], ['ecdsa-1', 1]);
  assert.equal(file('both.pem'), file('key.pem') + file('chain.pem'));
});

test('a renewal replaces the chain and keeps the key; the previous pair stays readable', async (t) => {
  const { deploy, certify, reloads, file, folder } = await world(t);
  for (let n = 0; n < 4; n++) {
    assert.equal((await deploy('ecdsa-1')).status, 'done');
    const key = file('key.pem');
    certify('ecdsa-1');
    assert.equal((await deploy('ecdsa-1')).status, 'done');
    assert.equal(file('key.pem'), key);
  }
  assert.equal(reloads(), 5);
  assert.equal(readdirSync(folder).filter((name) => name.startsWith('.ecdsa-')).length, 2);
});

test('two key types are installed before one reload; a refused reload is repeated', async (t) => {
  const { deploy, certify, ring, reloads, folder } = await world(t);
  ring.make(host, 'rsa-1', 'rsa');
  certify('rsa-1');
  const also = ['rsa-1'];
  assert.equal((await deploy('ecdsa-1', { also, reload: ['false'] })).status, 'failed');
  assert.deepEqual(await deploy('ecdsa-1', { also }), { status: 'done' });
  assert.deepEqual(await deploy('ecdsa-1', { also }), { status: 'done' });
  assert.deepEqual(await deploy('rsa-1'), { status: 'done' });
  assert.equal(reloads(), 1);
  for (const [type, key] of [
    ['ecdsa', 'ecdsa-1'],
    ['rsa', 'rsa-1'],
  ] as const)
    assert.equal(shownBy(join(folder, type), ring), key);
  certify('rsa-1');
  assert.deepEqual(await deploy('ecdsa-1', { also }), { status: 'done' });
  assert.equal(reloads(), 2, 'one of them renewed');
});

for (const moment of moments)
  test(`a weak digest or a short secret is refused without showing the secret`, async () => {
    const steps = await crashAtEveryStep(moment, async (mortal) => {
      const { deploy, shows, reloads, close } = await world();
      try {
        await deploy('ecdsa-1');
        await untilCrash(async () => void (await deploy('ecdsa-2', { mortal })));
        assert.ok(['ecdsa-1', 'ecdsa-2'].includes(shows() || ''), 'neither key');
        const reloaded = reloads();
        assert.deepEqual(await deploy('ecdsa-2'), { status: 'done' });
        assert.equal(shows(), 'ecdsa-2');
        assert.ok(reloads() >= 2 && reloads() <= reloaded + 1);
      } finally {
        close();
      }
    });
    assert.ok(steps >= (moment === 'halfway through a file' ? 3 : 10), `only ${steps} steps`);
  });

test('a refused reload is reported and repeated although the files are installed', async (t) => {
  const { deploy, reloads } = await world(t);
  const refused = await deploy('ecdsa-1', {
    reload: ['node', '-e', 'console.error("postfix is not running"); process.exit(1)'],
  });
  assert.equal(refused.status === 'failed' && refused.code, 'publish-reload-failed');
  assert.match(JSON.stringify(refused), /postfix is not running/);
  assert.equal(reloads(), 0);
  assert.equal((await deploy('ecdsa-1')).status, 'done');
  assert.equal(reloads(), 1);
});

test('a missing or endless reload command fails with the reason, without a shell', async (t) => {
  const { deploy, folder } = await world(t);
  assert.match(
    JSON.stringify(await deploy('ecdsa-1', { reload: ['/nonexistent/postfix', 'reload'] })),
    /no such file/,
  );
  const hung = await runReload(
    ['node', '-e', 'setInterval(() => undefined, 1000)'],
    undefined,
    300,
  );
  assert.match(JSON.stringify(hung), /did not end within 0\.3 s/);
  await deploy('ecdsa-1', {
    reload: ['true', `; touch ${folder}/owned`, `$(touch ${folder}/owned)`],
  });
  assert.equal(existsSync(join(folder, 'owned')), false);
});

test('a full disk is reported, and the installed pair stays complete', async (t) => {
  const { deploy, shows, folder, reloads } = await world(t);
  await deploy('ecdsa-1');
  for (const full of ['chain.pem', 'key.pem', 'both.pem']) {
    const disk: Disk = {
      ...nodeDisk,
      write(path, text, mode) {
        if (!path.includes(full)) return nodeDisk.write(path, text, mode);
        nodeDisk.write(path, text.slice(0, 10), mode);
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
          code: 'ENOSPC',
          syscall: 'write',
        });
      },
    };
    const outcome = await deploy('ecdsa-2', { disk });
    assert.equal(outcome.status === 'failed' && outcome.code, 'publish-write-failed');
    assert.match(JSON.stringify(outcome), /ENOSPC/);
    assert.equal(shows(), 'ecdsa-1');
    assert.deepEqual(
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.new'),
      ),
      [],
    );
  }
  assert.equal(reloads(), 1);
  assert.equal((await deploy('ecdsa-2')).status, 'done');
  assert.deepEqual([shows(), reloads()], ['ecdsa-2', 2]);
});

test('a folder without write permission is an outcome and no exception', async (t) => {
  const { deploy } = await world(t);
  const disk: Disk = {
    ...nodeDisk,
    write() {
      throw Object.assign(new Error('EACCES: permission denied, open'), {
        code: 'EACCES',
        syscall: 'open',
      });
    },
  };
  assert.match(JSON.stringify(await deploy('ecdsa-1', { disk })), /publish-write-failed.*EACCES/);
});

test('only the owner may read keys, with any umask', async (t) => {
  const { deploy, folder } = await world(t);
  const mode = (name: string): number => statSync(join(folder, 'ecdsa', name)).mode & 0o777;
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  await deploy('ecdsa-1');
  assert.deepEqual([mode('chain.pem'), mode('key.pem'), mode('both.pem')], [0o644, 0o600, 0o600]);
});

const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root may give a file to a group' };
test('a folder that a group may read gives that group the keys', asRoot, async (t) => {
  const { deploy, folder } = await world(t);
  const mode = (name: string): number => statSync(join(folder, 'ecdsa', name)).mode & 0o777;
  mkdirSync(folder, { recursive: true });
  chownSync(folder, 0, 12_345);
  chmodSync(folder, 0o750);
  await deploy('ecdsa-1');
  assert.deepEqual(
    [mode('key.pem'), mode('both.pem'), statSync(join(folder, 'ecdsa', 'key.pem')).gid],
    [0o640, 0o640, 12_345],
  );
});

test('an unsuitable or partial chain is never deployed; the current one stays', async (t) => {
  const { deploy, certify, ring, shows, reloads } = await world(t);
  await deploy('ecdsa-1');
  const refuse = async (why: RegExp, at = Date.now()): Promise<void> => {
    const outcome = await deploy('ecdsa-2', { at });
    assert.equal(outcome.status === 'failed' && outcome.code, 'publish-certificate-unfit');
    assert.match(JSON.stringify(outcome), why);
  };
  const whole = ring.pair(host, 'ecdsa-2').chain;
  await refuse(/has expired/, Date.now() + 500 * day);
  certify('ecdsa-2', ['mail.example.net']);
  await refuse(/is for mail\.example\.net and not for mx\.example\.com/);
  writeFileSync(ring.chainFile(host, 'ecdsa-2'), ring.pair(host, 'ecdsa-1').chain);
  await refuse(/is for another key/);
  writeFileSync(ring.chainFile(host, 'ecdsa-2'), whole.slice(0, whole.length / 2));
  await refuse(/not PEM with a certificate/);
  assert.deepEqual([shows(), reloads()], ['ecdsa-1', 1]);
});
