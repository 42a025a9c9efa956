import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ActionOutcome, ImportKey } from '../actions.js';
import { writeFailure } from '../keys/durable-file.js';
import { parsePrivateKey, serverKey, type KeyRing } from '../keys/key-ring.js';
import { sha256Of } from './import-external.js';

/**
 * Imports a key and its chain into the ring, the key first: a crash in between leaves a
 * key without its chain, and the next plan imports the chain. Files that changed since
 * the plan are not imported.
 */
export function importKey({ host, key, from, chain }: ImportKey, keyRing: KeyRing): ActionOutcome {
  try {
    const pem = readFileSync(from.file, 'utf8');
    const privateKey = parsePrivateKey(pem);
    const sha256 = privateKey && serverKey('', createPublicKey(privateKey)).sha256;
    if (sha256 !== from.sha256) return changed(from.file);
    const chainPem = chain && readFileSync(chain.file, 'utf8');
    if (chain && chainPem !== undefined && sha256Of(chainPem) !== chain.sha256)
      return changed(chain.file);
    keyRing.importKey(host, pem, () => key, from.file);
    if (chainPem !== undefined && keyRing.chain(host, key) !== chainPem)
      keyRing.putChain(host, key, chainPem);
    return { status: 'done' };
  } catch (error) {
    return writeFailure(error);
  }
}

function changed(filePath: string): ActionOutcome {
  const detail = `${filePath} has changed since the plan; the next round reads it again`;
  return { status: 'failed', code: 'publish-brought-unfit', detail };
}
