import type { Command } from 'commander';
import { createSender, stsStore, type Sender, type SenderOptions } from '../../send/index.js';
import { openStore, type Store } from '../../store/index.js';
import { readPeerFlags, withPeers, type PeerFlags } from './peer-options.js';
import { misuse, readResolverFlags, withResolver, type ResolverFlags } from './resolver-options.js';

/** Flags of every command that decides as a sender does. */
export interface SenderFlags extends ResolverFlags, PeerFlags {
  readonly store?: string;
  readonly observe?: boolean;
  readonly require?: string;
  readonly daneSuffices?: boolean;
  readonly dane: boolean;
  readonly mtaSts: boolean;
  readonly via?: string;
  readonly json?: boolean;
}

/** Adds them to a command. */
export function withSender(command: Command): Command {
  return withPeers(withResolver(command), '30')
    .option(
      '--via <next-hop>',
      'a smart host in the place of the MX, as [smtp.example.net]:25: its policies count',
    )
    .option(
      '--store <file>',
      'keep MTA-STS policies there; without it every run is a first contact',
    )
    .option(
      '--require <what>',
      'insist on tls, dane or verified (REQUIRETLS), whatever the domain publishes',
    )
    .option('--observe', 'say what would have to wait, and let it go')
    .option('--dane-suffices', 'no public CA is asked for where TLSA records match')
    .option('--no-dane', 'leave DANE out')
    .option('--no-mta-sts', 'leave MTA-STS out')
    .option('--json', 'for machines');
}

/**
 * Runs something with a sender made of flags, and closes what was opened for it. `open`:
 * how the database of `--store` is opened.
 */
export async function withSenderOf<T>(
  flags: SenderFlags,
  more: SenderOptions,
  work: (sender: Sender) => Promise<T>,
  open = openStore,
): Promise<T> {
  const options = { ...readSenderFlags(flags), ...more };
  const lab = flags.lab ? await (await import('../../lab/index.js')).createLab() : undefined;
  let store: Store | undefined;
  try {
    if (flags.store !== undefined) store = await open(flags.store);
    const inLab = lab && {
      network: lab.network,
      upstreams: lab.upstreams,
      anchors: lab.anchors,
      trustStore: lab.trustStore,
    };
    return await work(
      createSender({ ...options, ...(store ? { stsCache: stsStore(store) } : {}), ...inLab }),
    );
  } finally {
    store?.close();
    await lab?.close();
  }
}

function readSenderFlags(flags: SenderFlags): SenderOptions {
  const { roots, ...dns } = readResolverFlags(flags);
  const require = (['tls', 'dane', 'verified'] as const).find((what) => what === flags.require);
  if (flags.require !== undefined && !require)
    throw misuse('--require', `${flags.require} is not known`, 'Write tls, dane or verified.');
  return {
    ...readPeerFlags(flags),
    ...dns,
    ...(roots ? { trustStore: roots } : {}),
    ...(require ? { require } : {}),
    observe: flags.observe ?? false,
    daneSuffices: flags.daneSuffices ?? false,
    dane: flags.dane,
    mtaSts: flags.mtaSts,
  };
}
