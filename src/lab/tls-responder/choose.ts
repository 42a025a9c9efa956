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
  /** The group for ECDHE and TLS 1.3. */
  readonly group?: number;
  /**
   * Undefined for anonymous suites and in TLS 1.3, where the server stops before its
   * certificate.
   */
  readonly certificate?: ResponderCertificate;
}

/**
 * Chooses version, suite, group and certificate for a hello, or the alert with which it
 * refuses the hello (RFC 5246 §7.2.2). Servers differ in the order of these choices, and
 * a probe must give the same result for all of them.
 */
export function choose(
  responderConfig: ResponderConfig,
  receivedHello: ReceivedHello,
): Choice | { readonly alert: number } {
  const offered =
    receivedHello.versions.length > 0
      ? receivedHello.versions
      : responderConfig.versions.filter(
          (known) => known <= receivedHello.maxVersion && known !== ProtocolVersion['TLSv1.3'],
        );
  const version = Math.max(...responderConfig.versions.filter((known) => offered.includes(known)));
  if (!Number.isFinite(version)) return { alert: PROTOCOL_VERSION };
  if (receivedHello.suites.length > (responderConfig.maxSuites ?? Infinity))
    return { alert: INTERNAL_ERROR };
  const theirs = receivedHello.suites.slice(0, responderConfig.readsSuites);
  const inOrder = (serverOrder: readonly number[], other: readonly number[]): number[] =>
    responderConfig.preference === 'client'
      ? other.filter((codePoint) => serverOrder.includes(codePoint))
      : serverOrder.filter((codePoint) => other.includes(codePoint));
  const certificates = certificatesFor(responderConfig, theirs);
  const serverOrder =
    isChaCha(theirs[0]) && responderConfig.prioritisesChaCha
      ? [...responderConfig.suites].sort(
          (left, right) => Number(isChaCha(right)) - Number(isChaCha(left)),
        )
      : responderConfig.suites;
  // Without the extension a server may choose any of its curves (RFC 8422 §4).
  const groups =
    receivedHello.groups.length > 0
      ? inOrder(responderConfig.groups, receivedHello.groups)
      : responderConfig.groups;
  for (const codePoint of inOrder(serverOrder, theirs)) {
    const cipherSuite = suiteTable.get(codePoint);
    if (!cipherSuite || cipherSuite.tls13 !== (version === ProtocolVersion['TLSv1.3'])) continue;
    if (version < ProtocolVersion['TLSv1.2'] && !suitesOld.includes(codePoint)) continue;
    const group = cipherSuite.tls13 ? groups[0] : groups.find(isCurveOfTls12);
    if ((cipherSuite.tls13 || cipherSuite.keyExchange === 'ECDHE') && group === undefined) continue;
    if (cipherSuite.tls13 || cipherSuite.authentication === 'none')
      return { version, suite: cipherSuite, group };
    const keyType = keyTypes[cipherSuite.authentication];
    const certificate = certificates.find(
      (candidate) =>
        candidate.key.asymmetricKeyType === keyType && certificateUsable(candidate, receivedHello),
    );
    if (certificate) return { version, suite: cipherSuite, certificate, group };
  }
  return { alert: HANDSHAKE_FAILURE };
}

/** Alerts of RFC 9846 §6. */
const HANDSHAKE_FAILURE = 40;
const PROTOCOL_VERSION = 70;
const INTERNAL_ERROR = 80;

/** Key types of the authentication methods that sign with a certificate. */
const keyTypes: Readonly<Record<string, string | undefined>> = { ECDSA: 'ec', RSA: 'rsa' };

function isCurveOfTls12(codePoint: number): boolean {
  const group = groupTable.get(codePoint);
  return group?.tls12 === true && group.kind === 'ec';
}

function certificatesFor(
  { certificates, certificateFirst }: ResponderConfig,
  theirs: readonly number[],
): readonly ResponderCertificate[] {
  const ecdsa = certificates.filter(({ key }) => key.asymmetricKeyType === 'ec');
  const asked = theirs.some((codePoint) => suiteTable.get(codePoint)?.authentication === 'ECDSA');
  return certificateFirst && ecdsa.length > 0 && asked ? ecdsa : certificates;
}

function isChaCha(codePoint: number | undefined): boolean {
  return suiteTable.get(codePoint ?? 0)?.cipher === 'CHACHA20';
}

/**
 * Returns whether the client can use a certificate. An ECDSA key works only with a client
 * that offers its curve (RFC 8422 §5.1).
 */
function certificateUsable(
  certificate: ResponderCertificate,
  receivedHello: ReceivedHello,
): boolean {
  const curve = certificate.key.asymmetricKeyDetails?.namedCurve ?? '';
  const groupNumber = groupOfCurve[curve];
  return (
    groupNumber === undefined ||
    receivedHello.groups.length === 0 ||
    receivedHello.groups.includes(groupNumber)
  );
}

/** TLS groups (RFC 8422 §5.1.1) by OpenSSL's names of their curves. */
const groupOfCurve: Readonly<Record<string, number | undefined>> = {
  prime256v1: 23,
  secp384r1: 24,
};
