import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { sign, verify } from 'node:crypto';
import { test } from 'node:test';
import { newKeyPair, type NewKey } from '../../src/base/new-key-pair.js';
import { testSize } from '../support/test-size.js';

const kinds: readonly NewKey[] = [
  { type: 'rsa', modulusLength: 2048 },
  { type: 'ec', namedCurve: 'prime256v1' },
  { type: 'ec', namedCurve: 'secp384r1' },
  { type: 'ed25519' },
  { type: 'ed448' },
];

test('both keys of a new pair belong together', () => {
  for (const kind of kinds) {
    const { privateKey, publicKey } = newKeyPair(kind);
    const hash = kind.type === 'rsa' || kind.type === 'ec' ? 'sha256' : null;
    const data = Buffer.from(kind.type);
    assert.ok(verify(hash, data, publicKey, sign(hash, data, privateKey)));
    assert.equal(publicKey.asymmetricKeyType, kind.type);
  }
  assert.equal(newKeyPair({ type: 'x25519' }).publicKey.asymmetricKeyType, 'x25519');
});

test('a garbage collection while a new key is exported does not stop the process', () => {
  const code = `
    import { newKeyPair } from ${JSON.stringify(new URL('../../src/base/new-key-pair.js', import.meta.url).href)};
    for (let i = 0; i < ${testSize(1500, 5000)}; i++)
      newKeyPair({ type: 'ec', namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    process.stdout.write('done');`;
  // V8 collects a small young generation often, even during an export.
  const args = ['--max-semi-space-size=1', '--input-type=module', '-e', code];
  const options = { encoding: 'utf8', timeout: 240_000 } as const;
  assert.equal(execFileSync(process.execPath, args, options), 'done');
});
