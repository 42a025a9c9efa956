import { probeLog, type AddressEvidence, type ConnectionEvidence } from '../../evidence/index.js';
import { nextQuestion, infer, runProbes } from '../../tls/index.js';
import { handshakeFailed } from '../grade/exposure.js';
import { insideTls, isMissing } from '../grade/session.js';
import type { ProbeContext } from './context.js';
import { converse, type ProbePurpose } from './probe-connection.js';
import type { ConnectionBudget } from './connection-limiter.js';

/**
 * A connection that takes this many times as long as the first, and longer than this, is
 * meant to keep us.
 */
const TARPIT = { times: 3, milliseconds: 10_000 };

/** Connections that a run asks again because STARTTLS was missing on one of them. */
const RETRIES = 2;

/**
 * One address of a mail host. `sni`: the name said in TLS, by default that of the host.
 */
export interface ProbeTarget {
  readonly host: string;
  readonly ip: string;
  readonly sni?: string;
}

/**
 * Looks at one address: a completed handshake first, then, for what the goals ask beyond
 * it, one connection a question, one at a time and within the budget. A server that turns
 * us away, or slows us down, is left alone from then on. `known`: connections of an
 * earlier run, whose answers are not asked for again.
 */
export async function probeSmtp(
  context: ProbeContext,
  { host, ip, sni = host }: ProbeTarget,
  purse: ConnectionBudget,
  known: readonly ConnectionEvidence[] = [],
): Promise<AddressEvidence> {
  const { goals, intrusive, clock, signal, spacingMs } = context;
  if (purse.left <= 0) return { ip, status: 'inconclusive', reason: 'net-budget', connections: [] };
  const earlier = known
    .filter((c) => c.probe ?? c.injection)
    .map((c): ConnectionEvidence => ({ ...c, earlier: true }));
  purse.spend();
  let first = await converse(context, sni, ip, 'handshake');
  // Nothing was dialled.
  if (first.dial !== 'open' && first.dial.code === 'net-guarded')
    return { ip, ...statusOf(first), connections: [] };
  const connections = [first, ...earlier];
  // A farm behind one address may hold servers without STARTTLS: one more connection
  // shows it.
  if (goals && isMissing(first.starttls) && purse.left > 1) {
    if (spacingMs > 0) await clock.sleep(spacingMs, signal);
    purse.spend();
    const second = await converse(context, sni, ip, 'handshake');
    connections.push(second);
    if (second.starttls === 'offered') first = second;
  }
  const address = { ip, ...statusOf(first) };
  if (
    !goals ||
    first.starttls !== 'offered' ||
    insideTls(first) === 'unknown' ||
    !(first.handshake ?? handshakeFailed(first.failure?.code))
  )
    return { ...address, connections };

  const spend = async (errand: ProbePurpose): Promise<ConnectionEvidence> => {
    if (spacingMs > 0) await clock.sleep(spacingMs, signal);
    purse.spend();
    context.progress(`${host} [${ip}] connection ${connections.length - earlier.length + 1}`);
    const connection = await converse(context, sni, ip, errand);
    connections.push(connection);
    return connection;
  };
  let stopped: string | undefined;
  let retries = RETRIES;
  const disturbs = intrusive && first.handshake && !earlier.some((c) => c.injection);
  // The intrusive test comes last, and its connection is kept for it.
  const reserve = disturbs ? 1 : 0;
  const log = await runProbes({
    goals,
    budget: purse.left - reserve,
    log: probeLog(connections),
    ask: async (question) => {
      if (purse.left <= reserve) return { kind: 'none', reason: 'budget' };
      if (stopped !== undefined) return { kind: 'none', reason: stopped };
      let connection = await spend(question);
      while (isMissing(connection.starttls) && retries-- > 0 && purse.left > reserve)
        connection = await spend(question);
      const answer = probeLog([connection])[0]?.answer;
      // A large hello that no server answers is asked again in a smaller one.
      if (answer?.kind === 'none') return answer;
      stopped = answer ? slowed(first, connection) : reasonOf(connection);
      return answer ?? { kind: 'none', reason: stopped ?? '' };
    },
  });
  const open = nextQuestion(log, goals) !== undefined;
  if (disturbs && stopped === undefined)
    await spend(infer(log).versions['TLSv1.2'] === 'accepted' ? 'intrusion-tls12' : 'intrusion');
  if (open) stopped ??= 'budget';
  return { ...address, connections, ...(open && stopped !== undefined ? { stopped } : {}) };
}

function slowed(
  first: ConnectionEvidence,
  { milliseconds }: ConnectionEvidence,
): string | undefined {
  return milliseconds > TARPIT.milliseconds && milliseconds > TARPIT.times * first.milliseconds
    ? 'smtp-tarpit'
    : undefined;
}

function reasonOf({ dial, failure, probe, starttls }: ConnectionEvidence): string {
  if (dial !== 'open') return dial.code;
  if (failure) return failure.code;
  if (probe?.answer.kind === 'none') return probe.answer.reason;
  return `starttls-${starttls}`;
}

/**
 * Silence and temporary refusals say nothing about a server; only what it clearly shows
 * does.
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
