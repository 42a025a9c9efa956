import { neutralise, wrap } from '../base/index.js';
import type { DeliveryAttempt, DeliveryOutcome } from '../evidence/index.js';
import type { SmtpTranscript, Recipient } from '../send/index.js';
import { sayFailure } from './failure-text.js';

/**
 * Renders the SMTP conversations line by line, with milliseconds. Ends with a line feed.
 */
export function renderConversations(conversations: readonly SmtpTranscript[]): string {
  return conversations
    .flatMap(({ host, ip, lines }) => [
      `${host} [${ip}]`,
      ...lines.map(({ from, text, at }) => `${String(at).padStart(6)} ${from}: ${text}`),
      '',
    ])
    .map((textLine) => `${neutralise(textLine)}\n`)
    .join('');
}

/** Renders the outcome at each server that the sender tried, in one line or two each. */
export function renderAttempts({ attempts, waiver }: DeliveryOutcome, lineWidth: number): string {
  const outputLines = attempts.flatMap((attempt) =>
    wrap(attemptText(attempt), lineWidth, '', '  '),
  );
  return [
    ...outputLines,
    ...(waiver ? [`The sender did not enforce the policy: ${waiver.kind}.`] : []),
  ]
    .map((textLine) => `${neutralise(textLine)}\n`)
    .join('');
}

/**
 * Returns host, address and outcome of one attempt: encryption, authentication, failure.
 */
function attemptText({
  host,
  ip,
  state,
  session,
  cleartext,
  authenticate,
  failure,
  results,
}: DeliveryAttempt): string {
  const where = ip === undefined ? host : `${host} [${ip}]`;
  const reason = failure ? `: ${sayFailure(failure)}` : '';
  if (state !== 'used') return `${where}  ${state}${reason}`;
  const how = cleartext ? 'in plaintext' : sessionText(session);
  // RFC 7672 §2.2.1 [7672-2.2.1-5]: this text covers the host only; the grounds show
  // whether the host belongs to the domain.
  const by =
    authenticate.length > 0 && !failure
      ? `, the host authenticated by ${authenticate.join(' and ')}`
      : '';
  const reported = results.some((policyResult) => policyResult.failure) ? '; to be reported' : '';
  return `${where}  ${how}${by}${reason}${reported}`;
}

/**
 * Returns the TLS version and group of a session, and whether its key exchange is
 * post-quantum.
 */
function sessionText(session: DeliveryAttempt['session']): string {
  if (session === undefined) return 'TLS';
  const { version, group, postQuantum } = session;
  if (group === undefined) return version;
  return `${version} with ${group}${postQuantum ? ' (post-quantum)' : ''}`;
}

/** Renders the outcome for each recipient. */
export function renderRecipients(recipients: readonly Recipient[], lineWidth: number): string {
  return recipients
    .flatMap((recipient) => wrap(recipientText(recipient), lineWidth, '', '  '))
    .map((textLine) => `${neutralise(textLine)}\n`)
    .join('');
}

/** Returns the outcome for one recipient, with the reply or the failure. */
function recipientText({ address, status, failure, reply }: Recipient): string {
  const start = `${address}  ${status}`;
  if (failure) return `${start}: ${sayFailure(failure)}`;
  if (reply && status === 'delivered') return `${start}: ${reply.code} ${reply.lines.join(' ')}`;
  return start;
}
