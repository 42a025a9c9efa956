import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createLab, type Lab } from '../../src/lab/index.js';
import { createCa, issue, type Issued } from '../../src/pki/index.js';
import { openStore, verifyStore } from '../../src/store/index.js';
import { openAlarms, readWatch, unsentAlarms, watchMessageSchema } from '../../src/watch/index.js';
import { ownNetwork } from './own-network.js';
import { until } from './process.js';

ownNetwork([]);

const ROUNDS = 20;
/**
 * Milliseconds between two starts. With jitter, an interval of one hour lasts at most 66
 * minutes.
 */
const STEP = 70 * 60_000;
const domains = ['good.example', 'sts-only.example'] as const;
/** A name of the lab, which receives the alarms. */
const receiverName = 'www.lab.example';
const receiverPort = 8443;

/**
 * The instant of a kill. Around the receiver's answer, the daemon has not yet recorded
 * that the receiver accepted the alarm.
 */
type Moment = 'between checks' | 'before the answer' | 'after the answer';
const moments: readonly Moment[] = ['between checks', 'before the answer', 'after the answer'];

/** The kinds of alarm that one fault causes. */
type Kind = 'added' | 'ended';

interface Arrival {
  readonly id: string;
  readonly kind: string;
  readonly domain: string;
}

/** A webhook that saves every alarm that arrives, repetitions included. */
class Receiver {
  readonly arrivals: Arrival[] = [];
  beforeAnswer: () => void = () => undefined;
  afterAnswer: () => void = () => undefined;
  readonly #server: Server;

  constructor({ chainPem: cert, keyPem: key }: Pick<Issued, 'chainPem' | 'keyPem'>) {
    this.#server = createServer({ cert, key }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (bytes: Buffer) => chunks.push(bytes));
      request.on('end', () => {
        const message: unknown = JSON.parse(Buffer.concat(chunks).toString());
        this.arrivals.push(...watchMessageSchema.parse(message).alarms);
        this.beforeAnswer();
        response.writeHead(204).end(() => this.afterAnswer());
      });
      request.on('error', () => undefined);
    });
  }

  async listen(address: string): Promise<void> {
    this.#server.listen(receiverPort, address);
    await once(this.#server, 'listening');
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** A `hermetic serve` whose wall clock is ahead of the machine's. */
class Daemon {
  log = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(folder: string, ahead: number) {
    const file = (name: string): string => join(folder, name);
    const program = ['dist/src/cli/main.js', 'serve', '--config', file('hermetic.yaml')];
    this.#child = spawn(process.execPath, ['--import', file('clock.mjs'), ...program], {
      env: { ...process.env, AHEAD_MS: String(ahead) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (bytes: Buffer): void => void (this.log += bytes.toString());
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#ended = once(this.#child, 'exit');
  }

  /** Returns the number of checks whose result is stored. */
  get checks(): number {
    return this.log.match(/watch-check/g)?.length ?? 0;
  }

  /**
   * Returns whether the daemon has checked every domain and the receiver has accepted the
   * resulting alarms.
   */
  get hasDelivered(): boolean {
    if (this.checks < domains.length) return false;
    return !/watch-alarm\b(?!-)/.test(this.log) || this.log.includes('watch-alarm-sent');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }
}

/** A watch process that the test kills and restarts. */
class KilledWatch {
  readonly kills: Moment[] = [];
  #starts = 0;
  /** Identifiers that the daemon has marked as accepted and must not send again. */
  readonly #marked = new Set<string>();

  constructor(
    private readonly folder: string,
    private readonly receiver: Receiver,
  ) {}

  /** Runs the daemon without a kill until all alarms are delivered. */
  async runOnce(): Promise<void> {
    this.#forgetMoments();
    const from = this.receiver.arrivals.length;
    const daemon = this.#start();
    await until(
      'a round without a kill',
      () => Promise.resolve(daemon.hasDelivered),
      () => daemon.log,
    );
    await daemon.stop();
    this.#expectNoMarked(daemon, from);
  }

  /**
   * Asserts that the daemon repeats no message that it has marked as accepted. After a
   * kill before the mark, a repetition is allowed.
   */
  #expectNoMarked({ log }: Daemon, from: number): void {
    const ids = this.receiver.arrivals.slice(from).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'one life sends an alarm once');
    assert.deepEqual(
      ids.filter((id) => this.#marked.has(id)),
      [],
    );
    if (log.includes('watch-alarm-sent')) for (const id of ids) this.#marked.add(id);
  }

  /**
   * Starts and kills the daemon until the receiver has an alarm of this kind for every
   * domain. Returns the identifiers of the alarms that arrived for the first time.
   */
  async untilReported(kind: Kind): Promise<readonly string[]> {
    const known = new Set(this.receiver.arrivals.map(({ id }) => id));
    const arrived = (): readonly Arrival[] =>
      this.receiver.arrivals.filter((alarm) => alarm.kind === kind && !known.has(alarm.id));
    while (new Set(arrived().map(({ domain }) => domain)).size < domains.length) {
      assert.ok(this.#starts < 5 * ROUNDS, `${kind}: an alarm was lost`);
      await this.#round();
    }
    return [...new Set(arrived().map(({ id }) => id))];
  }

  /** Runs the daemon once; it checks each domain at most once. */
  async #round(): Promise<void> {
    const moment = moments[this.kills.length % moments.length] ?? 'between checks';
    const from = this.receiver.arrivals.length;
    const daemon = this.#start();
    let killed: Promise<void> | undefined;
    const kill = (): void => void (killed ??= daemon.kill());
    this.#forgetMoments();
    if (moment === 'before the answer') this.receiver.beforeAnswer = kill;
    if (moment === 'after the answer') this.receiver.afterAnswer = kill;
    const checks = Math.floor(Math.random() * (domains.length + 1));
    const isOver = (): boolean =>
      killed !== undefined ||
      (moment === 'between checks' ? daemon.checks >= checks : daemon.hasDelivered);
    await until(
      'the end of a round',
      () => Promise.resolve(isOver()),
      () => daemon.log,
    );
    kill();
    await killed;
    this.#expectNoMarked(daemon, from);
    this.kills.push(moment);
  }

  #start(): Daemon {
    return new Daemon(this.folder, ++this.#starts * STEP);
  }

  #forgetMoments(): void {
    this.receiver.beforeAnswer = () => undefined;
    this.receiver.afterAnswer = () => undefined;
  }
}

/** Exposes the lab, and writes the files of the daemon. */
async function prepare(
  lab: Lab,
  folder: string,
): Promise<{ readonly address: string; readonly certificate: Issued }> {
  const { resolver, anchorLine } = await lab.expose();
  const dns = new Resolver();
  dns.setServers([resolver.address]);
  const [address] = await dns.resolve4(receiverName);
  assert.ok(address);
  const ca = createCa({ name: 'Webhook CA' });
  const files = {
    anchor: `${anchorLine}\n`,
    'roots.pem': lab.rootPem + ca.certPem,
    'clock.mjs': `const machine = Date.now.bind(Date);
Date.now = () => machine() + Number(process.env.AHEAD_MS);
`,
    'hermetic.yaml': `resolver: {addresses: ['${resolver.address}'], trustAnchor: ${folder}/anchor}
roots: {replace: ${folder}/roots.pem}
network: {privateAddresses: allow}
store: {file: ${folder}/hermetic.db}
watch:
  domains: [${domains.join(', ')}]
  everyHours: 1
  notify: {webhook: 'https://${receiverName}:${receiverPort}/alarms'}
`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { address, certificate: issue(ca, { names: [receiverName] }) };
}

test(`a daemon killed ${ROUNDS} times loses no alarm and reports no fault twice`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-watch-crash-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const lab = await createLab();
  t.after(() => lab.close());
  const { address, certificate } = await prepare(lab, folder);
  const receiver = new Receiver(certificate);
  await receiver.listen(address);
  t.after(() => receiver.close());
  const watch = new KilledWatch(folder, receiver);
  // The first conclusive check stores the state without faults as the known state.
  await watch.runOnce();
  const reported: string[] = [];
  const expectOneEach = async (kind: Kind): Promise<void> => {
    const ids = await watch.untilReported(kind);
    assert.equal(ids.length, domains.length, `one alarm for each domain: ${ids.join()}`);
    reported.push(...ids);
  };
  while (watch.kills.length < ROUNDS) {
    const attacks = await Promise.all(
      domains.map((domain) => lab.attack(domain, 'policy-not-found')),
    );
    await expectOneEach('added');
    for (const end of attacks) end();
    await expectOneEach('ended');
  }
  await watch.runOnce();

  const ids = receiver.arrivals.map(({ id }) => id);
  assert.deepEqual([...new Set(ids)].sort(), reported.sort());
  const store = await openStore(join(folder, 'hermetic.db'));
  t.after(() => store.close());
  assert.deepEqual(unsentAlarms(store, 'webhook'), []);
  assert.deepEqual(Object.values(readWatch(store).domains).map(openAlarms), [0, 0]);
  assert.deepEqual(verifyStore(store), []);
  const repeated = ids.length - reported.length;
  t.diagnostic(`${watch.kills.length} kills, ${reported.length} alarms, ${repeated} repeated`);
});
