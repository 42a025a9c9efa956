import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTime, Name } from '../../../src/base/index.js';
import {
  decodeMessage,
  encodeMessage,
  parseRecord,
  Rcode,
  RRType,
  type Resolver,
  type ResourceRecord,
} from '../../../src/dns/index.js';
import type { MailHost } from '../../../src/evidence/index.js';
import { trustStore } from '../../../src/x509/index.js';
import { acmeWorld } from './acme-ca.js';
import { renewDue } from '../../../src/publish/issue/renew-due.js';
import { applyOnce, type Applied } from '../../../src/publish/apply/apply.js';
import { localExecutor } from '../../../src/publish/apply/local-executor.js';
import type { ActionOutcome } from '../../../src/publish/actions.js';
import type { SetRrset } from '../../../src/publish/actions.js';
import { publishSection } from '../../../src/publish/config.js';
import { serverKey } from '../../../src/publish/keys/key-ring.js';
import { openLedger } from '../../../src/publish/ledger/ledger.js';
import type { Observer } from '../../../src/publish/observe/observer.js';

export const host = 'mx.example.com';
const owner = `_25._tcp.${host}`;
const ttl = 3600;
const serverAddress = '192.0.2.53';

/**
 * Simulates a mail server with a certificate from a CA, in virtual time. The server reads
 * its files at each reload. After each round the test judges whether every sender could
 * deliver.
 */
export async function mailHostWorld(settings: { rollKeysEvery?: string; lifetime: number }) {
  const world = await acmeWorld({ profiles: { '': settings.lifetime } });
  const { clock, ring, store, certifier } = world;
  const base = mkdtempSync(join(tmpdir(), 'hermetic-mail-host-'));
  const [folder, memory] = [join(base, 'tls'), join(base, 'memory')];
  mkdirSync(memory);
  const ledger = openLedger(store);
  const loads = ['cp', '-L', join(folder, 'ecdsa', 'both.pem'), join(memory, 'both.pem')];
  let records: readonly string[] = [];
  const cached: { readonly records: readonly string[]; readonly until: number }[] = [];
  const loaded = (): X509Certificate | undefined => {
    const file = join(memory, 'both.pem');
    return existsSync(file) ? new X509Certificate(readFileSync(file)) : undefined;
  };
  const probed = (): MailHost => {
    const leaf = loaded();
    const certificates = leaf
      ? [
          {
            chain: 'trusted',
            validity: 'valid',
            nameMatch: 'match',
            spkiSha256: serverKey('', leaf.publicKey).sha256,
            notBefore: formatTime(Date.parse(leaf.validFrom)),
            notAfter: formatTime(Date.parse(leaf.validTo)),
          },
        ]
      : [];
    const address = {
      ip: '192.0.2.25',
      status: 'reachable',
      starttls: leaf ? 'offered' : 'absent',
      certificates,
    };
    return { name: host, addresses: [address] } as unknown as MailHost;
  };
  const answersTo = (name: Name, type: number): readonly ResourceRecord[] =>
    type !== RRType.TLSA || name.toLower() !== owner
      ? []
      : records.flatMap((data) => {
          const parsed = parseRecord(`${owner}. ${ttl} TLSA ${data}`, { defaultTtl: ttl });
          return parsed.ok ? [parsed.value] : [];
        });
  const answer = (query: Uint8Array): Uint8Array => {
    const decoded = decodeMessage(query);
    const [question] = decoded.ok ? decoded.value.questions : [];
    if (!decoded.ok || !question) throw new TypeError('no question');
    const answers = answersTo(question.name, question.type);
    return encodeMessage({
      ...decoded.value,
      response: true,
      authoritative: true,
      rcode: Rcode.NOERROR,
      answers,
    });
  };
  const resolver: Resolver = {
    health: () => ({ upstreams: [] }),
    ask(name, type) {
      const found = answersTo(name, type);
      const status = found.length > 0 ? 'found' : 'nodata';
      return Promise.resolve({
        question: { name, type },
        status,
        dnssec: 'secure',
        records: found,
        canonicalName: name,
        aliases: [],
        ttl,
      });
    },
  };
  const observer: Observer = {
    network: {
      dial: () => Promise.reject(new TypeError('no connection is expected')),
      exchange: ({ query, to }) => Promise.resolve({ ok: true, bytes: answer(query), from: to }),
    },
    resolver,
    trustStore: trustStore([]),
    clock,
    httpsPort: 443,
    zone: () =>
      Promise.resolve({
        apex: Name.of('example.com'),
        servers: [{ address: serverAddress, port: 53, label: serverAddress }],
      }),
    probe: () => Promise.resolve(probed()),
    reports: () => Promise.resolve([]),
  };
  const write = ({ from, to }: SetRrset): Promise<ActionOutcome> => {
    if ([...to].sort().join() === [...records].sort().join())
      return Promise.resolve({ status: 'done' });
    assert.deepEqual([...records].sort(), [...from].sort(), 'compare and set');
    cached.push({ records, until: clock.at + ttl * 1000 });
    records = to;
    return Promise.resolve({ status: 'done' });
  };
  /**
   * Asserts that no sender defers mail: neither a DANE sender with any cached RRset nor
   * an MTA-STS sender.
   */
  const judge = (): void => {
    const leaf = loaded();
    if (!leaf) return assert.deepEqual(records, []);
    const shown = `3 1 1 ${serverKey('', leaf.publicKey).sha256}`;
    for (const held of [
      records,
      ...cached.filter(({ until }) => until > clock.at).map(({ records: old }) => old),
    ])
      assert.ok(
        held.length === 0 || held.includes(shown),
        `a sender holds ${held.join()}, the server shows ${shown}`,
      );
    assert.ok(
      leaf.checkHost(host) !== undefined && Date.parse(leaf.validTo) > clock.at,
      'its certificate does not fit',
    );
  };
  return {
    ca: world.ca,
    clock,
    ring,
    ledger,
    loaded,
    records: () => records,
    /**
     * Runs one round. `deaf`: the reload succeeds, but the server does not read its
     * files. `refuses`: the reload fails.
     */
    async round(fault: { deaf?: boolean; refuses?: boolean } = {}): Promise<readonly Applied[]> {
      const failingCommand = fault.refuses ? 'false' : fault.deaf && 'true';
      const reload = failingCommand ? [failingCommand] : loads;
      const section = publishSection.parse({
        keys: ring.folder,
        acme: { directory: 'https://ca.lab.example/directory', agreed: true },
        dns: { own: { kind: 'print' } },
        hosts: {
          [host]: {
            certificates: 'acme',
            install: { folder, reload },
            dns: 'own',
            ttl,
            rollKeysEvery: settings.rollKeysEvery,
          },
        },
      });
      const client = certifier();
      const executor = localExecutor({
        section,
        ledger,
        ring,
        clock,
        writers: new Map([['own', write]]),
        certify: (action) => client.certify(action),
      });
      const renewed = (name: string, key: string) => client.renewalAt({ host: name, key });
      const renewals = await renewDue({ section, ledger, issuer: client });
      const applied = [
        ...renewals,
        ...(await applyOnce({ section, ledger, ring, observer, executor, renewalAt: renewed })),
      ];
      judge();
      return applied;
    },
    async close() {
      await world.close();
      rmSync(base, { recursive: true });
    },
  };
}
