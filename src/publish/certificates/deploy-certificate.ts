import type { ActionOutcome, Deploy, KeyType } from '../actions.js';
import type { DesiredMailHost } from '../config.js';
import { writeFailure } from '../keys/durable-file.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Ledger } from '../ledger/ledger.js';
import { installPair, isInstalled } from './install-pair.js';
import { runReload } from './run-reload.js';

export interface DeployOptions {
  readonly ring: KeyRing;
  readonly ledger: Ledger;
  /** Returns the milliseconds since 1970. */
  now(): number;
  readonly signal?: AbortSignal | undefined;
}

interface DeployableKey {
  readonly name: string;
  readonly type: KeyType;
  /** SHA-256 of the chain. */
  readonly chain: string;
}

/**
 * Installs keys and chains where the server reads them and reloads the server once. A
 * pair that is already installed and reloaded remains unchanged. The ledger records that
 * a reload is due before any file changes, so the next round repeats a reload that failed
 * or was interrupted. Without `install` the operator deploys, and the outcome contains
 * the steps.
 */
export async function deployCertificate(
  { host: hostName, key, also = [] }: Deploy,
  install: DesiredMailHost['install'],
  { ring: keyRing, ledger, now, signal }: DeployOptions,
): Promise<ActionOutcome> {
  const ringKeys = keyRing.list(hostName, now());
  const due: DeployableKey[] = [];
  for (const name of [key, ...also]) {
    const ringKey = ringKeys.find((candidate) => candidate.name === name);
    if (!ringKey?.certificate)
      return {
        status: 'failed',
        code: 'publish-certificate-unfit',
        detail: `the chain of ${name} ${ringKey?.flaw ?? 'is not in the key ring'}`,
      };
    due.push({ name, type: ringKey.type, chain: ringKey.certificate.sha256 });
  }
  if (!install) {
    const files = due
      .map(
        ({ name }) =>
          `${keyRing.chainFile(hostName, name)} with ${keyRing.keyFile(hostName, name)}`,
      )
      .join(', and ');
    return {
      status: 'manual',
      text: `let the server of ${hostName} use ${files}, at every address, and reload it`,
    };
  }
  for (const { name, type } of due) {
    const pair = keyRing.pair(hostName, name);
    if (isInstalled(install.folder, type, pair)) continue;
    await ledger.remember(
      hostName,
      ({ told: { [type]: _, ...reloaded }, ...memory }) => ({ ...memory, told: reloaded }),
      now(),
    );
    try {
      installPair(install.folder, type, pair, keyRing.disk);
    } catch (error) {
      return writeFailure(error);
    }
  }
  const { told: lastReload } = ledger.memory(hostName);
  if (due.every(({ type, chain }) => lastReload[type]?.chain === chain)) return { status: 'done' };
  const outcome: ActionOutcome = install.reload
    ? await runReload(install.reload, signal)
    : { status: 'done' };
  if (outcome.status === 'done') {
    const instant = now();
    const reloaded = Object.fromEntries(
      due.map(({ type, chain }) => [type, { chain, at: instant }]),
    );
    await ledger.remember(
      hostName,
      ({ told, ...memory }) => ({ ...memory, told: { ...told, ...reloaded } }),
      instant,
    );
  }
  return outcome;
}
