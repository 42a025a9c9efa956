import { probeLog, type AddressEvidence, type ConnectionEvidence } from '../../evidence/index.js';
import { nextQuestion, infer, runProbes } from '../../tls/index.js';
import { handshakeFailed, insideTls, isMissing, refusesTls } from '../grade/session.js';
import type { ProbeContext } from './context.js';
import { probeConnection, type ProbePurpose } from './probe-connection.js';
import type { ConnectionBudget } from './connection-limiter.js';

/**
 * A connection that takes `times` as long as the first one, and longer than
 * `milliseconds`, counts as a tarpit: the server delays this client on purpose.
 */
const TARPIT = { times: 3, milliseconds: 10_000 };

/**
 * Maximum number of repeated questions of one prober run, after connections without
 * STARTTLS or with a refusal of TLS.
 */
const RETRIES = 2;

/**
 * One address of a mail host. `serverName` is the name in SNI, by default the host.
 */
export interface ProbeTarget {
  readonly host: string;
  readonly ip: string;
  readonly serverName?: string;
}

/**
 * Probes one address: first a completed handshake, then one connection for each open
 * question, one without SNI and one for each sender. The connections are sequential and
 * within the budget. Probing stops at a server that refuses connections or delays them
 * (`stopped`). `known` contains connections of an earlier run, whose answers are reused.
 * Rejects only with the signal's reason.
 */
export async function probeSmtp(
  context: ProbeContext,
  { host, ip, serverName = host }: ProbeTarget,
  connectionBudget: ConnectionBudget,
  known: readonly ConnectionEvidence[] = [],
): Promise<AddressEvidence> {
  const { goals, senders, intrusive, clock, signal, spacingMs } = context;
  if (connectionBudget.remaining <= 0)
    return { ip, status: 'inconclusive', reason: 'net-budget', connections: [] };
  const earlier = known
    .filter(({ probe, withoutSni, injection }) => probe ?? withoutSni ?? injection)
    .map((connection): ConnectionEvidence => ({ ...connection, earlier: true }));
  const probe = (purpose: ProbePurpose): Promise<ConnectionEvidence> => {
    connectionBudget.consume();
    return probeConnection(context, { address: ip, serverName, purpose });
  };
  let first = await probe('handshake');
  // The guard refused the address, so no connection was opened.
  if (first.dial !== 'open' && first.dial.code === 'net-guarded')
    return { ip, ...statusOf(first), connections: [] };
  const connections = [first, ...earlier];
  // A load balancer may have servers with and without STARTTLS behind one address, so one
  // missing offer, one refusal or one failed handshake proves nothing.
  if (goals && failsForGood(first) && connectionBudget.remaining > 1) {
    if (spacingMs > 0) await clock.sleep(spacingMs, signal);
    const second = await probe('handshake');
    connections.push(second);
    if (wentFurther(second, first)) first = second;
  }
  const address = { ip, ...statusOf(first) };
  if (
    !goals ||
    first.starttls !== 'offered' ||
    insideTls(first) === 'unknown' ||
    !(first.handshake ?? handshakeFailed(first.failure?.code))
  )
    return { ...address, connections };

  const ask = async (purpose: ProbePurpose): Promise<ConnectionEvidence> => {
    if (spacingMs > 0) await clock.sleep(spacingMs, signal);
    context.progress(`${host} [${ip}] connection ${connections.length - earlier.length + 1}`);
    const connection = await probe(purpose);
    connections.push(connection);
    return connection;
  };
  let stopped: string | undefined;
  let retries = RETRIES;
  const injectionTest =
    intrusive && first.handshake && !earlier.some((connection) => connection.injection);
  // The intrusive test runs last; one connection of the budget is reserved for it.
  const reserve = injectionTest ? 1 : 0;
  const log = await runProbes({
    goals,
    budget: connectionBudget.remaining - reserve,
    log: probeLog(connections),
    ask: async (question) => {
      if (connectionBudget.remaining <= reserve) return { kind: 'none', reason: 'budget' };
      if (stopped !== undefined) return { kind: 'none', reason: stopped };
      let connection = await ask(question);
      while (
        (isMissing(connection.starttls) || refusesTls(connection)) &&
        retries-- > 0 &&
        connectionBudget.remaining > reserve
      )
        connection = await ask(question);
      const tlsAnswer = probeLog([connection])[0]?.answer;
      // If a large hello gets no answer, the prober repeats the question in a smaller
      // one.
      if (tlsAnswer?.kind === 'none') return tlsAnswer;
      stopped = tlsAnswer ? slowed(first, connection) : reasonOf(connection);
      return tlsAnswer ?? { kind: 'none', reason: stopped ?? '' };
    },
  });
  const open = nextQuestion(log, goals) !== undefined;
  const further: readonly ProbePurpose[] = [
    ...(earlier.some(({ withoutSni }) => withoutSni) ? [] : (['without-sni'] as const)),
    ...senders.map((sender) => ({ kind: 'sender', sender }) as const),
  ];
  const affordable = (): boolean => stopped === undefined && connectionBudget.remaining > reserve;
  for (const purpose of further)
    if (affordable()) {
      const { failure } = await ask(purpose);
      // A server may end TLS for this client after some connections, so a handshake with
      // SNI shows whether the absence of SNI was the cause.
      const isNews = first.handshake !== undefined && handshakeFailed(failure?.code);
      if (purpose === 'without-sni' && isNews && affordable()) await ask('handshake');
    }
  if (injectionTest && stopped === undefined)
    await ask(infer(log).versions['TLSv1.2'] === 'accepted' ? 'intrusion-tls12' : 'intrusion');
  if (open) stopped ??= 'budget';
  return { ...address, connections, stopped: open ? stopped : undefined };
}

function slowed(
  first: ConnectionEvidence,
  { milliseconds }: ConnectionEvidence,
): string | undefined {
  if (milliseconds > TARPIT.milliseconds && milliseconds > TARPIT.times * first.milliseconds)
    return 'smtp-tarpit';
  return undefined;
}

function reasonOf({ dial, failure, probe, starttls }: ConnectionEvidence): string {
  if (dial !== 'open') return dial.code;
  if (failure) return failure.code;
  if (probe?.answer.kind === 'none') return probe.answer.reason;
  return `starttls-${starttls}`;
}

/**
 * Derives the status of an address from its first connection. Timeouts and temporary
 * refusals prove nothing about a server, so the status is then `inconclusive`.
 */
function statusOf({
  dial,
  starttls,
  failure,
  ehlo,
}: ConnectionEvidence): Pick<AddressEvidence, 'status' | 'reason'> {
  if (dial !== 'open') {
    if (dial.code === 'net-no-route') return { status: 'skipped', reason: dial.code };
    const certain = ['net-refused', 'net-unreachable', 'net-reset', 'net-guarded'];
    const status = certain.includes(dial.code) ? 'unreachable' : 'inconclusive';
    return { status, reason: dial.code };
  }
  if (!ehlo || starttls === 'unknown')
    return { status: 'inconclusive', reason: failure?.code ?? 'smtp-no-answer' };
  return { status: 'reachable' };
}

/**
 * Returns whether the failure of TLS is of a kind that further connections usually have
 * as well.
 */
function failsForGood(connection: ConnectionEvidence): boolean {
  return (
    handshakeFailed(connection.failure?.code) ||
    isMissing(connection.starttls) ||
    refusesTls(connection) ||
    insideTls(connection) === 'refused'
  );
}

/** Returns whether the second connection passed the step that failed on the first one. */
function wentFurther(second: ConnectionEvidence, first: ConnectionEvidence): boolean {
  if (insideTls(first) === 'refused') return insideTls(second) === 'works';
  if (handshakeFailed(first.failure?.code)) return second.handshake !== undefined;
  return second.starttls === 'offered';
}
