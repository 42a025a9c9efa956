import type { Command } from 'commander';
import { createSender, stsStore, type Sender, type SenderOptions } from '../../send/index.js';
import { openStore, type Store } from '../../store/index.js';
import { databaseFile } from '../files.js';
import { openLab } from '../lab.js';
import { present, readWord } from '../options.js';
import { readPeerFlags, withPeers, type PeerFlags } from './peer-options.js';
import { readResolverFlags, withResolver, type ResolverFlags } from './resolver-options.js';

/**
 * Flags of every command that decides as a sender does.
 *
 * `dane` and `mtaSts` are true unless `--no-dane` and `--no-mta-sts` are given.
 */
export interface SenderFlags extends ResolverFlags, PeerFlags {
  readonly store?: string;
  /** Whether to deliver mail that a policy would defer, and to report it. */
  readonly observe?: boolean;
  /** Requirement of this sender that applies to every domain: tls, dane or verified. */
  readonly require?: string;
  /**
   * Whether matching TLSA records replace the public CA that an MTA-STS policy requires.
   */
  readonly daneSuffices?: boolean;
  readonly dane: boolean;
  readonly mtaSts: boolean;
  /** Smart host: mail is routed to it, and its policies apply instead of the domain's. */
  readonly via?: string;
  readonly json?: boolean;
}

/** Adds the options of a sender's decision to a command, in groups. */
export function withSender(command: Command): Command {
  command
    .optionsGroup('Policy:')
    .option('--via <next-hop>', 'use the smart host [smtp.example.net]:25 and its policies')
    .option('--store <file>', 'use this database as the cache of MTA-STS policies')
    .option('--require <what>', 'require tls, dane or verified even if the domain does not')
    .option('--observe', 'report mail that a policy would defer, and deliver it')
    .option('--dane-suffices', 'require no public CA if TLSA records match')
    .option('--no-dane', 'do not use DANE')
    .option('--no-mta-sts', 'do not use MTA-STS')
    .optionsGroup('Output:')
    .option('--json', 'print JSON');
  return withPeers(withResolver(command), '30');
}

/** The work for which a sender is created. */
export interface SenderWork<T> {
  readonly flags: SenderFlags;
  /**
   * The addresses and domains of the work, which determine the part of the lab to build.
   */
  readonly domains: readonly string[];
  /** Opens the database of `--store`. */
  readonly open?: (filePath: string) => Promise<Store>;
  run(sender: Sender): Promise<T>;
}

/**
 * Runs work with a sender created from flags, and closes everything opened for it.
 *
 * Rejects with the error of the work, after lab and store are closed. The lab is opened
 * first: with `--lab`, the sender never uses the network of this machine.
 */
export async function withSenderOf<T>({
  flags: senderFlags,
  domains,
  run,
  open = openStore,
}: SenderWork<T>): Promise<T> {
  const options = readSenderFlags(senderFlags);
  const lab = senderFlags.lab ? await openLab(domains) : undefined;
  let stateStore: Store | undefined;
  try {
    if (senderFlags.store !== undefined) stateStore = await open(databaseFile(senderFlags.store));
    return await run(
      createSender(
        present({
          ...options,
          stsCache: stateStore && stsStore(stateStore),
          ...(lab && {
            network: lab.network,
            upstreams: lab.upstreams,
            anchors: lab.anchors,
            trustStore: lab.trustStore,
          }),
        }),
      ),
    );
  } finally {
    stateStore?.close();
    await lab?.close();
  }
}

/** Turns flags into options of the library. Throws HermeticError. */
function readSenderFlags(senderFlags: SenderFlags): SenderOptions {
  const { roots, ...dns } = readResolverFlags(senderFlags);
  const { require } = senderFlags;
  return {
    ...readPeerFlags(senderFlags),
    ...dns,
    trustStore: roots,
    require:
      require === undefined
        ? undefined
        : readWord('--require', require, ['tls', 'dane', 'verified'] as const),
    observe: senderFlags.observe ?? false,
    daneSuffices: senderFlags.daneSuffices ?? false,
    dane: senderFlags.dane,
    mtaSts: senderFlags.mtaSts,
  };
}
