import { createHash } from 'node:crypto';
import type { ChallengeSolver } from '../acme/index.js';
import { BoundedMap, Name } from '../base/index.js';
import { lookupAddresses } from '../dns/index.js';
import { Issuer, KeyRing, openAcmeStore } from '../publish/index.js';
import {
  caseNames,
  type HostKeyAndChain,
  type SenderCase,
  type Slot,
  type SlotTable,
} from '../sender/index.js';
import type { SenderTestSettings } from '../sender/settings.js';
import { rootsFrom } from './acme-issuer.js';
import type { JobContext } from './service.js';

/** Maximum number of names in one certificate; Let's Encrypt permits 100. */
const MAX_NAMES = 100;
/** The name of the only key in the ring of a slot. */
const KEY = 'host';
/** Maximum number of slots whose certificate chains are in memory. */
const MAX_CHAINS = 200;

export interface SlotIssuerOptions {
  readonly acme: NonNullable<SenderTestSettings['acme']>;
  readonly zone: string;
  readonly cases: readonly SenderCase[];
  readonly table: SlotTable;
  /** The private key that all hosts share, as PEM, and the folder of the chains. */
  readonly keyPem: string;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Obtains one certificate for each slot from a CA (RFC 8555). The certificate covers all
 * policy hosts and mail hosts of the slot that need a valid certificate, because the CA
 * permits only 50 certificates a week. The daemon answers the challenges in its own DNS.
 */
export class SlotIssuer {
  readonly #issuer: Issuer;
  readonly #ring: KeyRing;
  readonly #texts = new Map<string, string>();
  readonly #chains = new BoundedMap<{ readonly pem: string; readonly pair: HostKeyAndChain }>(
    MAX_CHAINS,
  );

  constructor(
    private readonly options: SlotIssuerOptions,
    private readonly jobContext: JobContext,
  ) {
    const { localNetwork, clock, trustStore, resolver, store } = jobContext;
    const { acme, folder, signal } = options;
    this.#ring = new KeyRing(folder);
    this.#issuer = new Issuer({
      server: {
        directory: acme.directory,
        network: localNetwork,
        clock,
        anchors:
          acme.roots === undefined ? trustStore : rootsFrom(acme.roots, 'senderTest.acme.roots'),
        async addressesOf(hostName, abort) {
          const { v4, v6 } = await lookupAddresses(resolver, Name.of(hostName), { signal: abort });
          return [...v4, ...v6];
        },
      },
      store: openAcmeStore(store, signal),
      ring: this.#ring,
      solvers: [this.#solver()],
      contact: acme.contact,
      profile: acme.profile,
      preferredChain: acme.preferredChain,
      additionalNames: (hostName) => this.#namesBeside(hostName),
      random: Math.random,
      signal,
    });
  }

  /**
   * Returns the text of the TXT record below `_acme-challenge` for a pending challenge
   * (RFC 8555 §8.4).
   */
  textAt(domainName: Name): string | undefined {
    return this.#texts.get(domainName.key);
  }

  #solver(): ChallengeSolver {
    const keyOf = (host: string): string => Name.of(`_acme-challenge.${host}`).key;
    return {
      type: 'dns-01',
      show: ({ host, keyAuthorization }) => {
        const digest = createHash('sha256').update(keyAuthorization).digest('base64url');
        this.#texts.set(keyOf(host), digest);
        return Promise.resolve({ status: 'done' });
      },
      hide: ({ host }) => {
        this.#texts.delete(keyOf(host));
        return Promise.resolve();
      },
    };
  }

  /** Obtains the certificate of a slot if it is missing or due for renewal. */
  async certify({ slot }: Pick<Slot, 'slot'>): Promise<void> {
    const { table, keyPem } = this.options;
    const now = this.jobContext.clock.now();
    const [lead] = this.#names(slot);
    if (lead === undefined) return;
    this.#ring.importKey(lead, keyPem, () => KEY, 'senderTest.keys');
    const outcome = await this.#issuer.certify({ host: lead, key: KEY });
    if (outcome.status === 'done') await table.markReady(slot, now);
    else if (outcome.status === 'failed' && outcome.untried !== true)
      await table.markReady(slot, now, `${outcome.code}: ${outcome.detail}`);
  }

  /**
   * Returns the certificate of a host of a slot; undefined until the CA has issued it.
   */
  certificateFor(hostName: string): HostKeyAndChain | undefined {
    const [slot] = hostName
      .toLowerCase()
      .slice(0, -this.options.zone.length - 1)
      .split('.')
      .slice(-1);
    const names = slot === undefined ? [] : this.#names(slot);
    const [lead] = names;
    if (lead === undefined || !names.includes(hostName.toLowerCase())) return undefined;
    const pem = this.#ring.chain(lead, KEY);
    if (pem === undefined) return undefined;
    const known = this.#chains.get(lead);
    if (known?.pem === pem) return known.pair;
    const pair = { keyPem: this.options.keyPem, chainPem: pem };
    this.#chains.set(lead, { pem, pair });
    return pair;
  }

  /**
   * Returns the names in the certificate of a slot. The names never change, so that the
   * CA recognises a renewal.
   */
  #names(slot: string): readonly string[] {
    const { cases, zone } = this.options;
    const names = cases.flatMap((senderCase) => {
      const { policyHost, mxHost } = caseNames(senderCase.id, slot, zone);
      // A CA cannot validate names in a zone whose DNSSEC is bogus.
      if (senderCase.zone.dnssec === 'bogus') return [];
      const { policy, host } = senderCase;
      return [
        ...(policy && policy.certificate === undefined ? [policyHost] : []),
        ...((host.certificate ?? 'valid') === 'valid' ? [mxHost] : []),
      ];
    });
    return names.slice(0, MAX_NAMES);
  }

  #namesBeside(lead: string): readonly string[] {
    const slot =
      lead
        .slice(0, -this.options.zone.length - 1)
        .split('.')
        .at(-1) ?? '';
    return this.#names(slot).filter((name) => name !== lead);
  }
}
