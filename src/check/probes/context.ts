import type { Clock, Failure, Name } from '../../base/index.js';
import type { Resolver } from '../../dns/index.js';
import type { AddressEvidence, FailureEvidence } from '../../evidence/index.js';
import type { Network, NetFailure } from '../../net/index.js';
import type { Goals } from '../../tls/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { ConnectionLimiter } from './connection-limiter.js';

/** What every probe works with. */
export interface ProbeContext {
  readonly network: Network;
  readonly resolver: Resolver;
  /**
   * The resolver answers for a private network, which may use names such as `.test` (RFC
   * 6761).
   */
  readonly privateNames: boolean;
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  readonly domain: Name;
  /** Wall time at which certificates are judged, milliseconds. */
  readonly now: number;
  /** Monotonic start of the check. */
  readonly startedAt: number;
  readonly helo: string;
  readonly smtpPort: number;
  readonly httpsPort: number;
  /** The port begins with TLS (RFC 8314 §3.3). */
  readonly implicitTls: boolean;
  /** Ports for mail clients to look at as well. */
  readonly submissionPorts: readonly number[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** What is asked beyond the completed handshake; nothing at depth triage. */
  readonly goals: Goals | undefined;
  /** Try whether a command sent in clear survives the handshake. */
  readonly intrusive: boolean;
  readonly manners: ConnectionLimiter;
  /** Hosts, and addresses of each, that are looked at. */
  readonly most: { readonly hosts: number; readonly addresses: number };
  /** Milliseconds between two connections to one address. */
  readonly spacingMs: number;
  /** What an earlier run saw of an address. */
  earlier(host: string, ip: string): AddressEvidence | undefined;
  progress(what: string): void;
}

/** A failure as it is stored. */
export function failureEvidence(failure: Failure | NetFailure): FailureEvidence {
  return { code: failure.code, detail: failure.detail };
}
