import type { AddressEvidence, ConnectionEvidence } from '../../evidence/index.js';

const MINUTE = 60_000;

/** Pauses after an address refused a visit, in milliseconds. */
export const REST_LEVELS: readonly number[] = [15, 60, 6 * 60, 24 * 60].map(
  (minutes) => minutes * MINUTE,
);
/** Number of silent visits in succession that count as a refusal. */
const SILENT_VISITS = 3;

/** The standing of this scanner at one address. Plain JSON. */
export interface RestState {
  /** Number of rests so far, 0 to 4. */
  readonly level: number;
  /** Number of timeouts in succession. */
  readonly silent: number;
  /** An earlier visit succeeded. */
  readonly answered: boolean;
  /** The server limits connections: the spacing is doubled. */
  readonly slow: boolean;
}

/** The standing before the first visit. */
export const rested: RestState = { level: 0, silent: 0, answered: false, slow: false };

/** The consequence of one visit. */
export interface RestDecision {
  readonly state: RestState;
  /** Milliseconds for which the address is not contacted; 0 without a rest. */
  readonly restMs: number;
  /** All rests are used: the address stays inconclusive in this scan. */
  readonly isFinal: boolean;
  /** Absent if the visit was not refused. */
  readonly reason?: TurnedAway | undefined;
}

/**
 * The sign that a server refused the scanner: a reply of 421, 450 or 454, a refusal
 * before EHLO, a refused connection after an earlier success, or three timeouts in
 * succession.
 */
export type TurnedAway = 'busy' | 'refused' | 'silent';

/**
 * Decides on a rest after a visit. The rests are 15 minutes, an hour, 6 hours and a day;
 * after these the scan abandons the address. An answered visit ends the series of rests.
 */
export function decideRest(before: RestState, visit: AddressEvidence): RestDecision {
  const connection = visit.connections.at(-1);
  return nextRest(before, {
    isSilent: connection !== undefined && timedOut(connection),
    isAnswered: visit.status === 'reachable',
    limits: limitsConnections(connection),
    turnedAway: connection && reasonOf(connection, before),
  });
}

/** The results of one visit that decide whether the address rests. */
export interface VisitSigns {
  /** The server did not answer in time. */
  readonly isSilent: boolean;
  readonly isAnswered: boolean;
  /** The server asked for fewer connections. */
  readonly limits: boolean;
  readonly turnedAway?: Exclude<TurnedAway, 'silent'> | undefined;
  /** Milliseconds that the server asked for. Limited to between a minute and a day. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Returns the standing of a scanner at an address after one visit, and the rest of the
 * address.
 */
export function nextRest(before: RestState, signs: VisitSigns): RestDecision {
  const silent = signs.isSilent ? before.silent + 1 : 0;
  const reason = silent >= SILENT_VISITS ? 'silent' : signs.turnedAway;
  const slow = before.slow || signs.limits;
  if (!reason) {
    const { isAnswered } = signs;
    const level = isAnswered ? 0 : before.level;
    const state = { level, silent, answered: before.answered || isAnswered, slow };
    return { state, restMs: 0, isFinal: false };
  }
  const ladder = REST_LEVELS[before.level] ?? 0;
  const { retryAfterMs: asked } = signs;
  const restMs = ladder > 0 && asked !== undefined ? bounded(asked) : ladder;
  const level = Math.min(before.level + 1, REST_LEVELS.length);
  // The address rests after a series of timeouts, so the count starts again.
  const state = { level, silent: 0, answered: before.answered, slow };
  return { state, restMs, isFinal: ladder === 0, reason };
}

function bounded(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, MINUTE), REST_LEVELS.at(-1) ?? MINUTE);
}

function reasonOf(connection: ConnectionEvidence, state: RestState): VisitSigns['turnedAway'] {
  const { dial, failure, greeting, ehlo, starttlsReply } = connection;
  if (dial !== 'open')
    return state.answered && (dial.code === 'net-refused' || dial.code === 'net-reset')
      ? 'refused'
      : undefined;
  if (failure?.code === 'smtp-busy') return 'busy';
  if ([421, 450, 454].includes(starttlsReply?.code ?? 0)) return 'busy';
  if (failure?.code === 'smtp-refused' && !ehlo) return 'refused';
  // A server that closes the session before its greeting may block this client.
  if (failure?.code === 'smtp-closed' && !greeting && state.answered) return 'refused';
  return undefined;
}

function timedOut({ dial, failure }: ConnectionEvidence): boolean {
  if (dial !== 'open') return dial.code === 'net-timeout';
  return failure?.code === 'smtp-silent' || failure?.code === 'tls-timeout';
}

/**
 * Returns whether a reply asks for fewer connections, as a 421 about connections or rates
 * does, and not only for a pause.
 */
function limitsConnections(connection: ConnectionEvidence | undefined): boolean {
  const text = [connection?.failure?.detail, ...(connection?.greeting?.lines ?? [])].join(' ');
  return (
    connection?.failure?.code === 'smtp-busy' &&
    /too many|connection (rate|limit)|rate limit|concurren/i.test(text)
  );
}
