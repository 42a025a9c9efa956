import { Name } from '../src/base/index.js';
import {
  decodeMessage,
  encodeMessage,
  formatRdata,
  typeNumber,
  validate,
  type CachedZone,
  type Message,
  type DnsAnswer,
} from '../src/dns/index.js';
import { LabDns } from '../src/lab/index.js';
import type { Random } from './random.js';

const now = Date.UTC(2026, 10, 23);
const records = `www A 192.0.2.1
_25._tcp.mx TLSA 3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3
*.wild TXT "w"
alias CNAME www
deep.er.ent A 192.0.2.3
old DNAME www`;
const asked = [
  'www A',
  '_25._tcp.mx TLSA',
  'alias A',
  'any.wild TXT',
  'any.wild A',
  'er.ent A',
  'nothing A',
  'x.old A',
  'www AAAA',
];

const dataOf = (answer: DnsAnswer): string =>
  `${answer.status} ${answer.canonicalName.key} ${answer.records.map(formatRdata).sort().join(' | ').toLowerCase()}`;

/**
 * Maximum milliseconds for one question: far above the specified 20 ms, so that a busy
 * machine fails only on a hang.
 */
const TOO_LONG = 3_000;

/**
 * Sends damaged messages through the codec and the validator. Neither may throw or hang,
 * and memory stays bounded. One damaged message never makes other data secure, nor a
 * signed name insecure.
 */
export async function fuzz(count: number, random: Random): Promise<string> {
  const dns = new LabDns(
    [
      { apex: '.', signed: { algorithm: 8 } },
      { apex: 'example', signed: { algorithm: 13 } },
      ...(['nsec', 'nsec3', 'nsec3-optout'] as const).map((denial) => ({
        apex: `${denial}.example`,
        records,
        signed: { algorithm: denial === 'nsec' ? (15 as const) : (13 as const), denial },
      })),
    ],
    now,
  );
  const honest = new Map<string, Uint8Array>();
  const wire = (name: Name, type: number): Uint8Array => {
    const key = `${type} ${name.key}`;
    const message = dns.answer(name, type);
    let bytes = honest.get(key);
    if (!bytes && message) honest.set(key, (bytes = encodeMessage(message)));
    if (!bytes) throw new Error(`no answer to ${key}`);
    return bytes;
  };
  const ask = (
    question: string,
    change: Map<string, Message>,
    cache?: Map<string, CachedZone>,
    seen?: Set<string>,
  ): Promise<DnsAnswer> => {
    const [name = '', type = ''] = question.split(' ');
    return validate({
      name: Name.of(name),
      type: typeNumber(type) ?? 0,
      anchors: dns.anchors,
      now,
      ...(cache ? { cache } : {}),
      fetch: (n, t) => {
        const key = `${t} ${n.key}`;
        seen?.add(key);
        const decoded = change.get(key) ?? readable(wire(n, t));
        return Promise.resolve({ ok: true, message: decoded });
      },
    });
  };

  const questions = ['nsec', 'nsec3', 'nsec3-optout'].flatMap((zone) =>
    asked.map((q) => q.replace(' ', `.${zone}.example `)),
  );
  const cases = [];
  for (const question of questions) {
    const fetched = new Set<string>();
    const answer = await ask(question, new Map(), undefined, fetched);
    if (answer.dnssec !== 'secure' && !question.includes('optout'))
      throw new Error(`${question} is ${answer.dnssec} without damage`);
    const warm = new Map<string, CachedZone>();
    await ask(question, new Map(), warm);
    cases.push({
      question,
      data: dataOf(answer),
      dnssec: answer.dnssec,
      fetched: [...fetched],
      warm,
    });
  }

  const told: Record<string, number> = {};
  let unreadable = 0;
  let begun = 0;
  for (let i = 0; i < count; i++) {
    if (i === Math.floor(count / 10)) begun = process.memoryUsage().rss;
    const { question, data, dnssec, fetched, warm } = random.pick(cases);
    const target = random.pick(fetched);
    const bytes = random.damage(honest.get(target) ?? new Uint8Array());
    const decoded = decodeMessage(bytes);
    if (!decoded.ok) {
      unreadable++;
      continue;
    }
    encodeMessage(decoded.value);
    const started = performance.now();
    // Cold questions repeat most of their work, so only one question in four is cold.
    const cache = i % 4 === 0 ? undefined : new Map(warm);
    if (cache && !target.endsWith(question.split(' ')[0] ?? ''))
      for (const zone of [...cache.keys()]) if (random.once(3)) cache.delete(zone);
    const answer = await ask(question, new Map([[target, decoded.value]]), cache);
    const how = `${question}, ${target} replaced by ${Buffer.from(bytes).toString('hex')}`;
    if (performance.now() - started > TOO_LONG)
      throw new Error(`took ${Math.round(performance.now() - started)} ms: ${how}`);
    if (answer.dnssec === 'secure' && dataOf(answer) !== data)
      throw new Error(`other data is secure (${dataOf(answer)}): ${how}`);
    if (answer.dnssec === 'insecure' && dnssec !== 'insecure')
      throw new Error(`a signed name is insecure: ${how}`);
    told[answer.dnssec] = (told[answer.dnssec] ?? 0) + 1;
  }
  const grown = (process.memoryUsage().rss - begun) / 2 ** 20;
  if (grown > 200) throw new Error(`memory grew by ${grown.toFixed(0)} MiB`);
  const counts = Object.entries(told).map(([status, n]) => `${n} ${status}`);
  return `${unreadable} unreadable, ${counts.join(', ')}; memory ${grown < 1 ? 'did not grow' : `grew by ${grown.toFixed(0)} MiB`}`;
}

function readable(bytes: Uint8Array): Message {
  const decoded = decodeMessage(bytes);
  if (!decoded.ok) throw new Error(decoded.failure.code);
  return decoded.value;
}
