import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { AcmeCa, LabNetwork, validateOver, type AcmeCaHabits } from '../../../src/lab/index.js';
import type { Network } from '../../../src/net/index.js';
import { createCa, createIntermediate, issue } from '../../../src/pki/index.js';
import { openStore, type OpenStoreOptions } from '../../../src/store/index.js';
import { parseCertificate, trustStore } from '../../../src/x509/index.js';
import type { SetRrset } from '../../../src/publish/actions.js';
import type { CrashInjector } from './crash-injection.js';
import { KeyRing } from '../../../src/publish/keys/key-ring.js';
import { openAcmeStore } from '../../../src/publish/issue/acme-store.js';
import type { AcmeServer } from '../../../src/acme/session.js';
import { Issuer, type IssuerOptions } from '../../../src/publish/issue/issuer.js';
import type { ChallengeType } from '../../../src/acme/challenge.js';
import { locateRecord } from '../../../src/publish/dns/locate-record.js';
import {
  dnsSolver,
  persistentDnsSolver,
  type TextRecords,
} from '../../../src/publish/issue/dns-solver.js';
import { WebSolver } from '../../../src/publish/issue/web-solver.js';
import { FakeClock } from '../fake-clock.js';

const root = createCa({ name: 'Lab Root' });
const issuer = createIntermediate(root, { name: 'Lab Issuer', pathLength: 0 });
const host = 'ca.lab.example';
const [caAddress, ourAddress] = ['192.0.2.40', '192.0.2.41'];

/**
 * Starts a CA, a web server that it reaches under every name, and a clock whose sleep
 * returns at once. `database`: the file and its options; by default it is in memory.
 */
export async function acmeWorld(
  habits: Partial<AcmeCaHabits> = {},
  database: { readonly file?: string } & OpenStoreOptions = {},
) {
  const network = new LabNetwork();
  const clock = new FakeClock();
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-acme-'));
  const ring = new KeyRing(join(folder, 'keys'));
  const [http, alpn] = [new WebSolver('http-01'), new WebSolver('tls-alpn-01')];
  const texts = new Map<string, readonly string[]>();
  const aliases = new Map<string, string>();
  const web = createServer((request, response) => {
    const text = http.textFor(request.headers.host ?? '', request.url?.split('/').at(-1) ?? '');
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await network.listenTcp(ourAddress, 80, (socket) => web.emit('connection', socket));
  await network.listenTcp(ourAddress, 443, (socket) => {
    const secured = new TLSSocket(socket, {
      isServer: true,
      ALPNProtocols: ['acme-tls/1'],
      SNICallback: (name, done) => done(null, alpn.contextFor(name)),
    });
    secured.on('error', () => socket.destroy());
  });
  const ca = new AcmeCa({
    issuer,
    host,
    certificate: issue(root, {
      names: [host],
      notBefore: clock.now() - 86_400_000,
      notAfter: clock.now() + 3650 * 86_400_000,
    }),
    validate: validateOver(
      network,
      () => ourAddress,
      (name) => (texts.get(name) ?? []).map((text) => text.slice(1, -1)),
      (name) => aliases.get(name),
    ),
    now: () => clock.now(),
    habits,
  });
  await network.listenTcp(caAddress, 443, ca.serve);
  const anchor = parseCertificate(root.der);
  if (!anchor.ok) throw new TypeError('no root');
  const server: AcmeServer = {
    directory: ca.directory,
    network,
    addressesOf: () => Promise.resolve([caAddress]),
    anchors: trustStore([anchor.value]),
    clock,
  };
  const write = ({ name, from, to }: SetRrset) => {
    if (aliases.has(name)) throw new TypeError(`${name} is an alias`);
    if ((texts.get(name) ?? []).join() !== from.join())
      return Promise.resolve({
        status: 'failed',
        code: 'dns-update-conflict',
        detail: name,
      } as const);
    texts.set(name, to);
    return Promise.resolve({ status: 'done' } as const);
  };
  /** Two entries of `publish.dns`. */
  const zones = Object.fromEntries(
    ['example.com', 'dynamic.example'].map((zone) => [
      zone,
      { kind: 'hook', command: ['-'], zone } as const,
    ]),
  );
  const place: TextRecords['locate'] = (name) =>
    locateRecord(name, 'example.com', zones, (at) => Promise.resolve(aliases.get(at)));
  const records: TextRecords = {
    locate: place,
    write,
    lookup: (name) => Promise.resolve([texts.get(name) ?? []]),
    clock,
  };
  const store = await openStore(database.file ?? ':memory:', database);
  return {
    ca,
    server,
    ring,
    texts,
    /** The alias target of each name. A name with an alias has no other records. */
    aliases,
    clock,
    store,
    /** Simulates a restart of the process: only the state on disk remains. */
    certifier: (
      options: Partial<IssuerOptions> & { type?: ChallengeType; mortal?: CrashInjector } = {},
    ) =>
      new Issuer({
        server: { ...server, network: options.mortal ? dying(network, options.mortal) : network },
        store: openAcmeStore(options.mortal?.store(store) ?? store),
        ring: new KeyRing(ring.folder, options.mortal?.disk),
        solvers: [http, alpn, dnsSolver(records), persistentDnsSolver(records)].filter(
          ({ type }) => type === (options.type ?? 'http-01'),
        ),
        contact: [],
        random: () => 0.5,
        ...options,
      }),
    async close() {
      store.close();
      await network.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Returns a network in which every request is a step. A crash before the step sends no
 * request.
 */
function dying(network: Network, injector: CrashInjector): Network {
  return {
    dial: (request) => injector.step(() => network.dial(request)),
    exchange: (request) => injector.step(() => network.exchange(request)),
  };
}

export type AcmeWorld = Awaited<ReturnType<typeof acmeWorld>>;
