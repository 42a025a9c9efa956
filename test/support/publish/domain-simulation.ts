import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Name } from '../../../src/base/index.js';
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
import { LabNetwork, PolicyHost } from '../../../src/lab/index.js';
import { createCa, generateKey, issue } from '../../../src/pki/index.js';
import { openStore, type OpenStoreOptions } from '../../../src/store/index.js';
import { parseCertificate, trustStore } from '../../../src/x509/index.js';
import type { SetRrset } from '../../../src/publish/actions.js';
import { publishSection } from '../../../src/publish/config.js';
import { KeyRing, serverKey } from '../../../src/publish/keys/key-ring.js';
import { openLedger, type Ledger } from '../../../src/publish/ledger/ledger.js';
import type { Observer } from '../../../src/publish/observe/observer.js';
import { policyId } from '../../../src/publish/records/policy-id.js';
import type { CrashInjector } from './crash-injection.js';
import { applyOnce } from '../../../src/publish/apply/apply.js';
import { localExecutor } from '../../../src/publish/apply/local-executor.js';
import type { ActionOutcome } from '../../../src/publish/actions.js';
import { FakeClock } from '../fake-clock.js';

const [domain, mx, policyAddress, serverAddress] = [
  'life.example',
  'mx.life.example',
  '192.0.2.80',
  '192.0.2.53',
];
const [policyHost, reports] = [`policy.${domain}`, `mailto:tls@${domain}`];
const owner = `_25._tcp.${mx}`;
const [ttl, hour] = [3600, 3_600_000];

const root = createCa({ name: 'Life Root' });
const certificate = issue(root, { names: [`mta-sts.${domain}`], notAfter: Date.UTC(2099, 0, 1) });
const anchors = parseCertificate(root.der);

/** The phases of a simulation, one after the other, each with its desired mode. */
const chapters = [
  { name: 'enforced, and the keys in use and next announced', mode: 'enforce' },
  { name: 'another key in use', mode: 'enforce' },
  { name: 'all taken back', mode: 'none' },
] as const;

/**
 * Simulates a domain with its mail server in virtual time. Records, policy host and
 * server continue after a crash of the publishing process. After every round the
 * simulation judges whether a sender with cached records could have delivered.
 */
export class DomainSimulation {
  readonly #clock = new FakeClock(Date.now(), 'skip');
  readonly #sets = new Map<string, { readonly rdata: readonly string[]; readonly since: number }>();
  /** Removed RRsets, and the time until which a cache may contain them. */
  #cached: { readonly key: string; readonly rdata: readonly string[]; readonly until: number }[] =
    [];
  #chapter = 0;
  #read: { readonly pem: string; readonly key: KeyObject } | undefined;

  private constructor(
    private readonly network: LabNetwork,
    private readonly folder: string,
    private readonly store: Awaited<ReturnType<typeof openStore>>,
    private readonly firstRecord: string,
  ) {}

  static async begin(file = ':memory:', options?: OpenStoreOptions): Promise<DomainSimulation> {
    const [network, folder, store] = [
      new LabNetwork(),
      mkdtempSync(join(tmpdir(), 'hermetic-life-')),
      await openStore(file, options),
    ];
    const first = generateKey();
    writeFileSync(
      join(folder, 'server.key'),
      first.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    const simulation = new DomainSimulation(
      network,
      folder,
      store,
      `3 1 1 ${serverKey('', first.publicKey).sha256}`,
    );
    simulation.#sets.set(`${domain} MX`, { rdata: [`10 ${mx}.`], since: 0 });
    simulation.#sets.set(`${policyHost} A`, { rdata: [policyAddress], since: 0 });
    const ledger = openLedger(store);
    const host = new PolicyHost();
    host.add(`mta-sts.${domain}`, {
      certificate,
      get policy() {
        return ledger.body(domain) ?? '';
      },
      get habit() {
        return ledger.body(domain) === undefined ? ('not-found' as const) : ('good' as const);
      },
    });
    await network.listenTcp(policyAddress, 443, host.serve);
    return simulation;
  }

  async end(): Promise<void> {
    this.store.close();
    await this.network.close();
    rmSync(this.folder, { recursive: true });
  }

  /** Runs rounds of one process until the last phase is over or the process crashes. */
  async live(injector?: CrashInjector): Promise<void> {
    const ledger = openLedger(injector?.store(this.store) ?? this.store);
    const ring = new KeyRing(join(this.folder, 'keys'), injector?.disk);
    for (let rounds = 0; this.#chapter < chapters.length; rounds++) {
      const { name, mode } = chapters[this.#chapter] ?? chapters[0];
      assert.ok(rounds < 200, `${name} did not come about`);
      const section = this.#section(mode);
      const executor = localExecutor({
        section,
        ledger,
        ring,
        clock: this.#clock,
        writers: new Map([
          [
            'own',
            (action: SetRrset) =>
              injector ? injector.step(() => this.#write(action)) : this.#write(action),
          ],
        ]),
      });
      const applied = await applyOnce({
        section,
        ledger,
        ring,
        observer: this.#observer(),
        executor,
      });
      for (const { says, outcome } of applied.flatMap(({ outcomes }) => outcomes))
        assert.equal(outcome.status, 'done', `${says}: ${JSON.stringify(outcome)}`);
      for (const { token } of applied.flatMap(({ proposals }) => proposals))
        if (mode === 'none') await ledger.confirm(token, this.#clock.at);
      this.judge();
      if (await this.#isOver(ledger)) this.#chapter++;
      else {
        const waits = applied
          .flatMap(({ waits: all }) => all.flatMap(({ until }) => until ?? []))
          .filter((at) => at > this.#clock.at);
        this.#clock.at = Math.min(
          this.#clock.at + 24 * hour,
          ...waits,
          ...(waits.length > 0 ? [] : [this.#clock.at + hour]),
        );
      }
    }
  }

  /** Asserts that a sender with any possibly cached record can deliver. */
  judge(): void {
    const shown = `3 1 1 ${serverKey('', this.#shownKey()).sha256}`;
    const alive = (key: string): readonly (readonly string[])[] => {
      const now = this.#sets.get(key)?.rdata;
      return [
        ...(now ? [now] : []),
        ...this.#cached
          .filter((set) => set.key === key && set.until > this.#clock.at)
          .map(({ rdata }) => rdata),
      ];
    };
    for (const records of alive(`${owner} TLSA`))
      assert.ok(
        records.includes(shown),
        `a sender holds ${records.join()}, the server shows ${shown}`,
      );
    const body = openLedger(this.store).body(domain);
    for (const [record = ''] of alive(`_mta-sts.${domain} TXT`))
      assert.ok(
        body !== undefined && this.#sets.has(`mta-sts.${domain} CNAME`),
        `a sender has ${record} and finds no policy`,
      );
    const [current = ''] = this.#sets.get(`_mta-sts.${domain} TXT`)?.rdata ?? [];
    const ids = openLedger(this.store)
      .domain(domain)
      .served.map(({ id }) => id);
    if (current !== '')
      assert.ok(
        body !== undefined &&
          ids.indexOf(policyId(body)) >= ids.findIndex((id) => current.includes(id)),
      );
  }

  /** Returns the final state without times. */
  summary(): unknown {
    const ledger = openLedger(this.store);
    return {
      records: [...this.#sets].map(([key, { rdata }]) => `${key} ${rdata.join()}`).sort(),
      policies: ledger
        .domain(domain)
        .served.map(
          ({ mode, maxAge, last }) => `${mode} ${maxAge} ${last === undefined ? 'served' : 'over'}`,
        ),
      served: ledger.body(domain),
      keys: new KeyRing(join(this.folder, 'keys'))
        .list(mx, this.#clock.at)
        .map(({ name, certified }) => `${name.replace(/-[0-9a-f]{8}-/, '-')} ${certified}`),
      inUse: ledger.host(mx).slots.ecdsa?.current?.name,
    };
  }

  /** Returns the records that did not exist at the start. */
  left(): readonly string[] {
    return [...this.#sets.keys()].filter(
      (key) => key !== `${domain} MX` && key !== `${policyHost} A`,
    );
  }

  async #isOver(ledger: Ledger): Promise<boolean> {
    const tlsa = this.#sets.get(`${owner} TLSA`)?.rdata ?? [];
    const body = ledger.body(domain) ?? '';
    if (this.#chapter === 0)
      return (
        /mode: enforce/.test(body) && this.#sets.has(`_mta-sts.${domain} TXT`) && tlsa.length === 2
      );
    if (this.#chapter === 1) {
      const current = ledger.host(mx).slots.ecdsa?.current;
      const first = this.firstRecord.endsWith(current?.sha256 ?? '');
      if (current && first) await ledger.confirm(`leave:${mx}:${current.sha256}`, this.#clock.at);
      return !first && tlsa.length === 2 && !tlsa.includes(this.firstRecord);
    }
    return (
      body === '' &&
      !this.#sets.has(`_mta-sts.${domain} TXT`) &&
      !this.#sets.has(`mta-sts.${domain} CNAME`) &&
      !this.#sets.has(`_smtp._tls.${domain} TXT`) &&
      tlsa.length === 0 &&
      ledger.domain(domain).served.every(({ last }) => last !== undefined)
    );
  }

  #section(mode: 'enforce' | 'none') {
    const [key, folder] = [join(this.folder, 'server.key'), join(this.folder, 'installed')];
    return publishSection.parse({
      keys: join(this.folder, 'keys'),
      days: 1,
      leastReports: 0,
      dns: { own: { kind: 'print' } },
      hosts: {
        [mx]: {
          dns: 'own',
          ttl,
          dane: mode !== 'none',
          certificates: 'self-signed',
          adopt: [key],
          install: { folder },
        },
      },
      domains: {
        [domain]: {
          mode,
          mx: [mx],
          maxAges: [86_400],
          policyHost,
          ttl,
          reports: mode === 'none' ? [] : [reports],
          dns: 'own',
        },
      },
    });
  }

  /** Compares and sets an RRset, as a name server does (RFC 2136 §2.4). */
  #write({ name, type, from, to }: SetRrset): Promise<ActionOutcome> {
    const key = `${name} ${type}`;
    const now = this.#sets.get(key);
    const same = (a: readonly string[], b: readonly string[]): boolean =>
      [...a].sort().join('\n') === [...b].sort().join('\n');
    if (same(now?.rdata ?? [], to)) return Promise.resolve({ status: 'done' });
    if (!same(now?.rdata ?? [], from))
      return Promise.resolve({ status: 'failed', code: 'dns-update-conflict', detail: key });
    if (now) this.#cached.push({ key, rdata: now.rdata, until: this.#clock.at + ttl * 1000 });
    if (to.length > 0) this.#sets.set(key, { rdata: to, since: this.#clock.at });
    else this.#sets.delete(key);
    return Promise.resolve({ status: 'done' });
  }

  /**
   * Returns the key that the server presents. The server reads the file at each
   * connection.
   */
  #shownKey(): KeyObject {
    const installed = join(this.folder, 'installed', 'ecdsa', 'key.pem');
    const pem = readFileSync(
      existsSync(installed) ? installed : join(this.folder, 'server.key'),
      'utf8',
    );
    if (this.#read?.pem !== pem) this.#read = { pem, key: createPublicKey(pem) };
    return this.#read.key;
  }

  /** Returns the target of an alias, or the name itself. */
  #target(name: Name): Name {
    const target = this.#sets.get(`${name.toLower()} CNAME`)?.rdata[0];
    return target === undefined ? name : Name.of(target.replace(/\.$/, ''));
  }

  #recordsOf(name: Name, type: number): readonly ResourceRecord[] {
    return [...this.#sets].flatMap(([key, { rdata }]) =>
      rdata.flatMap((data) => {
        const [at = '', kind = ''] = key.split(' ');
        const parsed = parseRecord(`${at}. ${ttl} ${kind} ${data}`, { defaultTtl: ttl });
        return parsed.ok && parsed.value.type === type && parsed.value.name.equals(name)
          ? [parsed.value]
          : [];
      }),
    );
  }

  #observer(): Observer {
    const { network } = this;
    const resolver: Resolver = {
      health: () => ({ upstreams: [] }),
      ask: (name, type) => {
        const target = this.#target(name);
        const records = this.#recordsOf(target, type);
        const status = records.length > 0 ? 'found' : 'nodata';
        return Promise.resolve({
          question: { name, type },
          status,
          dnssec: 'secure',
          records,
          canonicalName: target,
          aliases: [],
          ttl,
        });
      },
    };
    return {
      network: {
        dial: (request) => network.dial(request),
        exchange: ({ query, to }) =>
          Promise.resolve({ ok: true, bytes: this.#answer(query), from: to }),
      },
      resolver,
      trustStore: trustStore(anchors.ok ? [anchors.value] : []),
      clock: this.#clock,
      httpsPort: 443,
      zone: () =>
        Promise.resolve({
          apex: Name.of(domain),
          servers: [{ address: serverAddress, port: 53, label: serverAddress }],
        }),
      probe: () => Promise.resolve(this.#mailHost()),
      reports: () => Promise.resolve([]),
    };
  }

  #answer(query: Uint8Array): Uint8Array {
    const decoded = decodeMessage(query);
    const [question] = decoded.ok ? decoded.value.questions : [];
    if (!decoded.ok || !question) throw new TypeError('no question');
    const aliases = this.#recordsOf(question.name, RRType.CNAME);
    const answers = aliases.length > 0 ? aliases : this.#recordsOf(question.name, question.type);
    return encodeMessage({
      ...decoded.value,
      response: true,
      authoritative: true,
      rcode: Rcode.NOERROR,
      answers,
    });
  }

  #mailHost(): MailHost {
    const { sha256 } = serverKey('', this.#shownKey());
    const certificates = [
      { chain: 'trusted', validity: 'valid', nameMatch: 'match', spkiSha256: sha256 },
    ];
    return {
      name: mx,
      addresses: [{ ip: '192.0.2.25', status: 'reachable', starttls: 'offered', certificates }],
    } as unknown as MailHost;
  }
}
