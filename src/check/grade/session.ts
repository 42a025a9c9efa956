import type { AddressEvidence, ConnectionEvidence } from '../../evidence/index.js';

/**
 * The result of EHLO inside TLS. `unknown` if the server may have refused only this
 * client, for example for its rate.
 */
export type InsideTls = 'works' | 'refused' | 'unknown';

/**
 * Failure codes whose detail is text from the server: a reply, or a line that is not a
 * reply.
 */
const replies: ReadonlySet<string> = new Set([
  'smtp-garbage',
  'smtp-busy',
  'smtp-refused',
  'smtp-takes-no-mail',
  'smtp-ehlo-refused',
  'smtp-starttls-refused',
]);

/**
 * Failures inside TLS that would end another connection as well. A timeout or a 4yz reply
 * is not among them.
 */
const lasting: ReadonlySet<string> = new Set([
  'smtp-ehlo-refused',
  'smtp-refused',
  'smtp-takes-no-mail',
  'smtp-garbage',
  'smtp-too-long',
  'smtp-tls-alert',
]);

/**
 * Judges the session after a completed handshake. A sender needs the reply to EHLO inside
 * TLS before it can hand over mail [3207-4.2-2, 3207-4.2-5], so a handshake alone is not
 * sufficient: after a timeout, a closed connection or a 4yz reply the result is unknown.
 * Undefined without a handshake.
 */
export function insideTls(connection: ConnectionEvidence | undefined): InsideTls | undefined {
  if (!connection?.handshake) return undefined;
  if (connection.ehloAfterTls ?? !connection.failure) return 'works';
  if (lasting.has(connection.failure?.code ?? '')) return 'refused';
  return 'unknown';
}

/**
 * Returns the connection with the most evidence: one with a working session, otherwise
 * one with a completed handshake, otherwise the first attempt of a handshake, otherwise
 * the last connection. A server counts as working if one session worked, since senders
 * retry.
 */
export function bestConnection(
  connections: readonly ConnectionEvidence[],
): ConnectionEvidence | undefined {
  return (
    connections.find((connection) => connection.handshake && insideTls(connection) === 'works') ??
    connections.find((connection) => connection.handshake) ??
    connections.find((connection) => connection.purpose === 'handshake') ??
    connections.at(-1)
  );
}

/**
 * The number of connections to an address on which TLS worked, among all connections that
 * show whether TLS works.
 */
export interface IntermittentTls {
  readonly worked: number;
  readonly of: number;
  /** The step that failed on the other connections. */
  readonly step: 'offer' | 'command' | 'handshake' | 'session';
}

/**
 * Returns the numbers of connections with and without TLS, if both occurred in random
 * order. TLS that ends permanently may be the server's reaction to the visits of this
 * check, so a success must follow a failure.
 */
export function intermittentTls(
  connections: readonly ConnectionEvidence[],
): IntermittentTls | undefined {
  const answered = connections.filter(
    (connection) =>
      connection.earlier === undefined && connection.ehlo && connection.starttls !== 'unknown',
  );
  const offers = answered.map(({ starttls }) => !isMissing(starttls));
  const commands = answered
    .filter(({ starttls }) => !isMissing(starttls))
    .map((connection) => {
      if (refusesTls(connection)) return false;
      return connection.starttls === 'offered' ? true : undefined;
    });
  // A prober's question may fail by design, so only plain handshakes are compared.
  const plain = answered.filter(
    ({ purpose, starttls, probe }) =>
      purpose === 'handshake' && starttls === 'offered' && probe === undefined,
  );
  const handshakes = plain.map(({ handshake, failure }) => {
    if (handshake) return true;
    return handshakeFailed(failure?.code) ? false : undefined;
  });
  const sessions = plain.map((connection) => {
    const inside = insideTls(connection);
    if (inside === 'refused') return false;
    return inside === 'works' ? true : undefined;
  });
  return (
    mixed('offer', offers) ??
    mixed('command', commands) ??
    mixed('handshake', handshakes) ??
    mixed('session', sessions)
  );
}

/** Returns the counts if a success follows a failure; undefined otherwise. */
function mixed(
  step: IntermittentTls['step'],
  outcomes: readonly (boolean | undefined)[],
): IntermittentTls | undefined {
  const failed = outcomes.indexOf(false);
  if (failed < 0 || !outcomes.includes(true, failed)) return undefined;
  return { step, worked: outcomes.filter((worked) => worked).length, of: outcomes.length };
}

/**
 * Returns true when the EHLO reply lacks STARTTLS or has an overwritten keyword in its
 * place.
 */
export function isMissing(starttls: ConnectionEvidence['starttls']): boolean {
  return starttls === 'absent' || starttls === 'mangled';
}

/**
 * Returns the reply that ended a conversation, as received; undefined if the conversation
 * ended without a reply.
 */
export function replyOf(connection: ConnectionEvidence | undefined): string | undefined {
  const { failure, starttlsReply } = connection ?? {};
  if (failure && replies.has(failure.code) && failure.detail !== '') return failure.detail;
  return starttlsReply && `${starttlsReply.code} ${starttlsReply.lines[0] ?? ''}`.trim();
}

/** Returns true for a reply that refuses STARTTLS permanently. */
export function refusesTls(connection: ConnectionEvidence): boolean {
  return connection.starttls === 'refused' && !deferredTls(connection);
}

/**
 * Returns true for a 4yz reply to STARTTLS, which is temporary and proves nothing about
 * TLS at other times (RFC 3207 §4 [3207-4-4]).
 */
function deferredTls({ starttls, starttlsReply }: ConnectionEvidence): boolean {
  const code = starttlsReply?.code ?? 0;
  return starttls === 'refused' && code >= 400 && code < 500;
}

/**
 * The greeting of OpenBSD's spamd, which answers unknown clients in place of the mail
 * server and refuses their mail.
 */
const GREYLISTER = /\bspamd\b.*\bSPAM blocker\b/i;

/**
 * Returns the state of one address as a sender would see it. The recorded status is
 * corrected if the SMTP conversation shows more: a host that refuses all mail counts
 * as unreachable, and a temporary refusal leaves TLS unknown.
 */
export function standing(
  { status, reason }: AddressEvidence,
  connection: ConnectionEvidence | undefined,
): {
  readonly status: AddressEvidence['status'];
  readonly reason: string | undefined;
  readonly starttls: ConnectionEvidence['starttls'];
} {
  const starttls = connection?.starttls ?? 'unknown';
  // [7504-3-1] The host accepts no mail from any sender.
  if (connection?.failure?.code === 'smtp-takes-no-mail' && !connection.ehlo)
    return { status: 'unreachable', reason: 'smtp-takes-no-mail', starttls };
  if (connection && deferredTls(connection))
    return { status: 'inconclusive', reason: 'smtp-starttls-refused', starttls: 'unknown' };
  if (starttls === 'absent' && connection?.greeting?.lines.some((line) => GREYLISTER.test(line)))
    return { status: 'inconclusive', reason: 'smtp-greylister', starttls: 'unknown' };
  if (status === 'reachable' && (insideTls(connection) ?? 'works') !== 'works')
    return { status, reason: connection?.failure?.code, starttls };
  return { status, reason, starttls };
}

/**
 * Returns whether the handshake failed with an alert, with data that is not TLS, or with
 * a closed connection. A timeout is excluded, since a lost packet has the same effect.
 */
export function handshakeFailed(code: string | undefined): boolean {
  return code !== undefined && code.startsWith('tls-') && code !== 'tls-timeout';
}
