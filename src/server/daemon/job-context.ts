import { readTextFile, systemClock, unwrap } from '../../base/index.js';
import { parseTrustAnchors, parseUpstream, systemUpstreams } from '../../dns/index.js';
import { guarded, nodeNetwork } from '../../net/index.js';
import { builtinTrustStore } from '../../tls/index.js';
import {
  joinTrustStores,
  namedTrustStore,
  parsePemBundle,
  type Certificate,
  type TrustStore,
} from '../../x509/index.js';
import type { SenderTestSettings } from '../../sender/settings.js';
import type { Config } from '../config/config.js';
import { showConfig } from '../config/show-config.js';
import type { Log } from '../log.js';
import { policySource } from './policy-source.js';
import type { JobContext } from '../service.js';
import { SharedResolver } from '../shared-resolver.js';
import { SharedStore, type StoreSource } from '../shared-store.js';

const correctConfig = 'Correct it in hermetic.yaml.';

export interface OpenJobContext extends JobContext {
  /** Resolves when the database is closed, or passed to the next configuration. */
  close(): Promise<void>;
}

/** Resources of a simulated internet that replace those of the configuration. */
export type ReplacedContext = Partial<Omit<JobContext, 'store' | 'policy'>>;

/** The resources that outlive one configuration, and those of a simulated internet. */
export interface JobContextOptions {
  readonly resolvers?: SharedResolver;
  readonly replaced?: ReplacedContext | undefined;
}

/**
 * Opens the resources that all jobs share: resolver, roots, database, policy source.
 * Rejects with HermeticError for a missing or malformed file of the configuration.
 */
export async function openJobContext(
  config: Config,
  logger: Log,
  stores: StoreSource = new SharedStore(systemClock, logger),
  { resolvers = new SharedResolver(), replaced }: JobContextOptions = {},
): Promise<OpenJobContext> {
  const localNetwork = nodeNetwork();
  const { addresses, trustAnchor, clockSkew } = config.resolver;
  const upstreams =
    addresses?.map((text) => unwrap('resolver.addresses', parseUpstream(text), correctConfig)) ??
    systemUpstreams();
  const resolver = resolvers.with({
    network: localNetwork,
    upstreams,
    clockSkew,
    anchors:
      trustAnchor === undefined
        ? undefined
        : unwrap(
            'resolver.trustAnchor',
            parseTrustAnchors(text('resolver.trustAnchor', trustAnchor)),
            correctConfig,
          ),
  });
  const roots = rootsOf(config.roots);
  const network =
    config.network.privateAddresses === 'allow' ? localNetwork : guarded(localNetwork);
  const stopping = new AbortController();
  const { store, stsCache, release } = await stores.lease(config.store.file);
  const shared = {
    network,
    localNetwork,
    resolver,
    trustStore: roots,
    clock: systemClock,
    log: logger,
    configuration: () => showConfig(config),
    senderTest: config.jobs['senderTest'] as SenderTestSettings | undefined,
    publish: config.jobs['publish'] as JobContext['publish'],
    customers: (config.jobs['pages'] as Pick<JobContext, 'customers'> | undefined)?.customers,
    report: config.jobs['report'] as JobContext['report'],
    ...replaced,
    store,
  };
  return {
    ...shared,
    policy: policySource({ ...shared, stsCache, settings: config.policy, signal: stopping.signal }),
    close() {
      stopping.abort(new Error('stopped'));
      return release();
    },
  };
}

function rootsOf({ replace, add }: Config['roots']): TrustStore {
  const read = (setting: string, filePath: string | undefined): readonly Certificate[] =>
    filePath === undefined
      ? []
      : unwrap(setting, parsePemBundle(text(setting, filePath)), correctConfig);
  const added = read('roots.add', add);
  return replace === undefined
    ? builtinTrustStore(added)
    : joinTrustStores([
        namedTrustStore('file', read('roots.replace', replace)),
        namedTrustStore('file', added),
      ]);
}

function text(setting: string, filePath: string): string {
  return readTextFile(filePath, { code: 'config-file-unreadable', label: `${setting}:` });
}
