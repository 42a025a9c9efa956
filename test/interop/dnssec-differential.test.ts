import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { decodeMessage, encodeMessage, parseRecord, typeName } from '../../src/dns/index.js';
import { DamagedWorld, dataOf, readReply, type Question, type Verdict } from './differential.js';
import { freePort } from '../support/free-port.js';
import { runProgram } from './process.js';
import { Unbound } from './unbound.js';

/** `npm run interop -- differential --count 1000000` is the longer run. */
const count = Number(process.env['HERMETIC_COUNT'] ?? 100_000);
const seed = Number(process.env['HERMETIC_SEED'] ?? 1);
let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'hermetic-differential-'))));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Asks a resolver over UDP, with a few queries at the same time. */
async function askAll(
  port: number,
  questions: readonly Question[],
  inFlight = 32,
): Promise<(Verdict | undefined)[]> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const waiting = new Map<number, (reply: Verdict | undefined) => void>();
  socket.on('message', (bytes) => {
    const decoded = decodeMessage(bytes);
    const asked = decoded.ok ? decoded.value.questions[0] : undefined;
    if (decoded.ok && asked) waiting.get(decoded.value.id)?.(readReply(decoded.value, asked.type));
  });
  const verdicts: (Verdict | undefined)[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < questions.length; i = next++) {
      const question = questions[i];
      if (!question) return;
      const id = i & 0xffff;
      const query = encodeMessage({
        id,
        response: false,
        opcode: 0,
        authoritative: false,
        truncated: false,
        recursionDesired: true,
        recursionAvailable: false,
        authenticData: true,
        checkingDisabled: false,
        rcode: 0,
        questions: [{ name: question.name, type: question.type, class: 1 }],
        answers: [],
        authorities: [],
        additionals: [],
        edns: { version: 0, udpSize: 4096, dnssecOk: true, options: [] },
      });
      verdicts[i] = await new Promise<Verdict | undefined>((resolve) => {
        const timer = setTimeout(() => resolve(undefined), 20_000);
        waiting.set(id, (reply) => {
          clearTimeout(timer);
          resolve(reply);
        });
        socket.send(query, port, '127.0.0.1');
      });
      waiting.delete(id);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  await new Promise<void>((resolve) => socket.close(resolve));
  return verdicts;
}

const rank = { secure: 2, insecure: 1, bogus: 0, indeterminate: 0 } as const;

/**
 * The differences between the verdicts, counted by reason. A difference in which this
 * program trusts more is saved until its proof has been checked.
 */
class Tally {
  readonly #stricter = new Map<string, { n: number; example: string }>();
  readonly #proved = new Map<string, { n: number; example: string }>();
  readonly unproved: string[] = [];
  same = 0;

  /**
   * Returns true if this program trusts more than the peer and returns the true data. The
   * verdict of this program must then follow from the remaining proof alone.
   */
  add(own: Verdict, peer: Verdict, honest: string, what: string): boolean {
    if (own.dnssec === 'secure') assert.equal(own.data, honest, `other data is secure: ${what}`);
    const [ours, theirs] = [rank[own.dnssec], rank[peer.dnssec]];
    if (ours === theirs && (ours === 0 || own.data === peer.data)) this.same++;
    else if (ours > theirs) return true;
    else
      note(
        this.#stricter,
        `${own.dnssec}${own.reason && ` (${own.reason})`}, they say ${peer.dnssec}${ours === theirs ? ' of other data' : ''}`,
        what,
      );
    return false;
  }

  /**
   * Judges a verdict that trusts more than the peer's. `rest` is the peer's verdict on
   * the grounds of this program's verdict; if the latter is insecure, on the absent DS.
   */
  stands(
    rest: Verdict | undefined,
    own: Verdict,
    refusal: Verdict,
    unsigned: boolean,
    what: string,
  ): void {
    const holds =
      own.dnssec === 'secure'
        ? rest?.dnssec === 'secure' && rest.data === own.data
        : unsigned && rest !== undefined && ['nodata', 'nxdomain'].includes(rest.data);
    if (holds) note(this.#proved, `${own.dnssec}, they say ${refusal.reason}`, what);
    else
      this.unproved.push(
        `${what}: ours ${own.dnssec} ${own.data}, theirs ${refusal.reason}, and of the rest ${rest?.dnssec} ${rest?.reason} ${rest?.data}`,
      );
  }

  print(peer: string): void {
    const rows = (of: Map<string, { n: number; example: string }>): void => {
      for (const [key, { n, example }] of [...of].sort(([, a], [, b]) => b.n - a.n))
        console.error(`  ${String(n).padStart(6)}  ${key}, as for: ${JSON.stringify(example)}`);
    };
    console.error(`we are stricter than ${peer}:`);
    rows(this.#stricter);
    console.error(
      `${peer} refuses a message for a part that our verdict does not rest on, and accepts the rest (or, of an insecure one, the missing DS):`,
    );
    rows(this.#proved);
  }
}

function note(
  map: Map<string, { n: number; example: string }>,
  key: string,
  example: string,
): void {
  const known = map.get(key);
  if (known) known.n++;
  else map.set(key, { n: 1, example });
}

type Ask = (questions: readonly Question[]) => Promise<(Verdict | undefined)[]>;

/**
 * Sends the questions of damaged worlds to this program and a peer up to a number of
 * questions; `inWorld` returns the function that queries the peer.
 */
async function compare(
  peer: string,
  total: number,
  inWorld: (damaged: DamagedWorld, upstream: number, anchorFile: string) => Promise<Ask>,
): Promise<void> {
  const tally = new Tally();
  let asked = 0;
  let silent = 0;
  for (let world = 0; asked < total; world++) {
    const damaged = new DamagedWorld(seed * 1000 + world, Date.now());
    const upstream = await freePort();
    await damaged.listen(upstream);
    const anchorFile = join(folder, 'root.key');
    writeFileSync(anchorFile, damaged.dns.anchorLine);
    const ask = await inWorld(damaged, upstream, anchorFile);
    const stride = Math.max(1, Math.floor(damaged.questions.length / (total - asked)));
    const questions = damaged.questions.filter((_, i) => i % stride === 0).slice(0, total - asked);
    asked += questions.length;
    const verdicts = await ask(questions);
    const doubtful = [];
    for (const [i, question] of questions.entries()) {
      const theirs = verdicts[i];
      if (!theirs) {
        silent++;
        continue;
      }
      const own = await damaged.own(question);
      const what = `${damaged.damageOf(question)}, ${question.name.toString()} ${typeName(question.type)}, world ${world}`;
      if (tally.add(own, theirs, damaged.honest(question), what))
        doubtful.push({ question, own, theirs, what });
    }
    for (const { own } of doubtful) if (own.dnssec === 'secure') damaged.leaveOnly(own.grounds);
    const again = await ask(
      doubtful.map(({ question, own }) =>
        own.dnssec === 'secure' ? question : damaged.delegationAt(question),
      ),
    );
    doubtful.forEach(({ question, own, theirs, what }, i) =>
      tally.stands(again[i], own, theirs, damaged.mayBeUnsigned(question), what),
    );
    await damaged.close();
  }
  tally.print(peer);
  console.error(
    `${peer}: ${asked} damaged answers, ${tally.same} judged the same, ${silent} without a reply, ${tally.unproved.length} unproved`,
  );
  assert.deepEqual(tally.unproved.slice(0, 20), []);
  assert.ok(silent <= asked / 1000, `${silent} silent`);
  assert.ok(tally.same > asked * 0.7, `${tally.same} the same`);
}

test(
  `the verdict never trusts more than unbound, over ${count} damaged answers`,
  { timeout: 1_200_000 },
  () =>
    compare('unbound', count, async (_, upstream, anchorFile) => {
      const port = await freePort();
      return async (questions) => {
        const unbound = new Unbound(folder, port);
        await unbound.forward(upstream, anchorFile);
        try {
          return await askAll(port, questions);
        } finally {
          await unbound.stop();
        }
      };
    }),
);

test(
  `the verdict never trusts more than delv, over ${Math.ceil(count / 50)} damaged answers`,
  { timeout: 1_200_000 },
  () =>
    compare('delv', Math.ceil(count / 50), (damaged, upstream) => {
      const keys = join(folder, 'delv.keys');
      const [, flags, protocol, algorithm, key = ''] =
        /DNSKEY (\d+) (\d+) (\d+) (.+)/.exec(damaged.dns.anchorLine) ?? [];
      writeFileSync(
        keys,
        `trust-anchors { "." static-key ${flags} ${protocol} ${algorithm} "${key.replace(/\s/g, '')}"; };\n`,
      );
      return Promise.resolve(async (questions) => {
        const verdicts: (Verdict | undefined)[] = [];
        let next = 0;
        const worker = async (): Promise<void> => {
          for (let i = next++; i < questions.length; i = next++) {
            const question = questions[i];
            if (question) verdicts[i] = await delv(question, upstream, keys);
          }
        };
        await Promise.all([worker(), worker(), worker()]);
        return verdicts;
      });
    }),
);

/** Returns the weakest verdict of `delv`, from the comments above each record set. */
async function delv({ name, type }: Question, port: number, keys: string): Promise<Verdict> {
  const where = ['@127.0.0.1', '-p', String(port), '-a', keys, '+root=.'];
  const { out, err } = await runProgram('delv', [...where, name.toString(), typeName(type)], {
    anyStatus: true,
  });
  const told = [
    ...out.matchAll(/^; (?:negative response, )?(fully validated|unsigned answer)/gm),
  ].map(([, said]) => said);
  if (told.length === 0)
    return {
      dnssec: 'bogus',
      data: 'failed',
      reason: /resolution failed: (.*)/.exec(err)?.[1] ?? 'no verdict',
    };
  const records = out
    .split('\n')
    .filter((line) => line.split(/\s+/)[3] === typeName(type))
    .map((line) => parseRecord(line.replace(/\t+/g, ' ')))
    .flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
  const status = /NXDOMAIN/.test(out) ? 'nxdomain' : records.length > 0 ? 'found' : 'nodata';
  return {
    dnssec: told.includes('unsigned answer') ? 'insecure' : 'secure',
    data: dataOf(status, records),
    reason: '',
  };
}
