import { createPrivateKey } from 'node:crypto';
import { answerHello, type ResponderConfig } from '../src/lab/index.js';
import { createCa, generateKey, issue } from '../src/pki/index.js';
import {
  buildClientHello,
  FlightReader,
  groups12,
  groups13,
  helloFor,
  nextQuestion,
  only,
  infer,
  readClientHello,
  readSsl2ServerHello,
  suites12,
  suites13,
  summarise,
  type HelloVersion,
  type TlsQuestion,
} from '../src/tls/index.js';
import type { Random } from './random.js';

/**
 * A reader stores no more than its limit, so a run of any length stays below this value.
 */
const MEMORY = 400 * 1024 * 1024;

/**
 * Sends random and damaged server flights, in pieces, through the readers of TLS and
 * SSLv2, and their results through the reasoning of the prober. No reader throws, and no
 * reader stores more than its limit.
 */
export function fuzz(count: number, random: Random): string {
  const flights = seeds();
  const states: Record<string, number> = {};
  let most = 0;
  for (let i = 0; i < count; i++) {
    const bytes = random.once(8)
      ? random.bytes(random.once(2000) ? 300_000 : random.below(200))
      : random.damage(random.pick(flights));
    const reader = new FlightReader();
    for (let at = 0; at < bytes.length;) {
      const length = random.once(3) ? 1 + random.below(bytes.length) : bytes.length;
      reader.push(bytes.subarray(at, at + length));
      at += length;
    }
    states[reader.state] = (states[reader.state] ?? 0) + 1;
    readSsl2ServerHello(bytes);
    if (i % 64 === 0) {
      readClientHello(bytes);
      reason(reader, random.pick(questions));
    }
    if (i % 4096 === 0) most = Math.max(most, process.memoryUsage.rss());
  }
  if (most > MEMORY) throw new Error(`${most} octets of memory`);
  const ends = Object.entries(states).map(([state, n]) => `${n} ${state}`);
  return `${ends.join(', ')}; at most ${Math.round(most / 1024 / 1024)} MiB`;
}

function ask(
  version: HelloVersion,
  suites: readonly number[],
): Extract<TlsQuestion, { kind: 'hello' }> {
  return {
    kind: 'hello',
    topic: 'tls12',
    version,
    suites,
    groups: version === 'TLSv1.3' ? groups13 : groups12,
    schemes: [0x0401, 0x0403],
  };
}

const questions = [
  ask('TLSv1.3', suites13),
  ask('TLSv1.2', suites12),
  ask(
    'TLSv1.2',
    only(suites12, (s) => s.keyExchange === 'DHE'),
  ),
  ask(
    'TLSv1.2',
    only(suites12, (s) => s.authentication === 'ECDSA'),
  ),
  ask(
    'TLSv1',
    only(suites12, (s) => s.export && s.keyExchange === 'RSA'),
  ),
  ask('SSLv3', suites12),
];

/** Returns one flight of every kind that a server can send, refusals included. */
function seeds(): readonly Uint8Array[] {
  const ca = createCa({ name: 'Seeds' });
  const certificates = (['rsa-2048', 'p256'] as const).map((kind) => {
    const { chain, keyPem } = issue(ca, { names: ['mx.example'], key: generateKey(kind) });
    return { chain, key: createPrivateKey(keyPem) };
  });
  const config: ResponderConfig = {
    versions: [0x0300, 0x0301, 0x0302, 0x0303, 0x0304],
    suites: [...suites13, ...suites12],
    groups: [29, 23],
    certificates,
  };
  const flights = questions.flatMap((question) => {
    const hello = readClientHello(
      buildClientHello(helloFor(question, new Uint8Array(64), 'mx.example')),
    );
    return hello && hello !== 'more' ? [answerHello(config, hello).bytes] : [];
  });
  if (flights.length < questions.length) throw new Error('a seed is missing');
  return [
    ...flights,
    Uint8Array.of(21, 3, 3, 0, 2, 2, 40),
    Uint8Array.of(0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0),
  ];
}

/** Checks that the plan and the summary accept any answer of a server. */
function reason({ flight }: FlightReader, question: TlsQuestion): void {
  const log = [
    {
      question,
      answer: flight.hello ? ({ kind: 'hello', flight } as const) : ({ kind: 'refused' } as const),
    },
  ];
  summarise(infer(log));
  for (const inventory of [true, false]) nextQuestion(log, { inventory, asks: [{ kind: 'dhe' }] });
}
