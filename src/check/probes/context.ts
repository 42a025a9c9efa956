import type { Clock, Failure, Name } from '../../base/index.js';
import type { Resolver } from '../../dns/index.js';
import type { AddressEvidence, Depth, FailureEvidence } from '../../evidence/index.js';
import type { Network, NetFailure } from '../../net/index.js';
import type { Goals } from '../../tls/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { CheckEvent } from './check-event.js';
import type { ProbeLimiter } from './connection-limiter.js';
import type { PolicyVisitor } from './policy-visitor.js';

/** The inputs and limits that all probes of one check share. */
export interface ProbeContext {
  readonly network: Network;
  readonly resolver: Resolver;
  /**
   * True if the resolver answers for a private network, which may use names such as
   * `.test` (RFC 6761).
   */
  readonly privateNames: boolean;
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  readonly domain: Name;
  readonly depth: Depth;
  /** Wall-clock time at which certificates are judged, milliseconds since 1970. */
  readonly now: number;
  /** Start of the check on the monotonic clock. */
  readonly startedAt: number;
  readonly helo: string;
  readonly smtpPort: number;
  readonly httpsPort: number;
  /** True if the port uses implicit TLS (RFC 8314 §3.3). */
  readonly implicitTls: boolean;
  /** Ports for mail clients that are probed as well. */
  readonly submissionPorts: readonly number[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Questions beyond the completed handshake; undefined at depth `triage`. */
  readonly goals: Goals | undefined;
  /** The senders whose recorded hellos are sent as well, by id. */
  readonly senders: readonly string[];
  /** True to test whether a plaintext command survives the handshake (CVE-2011-0411). */
  readonly intrusive: boolean;
  /**
   * Whether to look up records at names that no sender queries: up to ten queries for the
   * TLSA records of each host, and eight for each TXT record of the domain.
   */
  readonly misplaced: { readonly tlsa: boolean; readonly texts: boolean };
  readonly limiter: ProbeLimiter;
  readonly policyVisitor: PolicyVisitor;
  /** Maximum number of hosts, and of addresses of each host, to probe. */
  readonly maximum: { readonly hosts: number; readonly addresses: number };
  /** Pause between two connections to one address, milliseconds. */
  readonly spacingMs: number;
  /** Returns the evidence of an earlier run about an address (`--resume`). */
  earlierEvidence(hostName: string, address: string): AddressEvidence | undefined;
  /** Reports the current step, for the progress line of the terminal. */
  progress(step: string): void;
  /** Reports a fact as soon as it is known, for pages that fill in during a check. */
  report(event: CheckEvent): void;
}

/** Converts a failure to its form in the evidence. */
export function failureEvidence(failure: Failure | NetFailure): FailureEvidence {
  return { code: failure.code, detail: failure.detail };
}
