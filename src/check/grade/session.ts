import type { AddressEvidence, ConnectionEvidence } from '../../evidence/index.js';

/**
 * The result of a session inside TLS: `unknown` if the server may have rejected only this
 * client.
 */
export type InsideTls = 'works' | 'refused' | 'unknown';

/**
 * Failure codes whose detail is what the server sent: a reply, or a line that is not a reply.
 */
const replies: ReadonlySet<string> = new Set([
  'smtp-garbage',
  'smtp-busy',
  'smtp-refused',
  'smtp-takes-no-mail',
  'smtp-ehlo-refused',
  'smtp-starttls-refused',
]);

/** Failures inside TLS that another visit would meet as well. */
const lasting: ReadonlySet<string> = new Set([
  'smtp-ehlo-refused',
  'smtp-refused',
  'smtp-takes-no-mail',
  'smtp-garbage',
  'smtp-too-long',
  'smtp-tls-alert',
]);

/**
 * Judges what followed a completed handshake. A sender needs the reply to EHLO inside TLS
 * before it can hand over mail [3207-4.2-2, 3207-4.2-5], so a handshake alone is worth
 * nothing: silence, a closed connection and a 4yz reply there leave the answer open.
 * Undefined without a handshake.
 */
export function insideTls(connection: ConnectionEvidence | undefined): InsideTls | undefined {
  if (!connection?.handshake) return undefined;
  if (connection.ehloAfterTls ?? !connection.failure) return 'works';
  if (lasting.has(connection.failure?.code ?? '')) return 'refused';
  return 'unknown';
}

/**
 * The connection that says most: a session that works, a handshake, the first attempt,
 * the last.
 */
export function bestOf(connections: readonly ConnectionEvidence[]): ConnectionEvidence | undefined {
  return (
    connections.find((connection) => connection.handshake && insideTls(connection) === 'works') ??
    connections.find((connection) => connection.handshake) ??
    connections.find((connection) => connection.purpose === 'handshake') ??
    connections.at(-1)
  );
}

/**
 * How often an address offered STARTTLS and how often it did not, where both happened by
 * chance. An offer that ends once and for all may be the server's answer to our own
 * visits, so only an offer after a connection without one counts.
 */
export function intermittentTls(
  connections: readonly ConnectionEvidence[],
): { readonly offered: number; readonly of: number } | undefined {
  const answered = connections.filter(
    (connection) =>
      connection.earlier === undefined && connection.ehlo && connection.starttls !== 'unknown',
  );
  const missing = answered.findIndex(({ starttls }) => isMissing(starttls));
  const after = answered.slice(missing).some((connection) => connection.starttls === 'offered');
  if (missing < 0 || !after) return undefined;
  const offered = answered.filter((connection) => connection.starttls === 'offered').length;
  return { offered, of: answered.length };
}

/** Not among the keywords, or overwritten. */
export function isMissing(starttls: ConnectionEvidence['starttls']): boolean {
  return starttls === 'absent' || starttls === 'mangled';
}

/**
 * The reply that ended a conversation, as received; undefined where something else did.
 */
export function replyOf(connection: ConnectionEvidence | undefined): string | undefined {
  const { failure, starttlsReply } = connection ?? {};
  if (failure && replies.has(failure.code) && failure.detail !== '') return failure.detail;
  return starttlsReply && `${starttlsReply.code} ${starttlsReply.lines[0] ?? ''}`.trim();
}

/**
 * RFC 3207 §4 [3207-4-4]: 4yz to STARTTLS is temporary, and says nothing of TLS at other
 * times.
 */
function deferredTls({ starttls, starttlsReply }: ConnectionEvidence): boolean {
  const code = starttlsReply?.code ?? 0;
  return starttls === 'refused' && code >= 400 && code < 500;
}

/** Judges one address, as far as one visit shows it. */
export function standing(
  { status, reason }: AddressEvidence,
  connection: ConnectionEvidence | undefined,
): {
  readonly status: AddressEvidence['status'];
  readonly reason: string | undefined;
  readonly starttls: ConnectionEvidence['starttls'];
} {
  const starttls = connection?.starttls ?? 'unknown';
  // [7504-3-1] The host takes no mail from any sender.
  if (connection?.failure?.code === 'smtp-takes-no-mail' && !connection.ehlo)
    return { status: 'unreachable', reason: 'smtp-takes-no-mail', starttls };
  if (connection && deferredTls(connection))
    return { status: 'inconclusive', reason: 'smtp-starttls-refused', starttls: 'unknown' };
  if (status === 'reachable' && (insideTls(connection) ?? 'works') !== 'works')
    return { status, reason: connection?.failure?.code, starttls };
  return { status, reason, starttls };
}
