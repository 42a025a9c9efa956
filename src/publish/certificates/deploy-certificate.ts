import type { Deploy, KeyType } from '../actions.js';
import type { ActionOutcome } from '../actions.js';
import type { DesiredMailHost } from '../config.js';
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
 * Puts keys and chains where the server reads them, and tells it, once: what is there
 * already and was told of is left alone. That it is to be told is written down before
 * anything changes, so a reload that failed or was cut short is made up for by the next
 * round.
 */
export async function deployCertificate(
  { host, key, also = [] }: Deploy,
  install: DesiredMailHost['install'],
  { ring, ledger, now, signal }: DeployOptions,
): Promise<ActionOutcome> {
  const held = ring.list(host, now());
  const due: { readonly name: string; readonly type: KeyType; readonly chain: string }[] = [];
  for (const name of [key, ...also]) {
    const one = held.find((known) => known.name === name);
    if (!one?.certificate)
      return {
        status: 'failed',
        code: 'publish-certificate-unfit',
        detail: `the chain of ${name} ${one?.flaw ?? 'is not at hand'}`,
      };
    due.push({ name, type: one.type, chain: one.certificate.sha256 });
  }
  if (!install) {
    const files = due
      .map(({ name }) => `${ring.chainFile(host, name)} with ${ring.keyFile(host, name)}`)
      .join(', and ');
    return {
      status: 'manual',
      text: `let the server of ${host} use ${files}, at every address, and reload it`,
    };
  }
  for (const { name, type } of due) {
    const pair = ring.pair(host, name);
    if (isInstalled(install.folder, type, pair)) continue;
    ledger.remember(
      host,
      ({ told: { [type]: _, ...told }, ...memory }) => ({ ...memory, told }),
      now(),
    );
    try {
      installPair(install.folder, type, pair, ring.disk);
    } catch (error) {
      return writeFailure(error);
    }
  }
  const { told: before } = ledger.memory(host);
  if (due.every(({ type, chain }) => before[type]?.chain === chain)) return { status: 'done' };
  const reloaded: ActionOutcome = install.reload
    ? await runReload(install.reload, signal)
    : { status: 'done' };
  if (reloaded.status === 'done') {
    const at = now();
    const fresh = Object.fromEntries(due.map(({ type, chain }) => [type, { chain, at }]));
    ledger.remember(
      host,
      ({ told, ...memory }) => ({ ...memory, told: { ...told, ...fresh } }),
      at,
    );
  }
  return reloaded;
}
