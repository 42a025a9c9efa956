import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ImportKey } from '../actions.js';
import type { ActionOutcome } from '../actions.js';
import { privateKeyIn, serverKey, type KeyRing } from '../keys/key-ring.js';
import { writeFailure } from '../keys/write-failure.js';
import { sha256Of } from './take-brought.js';

/**
 * Takes a key and its chain into the ring, the key first: a crash in between leaves a key
 * without its chain, and the next plan imports that. Files that changed since the plan
 * are left alone.
 */
export function importKey({ host, key, from, chain }: ImportKey, ring: KeyRing): ActionOutcome {
  try {
    const pem = readFileSync(from.file, 'utf8');
    const privateKey = privateKeyIn(pem);
    const found = privateKey && serverKey('', createPublicKey(privateKey)).sha256;
    if (found !== from.sha256) return changed(from.file);
    const text = chain && readFileSync(chain.file, 'utf8');
    if (chain && text !== undefined && sha256Of(text) !== chain.sha256) return changed(chain.file);
    ring.take(host, pem, () => key, from.file);
    if (text !== undefined && ring.chain(host, key) !== text) ring.putChain(host, key, text);
    return { status: 'done' };
  } catch (error) {
    return writeFailure(error);
  }
}

function changed(file: string): ActionOutcome {
  const detail = `${file} has changed since it was planned; the next round looks at it again`;
  return { status: 'failed', code: 'publish-brought-unfit', detail };
}
