import { fail, HermeticError, Name, readTextFile } from '../base/index.js';
import { lookupAddresses } from '../dns/index.js';
import {
  Issuer,
  dnsSolver,
  findIssuanceBlocker,
  locateRecord,
  folderSolver,
  formatChange,
  addressWildcardBlocker,
  openAcmeStore,
  persistentDnsSolver,
  publishFailures,
  authoritativeCname,
  authoritativeTxt,
  type Certify,
  type DnsWriter,
  type Observer,
  type KeyRing,
  type LocalExecutorOptions,
  type PublishSection,
  type TextRecords,
} from '../publish/index.js';
import { type ChallengeSolver } from '../acme/index.js';
import { parsePemBundle, trustStore, type TrustStore } from '../x509/index.js';
import type { JobContext } from './service.js';
import { readSecret } from './secrets.js';

export interface CertifyingOptions {
  readonly section: PublishSection;
  readonly jobContext: JobContext;
  readonly ring: KeyRing;
  readonly writers: ReadonlyMap<string, DnsWriter>;
  readonly eyes: Observer;
  /** The solvers of the challenges that this process answers itself. */
  readonly answers: readonly ChallengeSolver[];
  readonly minutes: number;
}

export interface Certifying {
  /** The client of the CA in `publish.acme`. */
  readonly certifier?: Issuer;
  /** Whether this process can answer the challenges of the CA. */
  readonly answers: boolean;
  /**
   * Obtains certificates for the policy hosts, and for the mail hosts whose sections
   * request certificates. If undefined, the operator obtains them.
   */
  readonly certify?: NonNullable<LocalExecutorOptions['certify']>;
}

export function certifying(options: CertifyingOptions): Certifying {
  const { acme, hosts } = options.section;
  if (!acme) return { answers: false };
  const { certifier, answers } = clientOf(acme, options);
  const names = ({ host }: Certify): boolean => (hosts[host]?.certificates ?? 'acme') === 'acme';
  if (answers)
    return {
      certifier,
      answers,
      certify: async (action) => (names(action) ? certifier.certify(action) : undefined),
    };
  const port = acme.challenge === 'http-01' ? 80 : 443;
  const text = (hostName: string): string =>
    `the CA connects to port ${port} of ${hostName} (${acme.challenge}). This command does not listen there. In its next round, hermetic serve answers there and obtains the certificate`;
  return {
    certifier,
    answers,
    certify: ({ host, ...rest }) =>
      Promise.resolve(
        names({ host, ...rest }) ? { status: 'manual', text: text(host) } : undefined,
      ),
  };
}

function clientOf(
  acme: NonNullable<PublishSection['acme']>,
  options: CertifyingOptions,
): { readonly certifier: Issuer; readonly answers: boolean } {
  const { section, jobContext, ring, writers, eyes, answers, minutes } = options;
  const alsoNamed = (hostName: string): readonly string[] => section.hosts[hostName]?.names ?? [];
  const hostOf = (hostName: string): string =>
    Object.keys(section.hosts).find((host) => alsoNamed(host).includes(hostName)) ?? hostName;
  const dnsOf = (hostName: string): string =>
    section.hosts[hostOf(hostName)]?.dns ??
    section.domains[hostName.replace(/^mta-sts\./, '')]?.dns ??
    'print';
  const records: TextRecords = {
    async locate(name, hostName) {
      const dns = dnsOf(hostName);
      const blocker = await addressWildcardBlocker(hostName, dns, eyes);
      if (blocker !== undefined)
        return fail(publishFailures.make('publish-name-synthesised', blocker));
      return locateRecord(name, dns, section.dns, (at, dns) => authoritativeCname(at, dns, eyes));
    },
    write: (action, dns) =>
      writers.get(dns)?.(action, eyes.signal) ??
      Promise.resolve({ status: 'manual', text: formatChange(action) }),
    lookup: (hostName, dns) => authoritativeTxt(hostName, dns, eyes),
    clock: jobContext.clock,
    signal: eyes.signal,
  };
  const inDns = [dnsSolver(records), persistentDnsSolver(records)];
  const here = acme.webroot === undefined ? [...answers, ...inDns] : [folderSolver(acme.webroot)];
  const matching = here.filter(({ type }) => type === acme.challenge);
  const { localNetwork: network, clock, resolver, store, trustStore: anchors } = jobContext;
  const certifier = new Issuer({
    server: {
      directory: acme.directory,
      network,
      clock,
      anchors: acme.roots === undefined ? anchors : rootsFrom(acme.roots, 'publish.acme.roots'),
      async addressesOf(hostName, signal) {
        const { v4, v6 } = await lookupAddresses(resolver, Name.of(hostName), { signal });
        return [...v4, ...v6];
      },
    },
    store: openAcmeStore(store, eyes.signal),
    findBlocker: (request) => findIssuanceBlocker(request, eyes),
    ring,
    solvers: matching,
    methods: [acme.challenge],
    contact: acme.contact,
    profile: acme.profile,
    preferredChain: acme.preferredChain,
    additionalNames: alsoNamed,
    external: acme.external && {
      keyId: acme.external.keyId,
      macKey: readSecret(acme.external.macKey).trim(),
    },
    random: Math.random,
    roundMs: minutes * 60_000,
    signal: eyes.signal,
  });
  return { certifier, answers: matching.length > 0 };
}

/**
 * Reads the roots of a private CA, whose web server has no certificate from a public CA.
 */
export function rootsFrom(filePath: string, setting: string): TrustStore {
  const parsed = parsePemBundle(
    readTextFile(filePath, { code: 'config-file-unreadable', label: `${setting}:` }),
  );
  if (!parsed.ok)
    throw new HermeticError('config-invalid', `${setting}: ${filePath} holds no certificate`, {
      fix: 'Specify a PEM file.',
    });
  return trustStore(parsed.value);
}
