import {
  groups as groupTable,
  ProtocolVersion,
  suites as suiteTable,
  suitesOld,
  type ReceivedHello,
  type Suite,
} from '../../tls/index.js';
import type { ResponderCertificate, ResponderConfig } from './responder-config.js';

/** The negotiated parameters. */
export interface Choice {
  readonly version: number;
  readonly suite: Suite;
  /** For ECDHE and TLS 1.3. */
  readonly group?: number;
  /**
   * Undefined for anonymous suites and in TLS 1.3, whose certificate is never reached.
   */
  readonly certificate?: ResponderCertificate;
}

/**
 * Chooses version, suite, group and certificate for a hello, or the alert of the refusal
 * (RFC 5246 §7.2.2). Servers differ in the order of these choices, and a probe must give
 * the same result for all of them.
 */
export function choose(
  config: ResponderConfig,
  hello: ReceivedHello,
): Choice | { readonly alert: number } {
  const offered =
    hello.versions.length > 0
      ? hello.versions
      : config.versions.filter(
          (known) => known <= hello.maxVersion && known !== ProtocolVersion['TLSv1.3'],
        );
  const version = Math.max(...config.versions.filter((known) => offered.includes(known)));
  if (!Number.isFinite(version)) return { alert: PROTOCOL_VERSION };
  if (hello.suites.length > (config.maxSuites ?? Infinity)) return { alert: INTERNAL_ERROR };
  const theirs = hello.suites.slice(0, config.readsSuites);
  const inOrder = (serverOrder: readonly number[], other: readonly number[]): number[] =>
    config.preference === 'client'
      ? other.filter((id) => serverOrder.includes(id))
      : serverOrder.filter((id) => other.includes(id));
  const certificates = certificatesFor(config, theirs);
  const serverOrder =
    isChaCha(theirs[0]) && config.prioritisesChaCha
      ? [...config.suites].sort((left, right) => Number(isChaCha(right)) - Number(isChaCha(left)))
      : config.suites;
  // Without the extension a server may take any curve it has (RFC 8422 §4).
  const groups = hello.groups.length > 0 ? inOrder(config.groups, hello.groups) : config.groups;
  for (const id of inOrder(serverOrder, theirs)) {
    const suite = suiteTable.get(id);
    if (!suite || suite.tls13 !== (version === ProtocolVersion['TLSv1.3'])) continue;
    if (version < ProtocolVersion['TLSv1.2'] && !suitesOld.includes(id)) continue;
    const group = suite.tls13 ? groups[0] : groups.find(isCurveOfTls12);
    if ((suite.tls13 || suite.keyExchange === 'ECDHE') && group === undefined) continue;
    if (suite.tls13 || suite.authentication === 'none') return { version, suite, group };
    const keyType = keyTypes[suite.authentication];
    const certificate = certificates.find(
      (candidate) =>
        candidate.key.asymmetricKeyType === keyType && certificateUsable(candidate, hello),
    );
    if (certificate) return { version, suite, certificate, group };
  }
  return { alert: HANDSHAKE_FAILURE };
}

/** Alerts of RFC 8446 §6. */
const HANDSHAKE_FAILURE = 40;
const PROTOCOL_VERSION = 70;
const INTERNAL_ERROR = 80;

/** Key types of the authentication methods that sign with a certificate. */
const keyTypes: Readonly<Record<string, string | undefined>> = { ECDSA: 'ec', RSA: 'rsa' };

function isCurveOfTls12(id: number): boolean {
  const group = groupTable.get(id);
  return group?.tls12 === true && group.kind === 'ec';
}

function certificatesFor(
  { certificates, certificateFirst }: ResponderConfig,
  theirs: readonly number[],
): readonly ResponderCertificate[] {
  const ecdsa = certificates.filter(({ key }) => key.asymmetricKeyType === 'ec');
  const asked = theirs.some((id) => suiteTable.get(id)?.authentication === 'ECDSA');
  return certificateFirst && ecdsa.length > 0 && asked ? ecdsa : certificates;
}

function isChaCha(id: number | undefined): boolean {
  return suiteTable.get(id ?? 0)?.cipher === 'CHACHA20';
}

/** An ECDSA key works only with a client that offers its curve (RFC 8422 §5.1). */
function certificateUsable(certificate: ResponderCertificate, hello: ReceivedHello): boolean {
  const curve = certificate.key.asymmetricKeyDetails?.namedCurve ?? '';
  const group = groupOfCurve[curve];
  return group === undefined || hello.groups.length === 0 || hello.groups.includes(group);
}

/** TLS groups (RFC 8422 §5.1.1) by OpenSSL's names of their curves. */
const groupOfCurve: Readonly<Record<string, number | undefined>> = {
  prime256v1: 23,
  secp384r1: 24,
};
