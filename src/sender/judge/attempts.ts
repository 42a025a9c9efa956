import { groupBy, networkOf } from '../../base/index.js';
import { deliverySteps, type DeliveryStep, type SenderCase } from '../cases/sender-case.js';
import type { Observation } from '../observation.js';

/** One SMTP connection of a sender to the host of a case. */
export interface Attempt {
  readonly network: string;
  /**
   * The last two labels of the EHLO names of the connection, which distinguish the hosts
   * behind one address. Undefined if the connection names no domain or several.
   */
  readonly nameDomain: string | undefined;
  readonly source: string;
  /** The last step that the sender reached on its own. */
  readonly reached: DeliveryStep;
  /** A message was accepted under TLS, or without it. */
  readonly accepted: 'secured' | 'plaintext' | undefined;
  /** The sender sent MAIL, so no earlier observation prevented delivery. */
  readonly willing: 'secured' | 'plaintext' | undefined;
  /**
   * The client sent MAIL with the null sender and no message: it verified the address
   * without delivering mail.
   */
  readonly isCallout: boolean;
  /** The receiver's own greeting or reply to EHLO, MAIL, RCPT or DATA was an error. */
  readonly turnedAway: boolean;
  /** The sender ended the connection, by QUIT, an alert or a close. */
  readonly leftByItself: boolean;
  /** The connection has ended. */
  readonly ended: boolean;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly observations: readonly Observation[];
}

/**
 * Alerts by which a TLS client refuses a certificate (RFC 9846 §6.2). Other alerts
 * concern the handshake itself and prove nothing about the certificate.
 */
const CERTIFICATE_ALERTS: ReadonlySet<string> = new Set([
  'bad_certificate',
  'unsupported_certificate',
  'certificate_revoked',
  'certificate_expired',
  'certificate_unknown',
  'unknown_ca',
  'access_denied',
]);

/** Returns the connections of a case, in the order of their first observation. */
export function attemptsIn(observations: readonly Observation[]): readonly Attempt[] {
  const onConnections = observations.filter((one) => 'connection' in one);
  const connections = groupBy(onConnections, ({ connection }) => connection);
  return [...connections.values()]
    .map(attemptOf)
    .sort((left, right) => left.firstAt - right.firstAt);
}

function attemptOf(observations: readonly Observation[]): Attempt {
  const times = observations.map(({ at }) => Date.parse(at));
  const [first] = observations;
  const source = first && 'source' in first ? first.source : '';
  const close = observations.find((one) => one.kind === 'close');
  const alert = observations.some(({ kind }) => kind === 'alert');
  const isCallout = isCalloutIn(observations);
  return {
    network: senderNetwork(source),
    nameDomain: nameDomainIn(observations),
    source,
    reached: furthest(observations),
    accepted: protectionOf(observations.filter((one) => one.kind === 'data' && one.reply < 300)),
    willing: isCallout
      ? undefined
      : protectionOf(observations.filter(({ kind }) => kind === 'mail')),
    isCallout,
    turnedAway: observations.some(
      (one) => 'reply' in one && one.kind !== 'starttls' && one.reply >= 400,
    ),
    leftByItself: alert || close?.by === 'quit' || close?.by === 'sender',
    ended: close !== undefined,
    firstAt: Math.min(...times),
    lastAt: Math.max(...times),
    observations,
  };
}

/**
 * Returns whether the connection only verifies an address. Bounces also use the null
 * sender, but contain a message.
 */
function isCalloutIn(observations: readonly Observation[]): boolean {
  const senders = observations.flatMap((one) => (one.kind === 'mail' ? [one.fromDomain] : []));
  const hasMessage = observations.some(({ kind }) => kind === 'data');
  return senders.length > 0 && senders.every((domain) => domain === '') && !hasMessage;
}

function nameDomainIn(observations: readonly Observation[]): string | undefined {
  const domains = observations.flatMap((one) =>
    one.kind === 'ehlo' ? (lastLabels(one.name) ?? []) : [],
  );
  const [first, ...others] = new Set(domains);
  return others.length > 0 ? undefined : first;
}

/**
 * Returns the last two labels of a name; undefined for an address and a name without a
 * dot.
 */
function lastLabels(name: string): string | undefined {
  return /(?:^|\.)([a-z0-9_-]+\.[a-z][a-z0-9-]*)\.?$/i.exec(name)?.[1]?.toLowerCase();
}

/**
 * Returns the network of a source; the addresses of this machine count as one network.
 */
export function senderNetwork(source: string): string {
  return source.startsWith('127.') ? '127.0.0.0' : networkOf(source);
}

/**
 * Returns `plaintext` if any attempt was in plaintext, otherwise `secured`; undefined
 * without attempts.
 */
function protectionOf(observations: readonly Observation[]): Attempt['accepted'] {
  if (observations.length === 0) return undefined;
  const plaintext = observations.some((one) => 'secured' in one && !one.secured);
  return plaintext ? 'plaintext' : 'secured';
}

function furthest(observations: readonly Observation[]): DeliveryStep {
  const reached = observations.map(stepOf);
  return [...deliverySteps].reverse().find((step) => reached.includes(step)) ?? 'connection';
}

function stepOf(observation: Observation): DeliveryStep {
  switch (observation.kind) {
    case 'ehlo':
      // The reply to HELO lists no extensions, so the client cannot see that STARTTLS is
      // missing.
      return observation.verb === 'EHLO' ? 'ehlo' : 'greeting';
    case 'greeting':
    case 'starttls':
    case 'mail':
    case 'rcpt':
    case 'data':
      return observation.kind;
    case 'hello':
      return 'handshake';
    case 'handshake':
      return 'certificate';
    case 'alert':
      return CERTIFICATE_ALERTS.has(observation.description) ? 'certificate' : 'handshake';
    default:
      return 'connection';
  }
}

/** Compares two steps of a delivery: negative if the first comes earlier. */
function compareSteps(left: DeliveryStep, right: DeliveryStep): number {
  return deliverySteps.indexOf(left) - deliverySteps.indexOf(right);
}

/**
 * Returns whether an attempt shows a refusal of the property of a case: the sender saw
 * the property and disconnected on its own before MAIL. An attempt that ended earlier, or
 * by an error of the receiver, is not a decision of the sender.
 */
export function showsRefusal(attempt: Attempt, senderCase: SenderCase): boolean {
  if (attempt.willing !== undefined || attempt.isCallout) return false;
  if (attempt.turnedAway || !attempt.leftByItself) return false;
  return compareSteps(attempt.reached, threshold(senderCase)) >= 0;
}

/**
 * Returns the step from which leaving is a refusal. A fault of DNS or policy prevents a
 * sender from connecting; a sender that connects anyway decides by the certificate. A
 * client that only sends a greeting, such as a monitor, has made no decision.
 */
function threshold({ decidedAt, host }: SenderCase): DeliveryStep {
  if (compareSteps(decidedAt, 'greeting') > 0) return decidedAt;
  return host.starttls === 'absent' ? 'ehlo' : 'certificate';
}
