import { readFileSync } from 'node:fs';
import { concat, HermeticError, latin1, Name } from '../base/index.js';
import { askServer, lookupAddresses, readTxt, RRType } from '../dns/index.js';
import {
  Certifier,
  dnsAnswers,
  openAcmeBook,
  txtRdata,
  type ChallengeAnswers,
  type DnsWriter,
  type Eyes,
  type KeyRing,
  type PublishSection,
} from '../publish/index.js';
import { parsePem, trustStore, type TrustStore } from '../x509/index.js';
import type { House } from './service.js';
import { readSecret } from './secrets.js';

export interface CertifyingOptions {
  readonly section: PublishSection;
  readonly house: House;
  readonly ring: KeyRing;
  readonly writers: ReadonlyMap<string, DnsWriter>;
  readonly eyes: Eyes;
  /** Challenges that this process answers itself. */
  readonly answers: readonly ChallengeAnswers[];
  readonly minutes: number;
}

/** The client of the CA in `publish.acme`; undefined without one, and where nobody in this process could answer its challenges. */
export function certifying(options: CertifyingOptions): Certifier | undefined {
  const { section, house, ring, writers, eyes, answers, minutes } = options;
  const { acme } = section;
  if (!acme) return undefined;
  const dnsOf = (host: string): string => section.hosts[host]?.dns ?? section.domains[host.replace(/^mta-sts\./, '')]?.dns ?? 'print';
  const records = dnsAnswers(
    (action, host) =>
      writers.get(dnsOf(host))?.(action) ??
      Promise.resolve({ status: 'failed', code: 'acme-challenge-unknown', detail: `${host}: no writer` }),
    (name, host) => textsAt(name, dnsOf(host), eyes),
  );
  const able = [...answers, records].filter(({ type }) => type === acme.challenge);
  if (able.length === 0) return undefined;
  const { localNetwork: network, clock, resolver, store, trustStore: anchors } = house;
  return new Certifier({
    server: {
      directory: acme.directory,
      network,
      clock,
      anchors: acme.roots === undefined ? anchors : rootsOf(acme.roots),
      async addressesOf(host, signal) {
        const { v4, v6 } = await lookupAddresses(resolver, Name.of(host), signal ? { signal } : {});
        return [...v4, ...v6];
      },
    },
    book: openAcmeBook(store),
    ring,
    answers: able,
    contact: acme.contact,
    profile: acme.profile,
    external: acme.external && { keyId: acme.external.keyId, macKey: readSecret(acme.external.macKey).trim() },
    draw: Math.random,
    round: Math.max(1, minutes) * 60_000,
    ...(eyes.signal ? { signal: eyes.signal } : {}),
  });
}

/** What an authoritative server has now; caches do not count. */
async function textsAt(name: string, dns: string, { zone, network, signal }: Eyes): Promise<readonly string[]> {
  const found = await zone(Name.of(name), dns);
  const server = found?.servers[0];
  const got = server && (await askServer(server, Name.of(name), RRType.TXT, { network, timeoutMs: 2000, attempts: 2 }, signal));
  if (!got?.ok) return [];
  return got.value.answers
    .filter((rr) => rr.type === RRType.TXT)
    .flatMap((rr) => {
      const strings = readTxt(rr);
      return strings.ok ? [txtRdata(latin1(concat(...strings.value)))] : [];
    })
    .sort();
}

function rootsOf(file: string): TrustStore {
  const parsed = parsePem(readFileSync(file, 'utf8'));
  if (!parsed.ok)
    throw new HermeticError('config-invalid', `publish.acme.roots: ${file} holds no certificate`, { fix: 'Name a PEM file.' });
  return trustStore(parsed.value);
}
