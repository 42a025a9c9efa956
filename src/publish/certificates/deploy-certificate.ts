import type { Deploy } from '../actions.js';
import type { Outcome } from '../apply/hands.js';
import type { MailHostWish } from '../desired/publish-section.js';
import { writeFailure } from '../keys/write-failure.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Ledger } from '../ledger/ledger.js';
import { installPair, isInstalled } from './install-pair.js';
import { runReload } from './run-reload.js';

export interface DeployOptions {
  readonly ring: KeyRing;
  readonly ledger: Ledger;
  /** Milliseconds since 1970. */
  now(): number;
  readonly signal?: AbortSignal;
}

/**
 * Puts key and chain where the server reads them, and tells it, once: what is there already and was told of is left alone. That it is to be told is written down
 * before anything changes, so a reload that failed or was cut short is made up for by the next round.
 */
export async function deployCertificate(
  { host, key }: Deploy,
  install: MailHostWish['install'],
  { ring, ledger, now, signal }: DeployOptions,
): Promise<Outcome> {
  const held = ring.list(host, now()).find(({ name }) => name === key);
  if (!held?.certificate)
    return { status: 'failed', code: 'publish-certificate-unfit', detail: `the chain of ${key} ${held?.flaw ?? 'is not at hand'}` };
  if (!install) {
    const [chain, file] = [ring.chainFile(host, key), ring.keyFile(host, key)];
    return { status: 'manual', text: `let the server of ${host} use ${chain} with ${file}, at every address, and reload it` };
  }
  const { type, certificate } = held;
  const pair = ring.pair(host, key);
  if (!isInstalled(install.folder, type, pair)) {
    ledger.remember(host, ({ told: { [type]: _, ...told }, ...memory }) => ({ ...memory, told }), now());
    try {
      installPair(install.folder, type, pair, ring.disk);
    } catch (error) {
      return writeFailure(error);
    }
  }
  if (ledger.memory(host).told[type]?.chain === certificate.sha256) return { status: 'done' };
  const reloaded: Outcome = install.reload ? await runReload(install.reload, signal) : { status: 'done' };
  if (reloaded.status === 'done') {
    const at = now();
    ledger.remember(host, ({ told, ...memory }) => ({ ...memory, told: { ...told, [type]: { chain: certificate.sha256, at } } }), at);
  }
  return reloaded;
}
