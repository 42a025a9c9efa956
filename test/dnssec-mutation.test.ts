import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { Name, compareBytes } from '../src/base/index.js';
import {
  decodeMessage,
  encodeMessage,
  formatRdata,
  formatRecord,
  parseRecord,
  RRType,
  typeNumber,
  validate,
  verifyProof,
  type DnsAnswer,
  type ProofRecords,
  type Message,
  type Proof,
  type ResourceRecord,
} from '../src/dns/index.js';
import { LabDns, type ZoneSpec } from '../src/lab/index.js';
import { parseRpl } from '../tools/replay/parse-rpl.js';
import { runScenario, type Setting } from '../tools/replay/run-scenario.js';
import { testSize } from '../test/support/test-size.js';

const now = Date.UTC(2026, 10, 23);
const records = `www A 192.0.2.1
www A 192.0.2.2
_25._tcp.mx TLSA 3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3
*.wild TXT "w"
alias CNAME www
deep.er.ent A 192.0.2.3
old DNAME www`;
const schemes = ['nsec', 'nsec3', 'nsec3-optout'] as const;
const zones: ZoneSpec[] = [
  { apex: '.', signed: { algorithm: 8 } },
  { apex: 'example', signed: { algorithm: 13 } },
  ...schemes.map((denial) => ({
    apex: `${denial}.example`,
    records,
    signed: { algorithm: denial === 'nsec' ? (15 as const) : (13 as const), denial },
  })),
  { apex: 'unsigned.example', records },
];
const dns = new LabDns(zones, now);
const questions = [
  ...schemes.flatMap((z) =>
    [
      'www A',
      '_25._tcp.mx TLSA',
      'alias A',
      'any.wild TXT',
      'any.wild A',
      'www AAAA',
      'er.ent A',
      'nothing A',
      '_25._tcp.www TLSA',
    ].map((q) => q.replace(' ', `.${z}.example `)),
  ),
  'www.unsigned.example A',
];

interface Case {
  readonly what: string;
  readonly answer: DnsAnswer;
  readonly setting: Omit<Setting, 'fetch'>;
}

async function askLab(
  question: string,
  change: (name: Name, type: number, message: Message) => Message = (_, __, m) => m,
): Promise<DnsAnswer> {
  const [name = '', type = ''] = question.split(' ');
  return validate({
    name: Name.of(name),
    type: typeNumber(type) ?? 0,
    anchors: dns.anchors,
    now,
    fetch: (n, t) => {
      const message = dns.answer(n, t);
      assert.ok(message);
      return Promise.resolve({ ok: true, message: change(n, t, message) });
    },
  });
}

async function labCases(): Promise<Case[]> {
  return Promise.all(
    questions.map(async (what) => ({
      what,
      answer: await askLab(what),
      setting: { anchors: dns.anchors, now },
    })),
  );
}

async function vectorCases(): Promise<Case[]> {
  const cases: Case[] = [];
  for (const file of readdirSync('test/vectors/unbound').filter((f) => f.endsWith('.rpl'))) {
    await runScenario(
      parseRpl(readFileSync(`test/vectors/unbound/${file}`, 'latin1')),
      (answer, setting) => {
        if (answer.dnssec === 'secure')
          cases.push({ what: `${file} ${answer.question.name.toString()}`, answer, setting });
      },
    );
  }
  return cases;
}

const again = (
  { anchors, now: at, limits, algorithms }: Case['setting'],
  proof: Proof,
): Promise<DnsAnswer> =>
  verifyProof(proof, anchors, at, {
    ...(limits ? { limits } : {}),
    ...(algorithms ? { algorithms } : {}),
  });

const dataOf = (answer: DnsAnswer): string =>
  `${answer.status} ${answer.records.map(formatRdata).sort().join(' | ').toLowerCase()}`;

/**
 * In the zone of these vectors, the signed NSEC denies the wildcard of the zone's own
 * answer. Without that answer the message is a valid denial.
 */
const contradictory = /^val_cnamewcto(pos|neg)/;

/**
 * Omits each record, and changes one octet of the data, the owner or the time to live of
 * each.
 */
function* mutants(
  proof: Proof,
  stride: number,
): Generator<{ what: string; ttlOnly: boolean; proof: Proof }> {
  const put = (g: number, section: 'answers' | 'authorities', lines: readonly string[]): Proof => ({
    ...proof,
    grounds: proof.grounds.map((ground, i): ProofRecords =>
      i === g ? { ...ground, [section]: lines } : ground,
    ),
  });
  for (const [g, ground] of proof.grounds.entries()) {
    for (const section of ['answers', 'authorities'] as const) {
      for (const [i, line] of ground[section].entries()) {
        const lines = ground[section];
        yield {
          what: `without ${line.slice(0, 60)}`,
          ttlOnly: false,
          proof: put(
            g,
            section,
            lines.filter((_, j) => j !== i),
          ),
        };
        const parsed = parseRecord(line);
        assert.ok(parsed.ok);
        const rr = parsed.value;
        const swap = (changed: ResourceRecord, what: string, ttlOnly = false) => ({
          what: `${what} of ${line.slice(0, 60)}`,
          ttlOnly,
          proof: put(
            g,
            section,
            lines.map((other, j) => (j === i ? formatRecord(changed) : other)),
          ),
        });
        const owner = Name.fromLabels([Buffer.from('x'), ...rr.name.labels.slice(1)]);
        if (owner.ok && !rr.name.isRoot) yield swap({ ...rr, name: owner.value }, 'owner');
        yield swap({ ...rr, ttl: rr.ttl + 1 }, 'time to live', true);
        for (let at = 0; at < rr.rdata.length; at += at < 24 ? 1 : stride) {
          const rdata = Uint8Array.from(rr.rdata);
          rdata[at] = (rdata[at] ?? 0) ^ 0x01;
          yield swap({ ...rr, rdata }, `octet ${at}`);
        }
      }
    }
  }
}

/**
 * The short form tries only a fraction of the mutants, a different fraction for each
 * proof.
 */
const every = testSize(10, 1);

for (const [name, make, stride, least] of [
  ['the lab', labCases, 16, 20],
  ['the vectors', vectorCases, 40, 25],
] as const) {
  test(
    `${name}: a minimal proof with one record or field changed never validates`,
    { timeout: 120_000 },
    async () => {
      const cases = (await make()).filter(
        ({ answer }) => answer.dnssec === 'secure' && answer.proof,
      );
      assert.ok(cases.length >= least, `${cases.length} secure answers`);
      let tried = 0;
      const spared: Record<string, number> = {};
      for (const { what, answer, setting } of cases) {
        const proof = answer.proof as Proof;
        const whole = await again(setting, proof);
        assert.deepEqual([whole.dnssec, dataOf(whole)], ['secure', dataOf(answer)], what);
        for (const mutant of mutants(proof, stride)) {
          if (tried++ % every !== 0) continue;
          const changed = await again(setting, mutant.proof);
          if (changed.dnssec !== 'secure') {
            assert.notEqual(changed.dnssec, 'insecure', `${what}: insecure ${mutant.what}`);
            continue;
          }
          // A time to live is not signed, but the signature limits the time: a validator
          // reduces a larger value to the signed value.
          if (contradictory.test(what) && changed.status === 'nxdomain') {
            spared['the zone denies its own wildcard'] =
              (spared['the zone denies its own wildcard'] ?? 0) + 1;
            continue;
          }
          const reason = mutant.ttlOnly
            ? 'time to live'
            : sameText(proof, mutant.proof)
              ? 'only the case of letters'
              : undefined;
          assert.ok(reason, `${what}: valid with another ${mutant.what}`);
          assert.equal(dataOf(changed).toLowerCase(), dataOf(answer).toLowerCase());
          spared[reason] = (spared[reason] ?? 0) + 1;
        }
      }
      assert.ok(tried > 2000, `${tried} mutants`);
      console.log(
        `${name}: ${cases.length} proofs, ${tried} mutants, still valid: ${JSON.stringify(spared)}`,
      );
    },
  );
}

function sameText(a: Proof, b: Proof): boolean {
  return JSON.stringify(a).toLowerCase() === JSON.stringify(b).toLowerCase();
}

/** The short form tries one in this many changes of an answer. */
const everyChange = testSize(4, 1);

/** Returns single changes of a whole upstream answer. */
function* changes(message: Message): Generator<{ what: string; message: Message }> {
  for (const section of ['answers', 'authorities'] as const) {
    for (const [i, rr] of message[section].entries()) {
      const swap = (...by: ResourceRecord[]): Message => ({
        ...message,
        [section]: message[section].flatMap((other, j) => (j === i ? by : [other])),
      });
      yield { what: 'a record removed', message: swap() };
      yield { what: 'a record twice', message: swap(rr, rr) };
      for (let at = 0; at < rr.rdata.length; at += at < 20 ? 1 : 12) {
        const rdata = Uint8Array.from(rr.rdata);
        rdata[at] = (rdata[at] ?? 0) ^ 0x01;
        yield { what: 'an octet changed', message: swap({ ...rr, rdata }) };
      }
      yield {
        what: 'another type',
        message: swap({ ...rr, type: rr.type === RRType.TXT ? RRType.A : RRType.TXT }),
      };
      yield { what: 'another owner', message: swap({ ...rr, name: rr.name.parent }) };
    }
    if (message[section].length > 0)
      yield { what: `no ${section}`, message: { ...message, [section]: [] } };
  }
  for (const rcode of [0, 2, 3, 5])
    if (rcode !== message.rcode) yield { what: `rcode ${rcode}`, message: { ...message, rcode } };
}

test('an answer with one change is never secure for other data', { timeout: 120_000 }, async () => {
  const secureStill: Record<string, number> = {};
  let [made, tried] = [0, 0];
  for (const question of questions) {
    const truth = await askLab(question);
    const asked: { name: Name; type: number; message: Message }[] = [];
    await askLab(question, (name, type, message) => {
      asked.push({ name, type, message });
      return message;
    });
    for (const { name, type, message } of asked) {
      for (const { what, message: changed } of changes(message)) {
        if (made++ % everyChange !== 0) continue;
        tried++;
        const answer = await askLab(question, (n, t, m) =>
          n.equals(name) && t === type ? changed : m,
        );
        const told = `${question}: ${what} in ${name.toString()} ${type}`;
        if (truth.dnssec === 'secure') assert.notEqual(answer.dnssec, 'insecure', told);
        if (answer.dnssec !== 'secure') continue;
        assert.equal(truth.dnssec, 'secure', told);
        // The response code is not signed: an answer with a proof of absence remains a
        // denial.
        if (what.startsWith('rcode') && truth.status !== 'found')
          assert.deepEqual(answer.records, [], told);
        else assert.equal(dataOf(answer), dataOf(truth), told);
        secureStill[what] = (secureStill[what] ?? 0) + 1;
      }
    }
  }
  assert.ok(made > 5000 && tried >= made / everyChange, `${tried} of ${made} changes`);
  console.log(`${tried} changes, still secure: ${JSON.stringify(secureStill)}`);
});

test('harmless changes keep every secure answer secure: case, order, more signatures', async () => {
  for (const question of questions) {
    const truth = await askLab(question);
    if (truth.dnssec !== 'secure') continue;
    for (const harmless of [upperCase, reversed, anotherSignature, throughTheWire]) {
      const answer = await askLab(question, (_, __, message) => harmless(message));
      assert.deepEqual(
        [answer.dnssec, dataOf(answer)],
        ['secure', dataOf(truth)],
        `${question} ${harmless.name}`,
      );
    }
  }
});

const each = (
  message: Message,
  change: (records: readonly ResourceRecord[]) => readonly ResourceRecord[],
): Message => ({
  ...message,
  answers: change(message.answers),
  authorities: change(message.authorities),
});

function upperCase(message: Message): Message {
  return each(message, (all) =>
    all.map((rr) => ({ ...rr, name: Name.of(rr.name.toString().toUpperCase()) })),
  );
}

function reversed(message: Message): Message {
  return each(message, (all) => [...all].reverse());
}

function anotherSignature(message: Message): Message {
  return each(message, (all) => {
    const made = all
      .filter((rr) => rr.type === RRType.RRSIG)
      .map((rr) => ({
        ...rr,
        rdata: Uint8Array.from(rr.rdata, (o, i) => (i > 40 ? o ^ 0xff : o)),
      }));
    return [...made, ...all].sort((a, b) => compareBytes(a.rdata, b.rdata));
  });
}

function throughTheWire(message: Message): Message {
  const decoded = decodeMessage(encodeMessage(message));
  assert.ok(decoded.ok);
  return decoded.value;
}
