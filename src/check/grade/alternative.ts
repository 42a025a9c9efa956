import type { Evidence } from '../../evidence/index.js';
import type { SenderClass } from '../../tls-policy/index.js';
import { assessExposure } from './exposure.js';
import type { JudgedHost } from './judge-host.js';

/** The host that a sender cannot use, or one address of it. */
interface Subject {
  readonly name: string;
  readonly ip?: string | undefined;
  /**
   * The class of the sender. Default: the class that requires TLS because of the
   * published mechanisms.
   */
  readonly sender?: SenderClass;
}

/**
 * Returns the class of sender that verifies servers because of the published policies.
 */
function strictestSender({ mtaSts }: Evidence): SenderClass {
  return mtaSts.policy?.mode === 'enforce' ? 'mtaStsCached' : 'dane';
}

/**
 * Returns the action of a sender that cannot use a host, or one address of it: a
 * predicate such as "use mx2.example.com instead". Senders try the other addresses, and
 * the other hosts by preference, before they defer the mail (RFC 5321 §5.1). Undefined if
 * no other host or address accepts the mail of these senders.
 */
export function alternativeTo(
  { evidence, hosts }: { readonly evidence: Evidence; readonly hosts: readonly JudgedHost[] },
  { name, ip = '', sender = strictestSender(evidence) }: Subject,
): string | undefined {
  const takesMail = (judgedHost: JudgedHost): boolean => {
    const outcome = assessExposure(evidence, [judgedHost])[sender].none;
    return ['verified', 'unverified', 'cleartext'].includes(outcome);
  };
  const own = hosts.find((judgedHost) => judgedHost.evidence.name === name);
  if (!own) return undefined;
  const addresses = own.addresses.filter((address) => address.evidence.ip !== ip);
  if (ip !== '' && addresses.length > 0 && takesMail({ ...own, addresses }))
    return 'use another address of the host';
  const [other] = hosts
    .filter((judgedHost) => judgedHost !== own && takesMail(judgedHost))
    .sort((left, right) => left.evidence.preference - right.evidence.preference);
  if (!other) return undefined;
  const first = other.evidence.preference < own.evidence.preference;
  const { name: otherName } = other.evidence;
  return first
    ? `use ${otherName}, and defer the mail while it does not answer`
    : `use ${otherName} instead`;
}
