import type { DeliveryResult, Known } from '../../tls-policy/index.js';
import type { Requirement } from './requirement.js';
import type {
  AcceptedNames,
  Fact,
  LibraryAbility,
  SenderModel,
  SettingSource,
  TlsVersionName,
} from './sender-model.js';

/** A mail server as one case or attack presents it. */
export interface ServerFacts {
  /** `refused`: listed in EHLO, and the command is answered with an error. */
  readonly starttls: 'offered' | 'absent' | 'refused' | 'unknown';
  readonly handshake: 'works' | 'fails';
  /** The handshake succeeds only with this ability. */
  readonly needs?: LibraryAbility | undefined;
  /** The only version of the server. */
  readonly version?: TlsVersionName | undefined;
  /** The server refuses handshakes without SNI. */
  readonly needsServerName?: boolean;
  /** A currently valid chain of a public CA for the name of the MX host. */
  readonly pkix: Known;
  readonly dane: Known;
  readonly attacker: boolean;
  readonly name: string;
  /** The mail domain. */
  readonly domain: string;
}

/** The predicted outcome of one message. */
export interface PredictedDelivery {
  readonly result: DeliveryResult;
  /** The sender bounces the message instead of deferring it. */
  readonly bounced?: boolean;
  /** The handshake fails, so the sender has not refused the server by itself. */
  readonly atHandshake?: boolean;
  /** Age of the message in seconds before this result; earlier attempts fail. */
  readonly delaySeconds?: number;
  readonly reason: string;
  readonly source: SettingSource;
}

type DeliveryModel = Pick<SenderModel, 'rules' | 'fallback' | 'fallbackRelay'>;

/** Predicts the delivery to one server under a requirement. Pure. */
export function predictDelivery(
  model: DeliveryModel,
  requirement: Requirement,
  server: ServerFacts,
): PredictedDelivery {
  const delivery = deliverTo(model, requirement, server);
  const { known, source } = model.fallbackRelay;
  if (delivery.result !== 'deferred' || delivery.bounced) return delivery;
  if (!known) return { result: 'unknown', reason: model.fallbackRelay.reason, source };
  const relay = model.fallbackRelay.value;
  if (relay === undefined) return delivery;
  const reason = `${delivery.reason}, so the mail goes to ${relay}, which decides`;
  return { result: 'unknown', reason, source };
}

function deliverTo(
  model: DeliveryModel,
  requirement: Requirement,
  server: ServerFacts,
): PredictedDelivery {
  const { source } = requirement;
  if (requirement.action === 'unknown')
    return { result: 'unknown', reason: requirement.reason, source };
  if (requirement.action === 'skip')
    return {
      result: 'deferred',
      reason: requirement.reason,
      source,
      bounced: requirement.bounce,
    };
  if (requirement.tls === 'never')
    return plaintext(server, 'the sender does not use STARTTLS', source);
  const required = requirement.tls === 'required';
  switch (server.starttls) {
    case 'unknown':
      return { result: 'unknown', reason: 'it is unknown whether the server offers TLS', source };
    case 'absent':
      return required
        ? {
            result: 'deferred',
            reason: 'the sender requires TLS, and the server does not offer it',
            source,
          }
        : plaintext(server, 'the sender uses TLS only if the server offers it', source);
    case 'refused':
      return required
        ? {
            result: 'deferred',
            reason: 'the sender requires TLS, and the server refuses it',
            source,
          }
        : fallBack(model, server, 'refused');
    case 'offered':
      return underTls(model, requirement, server);
  }
}

type Use = Extract<Requirement, { action: 'use' }>;

function underTls(
  model: Pick<SenderModel, 'rules' | 'fallback'>,
  requirement: Use,
  server: ServerFacts,
): PredictedDelivery {
  const required = requirement.tls === 'required';
  const handshake = handshakeOf(model, requirement, server);
  if (handshake.works === 'unknown')
    return { result: 'unknown', reason: handshake.reason, source: handshake.source };
  if (handshake.works === 'no')
    return required
      ? {
          result: 'deferred',
          atHandshake: true,
          reason: handshake.reason,
          source: handshake.source,
        }
      : fallBack(model, server, 'handshake', handshake.reason);
  const { source, certificate } = requirement;
  if (certificate.kind === 'pinned')
    return { result: 'deferred', reason: 'no key of the configuration matches', source };
  const checks: [Known, string][] = [];
  if (requirement.dane) checks.push([server.dane, 'no TLSA record matches the certificate']);
  const roots = model.rules.roots;
  if (requirement.sts || certificate.kind === 'ca') {
    if (!roots.known) return { result: 'unknown', reason: roots.reason, source: roots.source };
    if (roots.value === 'none')
      return {
        result: 'deferred',
        reason: 'the sender must verify certificates, but trusts no CA',
        source: roots.source,
      };
  }
  if (requirement.sts) checks.push([server.pkix, 'the certificate does not pass MTA-STS']);
  if (certificate.kind === 'ca')
    checks.push([
      nameCheck(certificate.names, server),
      'the sender does not accept the certificate',
    ]);
  // An attacker bypasses a verification if its failure only leads to plaintext.
  const evadable = certificate.kind === 'ca' && certificate.onFailure === 'plaintext' && !required;
  for (const [holds, reason] of checks) {
    if (holds === 'unknown') return { result: 'unknown', reason, source };
    if (holds === 'yes') continue;
    if (evadable)
      return plaintext(server, `${reason}, and the sender tries again without TLS`, source);
    return { result: 'deferred', reason, source };
  }
  if (server.attacker)
    return { result: 'to-attacker', reason: 'the sender accepts this server', source };
  return checks.length > 0 && !evadable
    ? { result: 'verified', reason: 'the sender authenticates the server', source }
    : { result: 'unverified', reason: 'the sender accepts any certificate', source };
}

interface HandshakeResult {
  readonly works: Known;
  readonly reason: string;
  readonly source: SettingSource;
}

function handshakeOf(
  { rules }: Pick<SenderModel, 'rules'>,
  requirement: Use,
  server: ServerFacts,
): HandshakeResult {
  const { source } = requirement;
  if (server.handshake === 'fails') return { works: 'no', reason: 'the handshake fails', source };
  const versions: Fact<readonly TlsVersionName[]> =
    requirement.tls === 'required' ? rules.requiredVersions : rules.versions;
  if (server.version !== undefined) {
    if (!versions.known) return { works: 'unknown', ...openText(versions) };
    if (!versions.value.includes(server.version))
      return {
        works: 'no',
        reason: `${server.version} is not enabled at the sender`,
        source: versions.source,
      };
  }
  const old = server.version === 'TLSv1' || server.version === 'TLSv1.1';
  const verifies =
    requirement.dane || requirement.sts || requirement.certificate.kind !== 'nothing';
  const oldAbility = verifies ? 'oldVersionsVerified' : 'oldVersions';
  const needs = server.needs ?? (old ? oldAbility : undefined);
  if (needs !== undefined) {
    const able = rules.library[needs];
    if (!able.known) return { works: 'unknown', ...openText(able) };
    if (!able.value) return { works: 'no', reason: inabilities[needs], source: able.source };
  }
  // RFC 7672 §8.1, RFC 8461 §7.1: with a policy the sender names the host in SNI.
  if (server.needsServerName && !requirement.dane && !requirement.sts) {
    const { serverName } = rules;
    if (!serverName.known) return { works: 'unknown', ...openText(serverName) };
    if (serverName.value === 'none')
      return { works: 'no', reason: 'the sender sends no SNI', source: serverName.source };
    if (serverName.value === 'other')
      return { works: 'unknown', reason: 'SNI has another name', source: serverName.source };
  }
  return { works: 'yes', reason: '', source };
}

/** The reason of a failed handshake, by the missing ability. */
const inabilities: Readonly<Record<LibraryAbility, string>> = {
  oldVersions: 'the TLS library refuses TLS 1.0 and 1.1',
  oldVersionsVerified: 'the TLS library refuses TLS 1.0 and 1.1 for authenticated servers',
  oldSuites: 'the TLS library refuses static RSA',
  smallHello: 'the ClientHello does not fit into one packet',
  hybridGroup: 'the sender does not offer the hybrid group',
};

function openText(fact: Extract<Fact<unknown>, { known: false }>): {
  reason: string;
  source: SettingSource;
} {
  return { reason: fact.reason, source: fact.source };
}

/** Returns the reaction of a sender with opportunistic TLS to a STARTTLS that fails. */
function fallBack(
  { fallback }: Pick<SenderModel, 'fallback'>,
  server: ServerFacts,
  step: 'refused' | 'handshake',
  cause = 'the server refuses STARTTLS',
): PredictedDelivery {
  if (!fallback.known)
    return { result: 'unknown', reason: fallback.reason, source: fallback.source };
  const { value, source } = fallback;
  const reaction = value[step];
  if (reaction === 'defer')
    return {
      result: 'deferred',
      atHandshake: step === 'handshake',
      reason: `${cause}, and there is no fallback`,
      source,
    };
  const delivery = plaintext(server, `${cause}, and the sender falls back to plaintext`, source);
  if (reaction === 'plaintext' || value.delaySeconds === undefined) return delivery;
  return { ...delivery, delaySeconds: value.delaySeconds };
}

function plaintext(server: ServerFacts, reason: string, source: SettingSource): PredictedDelivery {
  return { result: server.attacker ? 'to-attacker' : 'cleartext', reason, source };
}

/**
 * Returns whether the certificate passes: a certificate for the MX host passes if one of
 * the accepted names covers that host.
 */
function nameCheck(names: readonly AcceptedNames[], server: ServerFacts): Known {
  if (names.some(({ kind }) => kind === 'any')) return server.pkix;
  return names.some((accepted) => covers(accepted, server)) ? server.pkix : 'no';
}

function covers(accepted: AcceptedNames, { name, domain }: ServerFacts): boolean {
  switch (accepted.kind) {
    case 'any':
    case 'mx-host':
      return true;
    case 'domain':
      return accepted.below ? name.endsWith(`.${domain}`) : name === domain;
    case 'listed':
      return accepted.names.some((listed) =>
        listed.startsWith('.') ? name.endsWith(listed) : name === listed,
      );
  }
}
