import { Name } from '../base/index.js';
import { parseUpstream, type Upstream } from '../dns/index.js';
import type { MailHost } from '../evidence/index.js';
import {
  applyOnce,
  type CaaBinding,
  type Issuer,
  dnsWriters,
  KeyRing,
  localExecutor,
  openLedger,
  planAll,
  type PlanOptions,
  renewDue,
  zoneServers,
  type Applied,
  type Observer,
  type Ledger,
  type LocalExecutorOptions,
  type ActionOutcome,
  type PublishSection,
  type SubjectPlan,
} from '../publish/index.js';
import { type ChallengeSolver } from '../acme/index.js';
import { certifying } from './acme-issuer.js';
import { migrateWhenFree } from '../store/index.js';
import { readSecret } from './secrets.js';
import type { JobContext } from './service.js';

/**
 * The functions of publishing, with inputs from other parts: the check of this program as
 * the probe, stored reports as evidence.
 */
export interface Publishing {
  readonly ledger: Ledger;
  readonly ring: KeyRing;
  /**
   * Returns the plans of hosts and domains; writes nothing. `only`: selects the hosts and
   * domains to observe; default all.
   */
  plan(only?: PlanOptions['only']): Promise<readonly SubjectPlan[]>;
  apply(): Promise<readonly Applied[]>;
  /** Returns the ACME account, for CAA records; undefined without a configured CA. */
  readonly accountBinding?: () => Promise<AccountBinding>;
  /** Changes the key of the ACME account at the CA; undefined without a configured CA. */
  readonly changeAccountKey?: () => Promise<ActionOutcome>;
}

/** The ACME account of this machine, with the hosts and keys that it certifies. */
export interface AccountBinding extends CaaBinding {
  readonly hosts: readonly string[];
  /** SHA-256 digests of the public keys in the ring, as lower-case hex. */
  readonly keys: ReadonlySet<string>;
}

/**
 * The section `publish`. `everyMinutes`: minutes between two rounds of the daemon; 0:
 * rounds are run manually.
 */
export type PublishSettings = PublishSection & { readonly everyMinutes?: number };

/**
 * The facts that a probe collects: only whether a sender would deliver, and the
 * certificate of each key type. The probe needs a few connections per address.
 */
const goals = { inventory: false, asks: [] };

const USUAL_MINUTES = 10;

export interface Given extends Pick<LocalExecutorOptions, 'writers' | 'certify'> {
  /** The solvers of the challenges that this process answers itself. */
  readonly answers?: readonly ChallengeSolver[];
  /** Minutes between two rounds. */
  readonly minutes?: number;
  /**
   * The signal that interrupts running work: requests, waits and changes of records. The
   * next round, in this or another process, continues the work.
   */
  readonly signal?: AbortSignal;
}

/**
 * Opens publishing for a configuration. `given`: writers of further zones in addition to
 * `publish.dns`, and a function that obtains certificates instead of `publish.acme`.
 */
export function openPublishing(
  section: PublishSettings,
  jobContext: JobContext,
  { answers = [], minutes = USUAL_MINUTES, signal, ...given }: Given = {},
): Publishing {
  const ledger = openLedger(jobContext.store, signal);
  const ring = new KeyRing(section.keys);
  const { localNetwork: network, clock } = jobContext;
  const writers = new Map([
    ...dnsWriters(section, { network, clock, readSecret }),
    ...(given.writers ?? []),
  ]);
  const createObserver = (): Observer => eyesOf(section, jobContext, signal);
  const { certifier, certify, ...client } = certifying({
    section,
    jobContext,
    ring,
    writers,
    eyes: createObserver(),
    answers,
    minutes,
  });
  const executor = localExecutor({
    section,
    ledger,
    ring,
    clock,
    certify,
    ...given,
    writers,
    signal,
  });
  const renewed = (hostName: string, key: string): number | undefined =>
    section.hosts[hostName]?.certificates === 'acme'
      ? certifier?.renewalAt({ host: hostName, key })
      : undefined;
  const { everyMinutes = 0 } = section;
  const intervalMs = everyMinutes > 0 ? everyMinutes * 60_000 : undefined;
  /** Returns the options of one round, with a separate observer. */
  const round = (): PlanOptions => ({
    section,
    ledger,
    ring,
    observer: createObserver(),
    renewalAt: renewed,
    findBlocker: certifier && ((hostName) => certifier.findBlocker(hostName)),
    intervalMs,
  });
  return {
    ledger,
    ring,
    accountBinding: certifier && (() => bindingOf(section, certifier, ring)),
    changeAccountKey: certifier && (() => certifier.changeAccountKey()),
    plan: (only) => planAll({ ...round(), only }),
    async apply() {
      const renewals =
        certifier && client.answers ? await renewDue({ section, ledger, issuer: certifier }) : [];
      return [...renewals, ...(await applyOnce({ ...round(), executor }))];
    },
  };
}

async function bindingOf(
  { hosts: mailHosts, domains }: PublishSection,
  issuer: Issuer,
  ring: KeyRing,
): Promise<AccountBinding> {
  const acme = Object.entries(mailHosts).filter(([, { certificates }]) => certificates === 'acme');
  const owners = [
    ...acme.map(([hostName]) => hostName),
    ...Object.keys(domains).map((domainName) => `mta-sts.${domainName}`),
  ];
  return {
    issuers: await issuer.caaIdentities(),
    accountUri: issuer.accountUri,
    hosts: [...owners, ...acme.flatMap(([, { names }]) => names)],
    keys: new Set(
      owners.flatMap((hostName) => ring.list(hostName, issuer.now()).map(({ sha256 }) => sha256)),
    ),
  };
}

/**
 * Creates the observer of one round. The observer probes each host once, for all domains
 * that use the host.
 */
function eyesOf(section: PublishSection, jobContext: JobContext, signal?: AbortSignal): Observer {
  const { network, localNetwork, resolver, trustStore, clock, store } = jobContext;
  const { smtp: smtpPort, https: httpsPort } = section.ports;
  const probed = new Map<string, Promise<MailHost | undefined>>();
  const probe = async (hostName: string): Promise<MailHost | undefined> => {
    // The code of the check is loaded by the first round: a daemon that only serves
    // policies does not need it.
    const { collect, collectOptions, grade } = await import('../check/index.js');
    const options = collectOptions({
      network,
      // The network of the daemon already refuses private addresses, unless
      // network.privateAddresses allows them.
      reach: 'any',
      resolver,
      trustStore,
      clock,
      smtpPort,
      httpsPort,
      mx: hostName,
      signal,
    });
    return grade(await collect(Name.of(hostName), { ...options, depth: 'verdict', goals }))
      .hosts[0];
  };
  return {
    network: localNetwork,
    resolver,
    trustStore,
    clock,
    httpsPort,
    signal,
    async zone(domainName, dns) {
      const found = await zoneServers(resolver, domainName, signal);
      const overrides = section.dns[dns]?.servers?.flatMap(upstreamOf);
      return found && overrides ? { ...found, servers: overrides } : found;
    },
    probe(hostName) {
      const known = probed.get(hostName) ?? probe(hostName);
      probed.set(hostName, known);
      return known;
    },
    async reports(domainName, days) {
      const { reportEvidence, reportTables } = await import('../tls-rpt-receive/index.js');
      await migrateWhenFree(store, reportTables);
      return reportEvidence(store, domainName, clock.now() - days * 86_400_000);
    },
  };
}

function upstreamOf(text: string): readonly Upstream[] {
  const parsed = parseUpstream(text);
  return parsed.ok ? [parsed.value] : [];
}
