import {
  groups as groupTable,
  ProtocolVersion,
  suites as suiteTable,
  suitesOld,
  type ReceivedHello,
  type Suite,
} from '../../tls/index.js';
import type { ResponderCertificate, ResponderConfig } from './responder-config.js';

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
 * What the configured server takes of a hello, or the alert it refuses with (RFC 5246
 * §7.2.2).
 */
export function choose(
  config: ResponderConfig,
  hello: ReceivedHello,
): Choice | { readonly alert: number } {
  const offered =
    hello.versions.length > 0
      ? hello.versions
      : config.versions.filter((v) => v <= hello.maxVersion && v !== ProtocolVersion['TLSv1.3']);
  const version = Math.max(...config.versions.filter((v) => offered.includes(v)));
  if (!Number.isFinite(version)) return { alert: 70 };
  if (hello.suites.length > (config.mostSuites ?? Infinity)) return { alert: 80 };
  const theirs = hello.suites.slice(0, config.readsSuites);
  const inOrder = (mine: readonly number[], other: readonly number[]): number[] =>
    config.preference === 'client'
      ? other.filter((id) => mine.includes(id))
      : mine.filter((id) => other.includes(id));
  const certificates = certificatesFor(config, theirs);
  const mine =
    isChaCha(theirs[0]) && config.prioritisesChaCha
      ? [...config.suites].sort((a, b) => Number(isChaCha(b)) - Number(isChaCha(a)))
      : config.suites;
  // Without the extension a server may take any curve it has (RFC 8422 §4).
  const groups = hello.groups.length > 0 ? inOrder(config.groups, hello.groups) : config.groups;
  for (const id of inOrder(mine, theirs)) {
    const suite = suiteTable.get(id);
    if (!suite || suite.tls13 !== (version === ProtocolVersion['TLSv1.3'])) continue;
    if (version < ProtocolVersion['TLSv1.2'] && !suitesOld.includes(id)) continue;
    const group = groups.find((g) =>
      suite.tls13 ? true : groupTable.get(g)?.tls12 && groupTable.get(g)?.kind === 'ec',
    );
    if ((suite.tls13 || suite.keyExchange === 'ECDHE') && group === undefined) continue;
    if (suite.tls13 || suite.authentication === 'none') return { version, suite, group };
    const type =
      suite.authentication === 'ECDSA' ? 'ec' : suite.authentication === 'RSA' ? 'rsa' : undefined;
    const certificate = certificates.find(
      (c) => c.key.asymmetricKeyType === type && certificateUsable(c, hello),
    );
    if (certificate) return { version, suite, certificate, group };
  }
  return { alert: 40 };
}

function certificatesFor(
  { certificates, certificateFirst }: ResponderConfig,
  theirs: readonly number[],
): readonly ResponderCertificate[] {
  const ecdsa = certificates.filter((c) => c.key.asymmetricKeyType === 'ec');
  const asked = theirs.some((id) => suiteTable.get(id)?.authentication === 'ECDSA');
  return certificateFirst && ecdsa.length > 0 && asked ? ecdsa : certificates;
}

function isChaCha(id: number | undefined): boolean {
  return suiteTable.get(id ?? 0)?.cipher === 'CHACHA20';
}

/** An ECDSA key works only with a client that offers its curve (RFC 8422 §5.1). */
function certificateUsable(certificate: ResponderCertificate, hello: ReceivedHello): boolean {
  const curve = certificate.key.asymmetricKeyDetails?.namedCurve;
  const id = curve === 'prime256v1' ? 23 : curve === 'secp384r1' ? 24 : undefined;
  return id === undefined || hello.groups.length === 0 || hello.groups.includes(id);
}
