import type { Dnssec } from '../dns/index.js';

/**
 * Classes of sender, each strictly following its RFC. `First`: no MTA-STS policy cached
 * yet; `Cached`: a valid one is.
 */
export const senders = [
  'opportunistic',
  'mtaStsFirst',
  'mtaStsCached',
  'dane',
  'bothFirst',
  'bothCached',
] as const;
export type SenderClass = (typeof senders)[number];

/** Attacks of an on-path attacker: "The attacker" in ARCHITECTURE.md. */
export const attacks = ['none', 'stripStarttls', 'swapCertificate', 'spoofMx', 'suppress'] as const;
export type Attack = (typeof attacks)[number];

/**
 * Results of a delivery. `verified`: to an authenticated server. `unverified`: encrypted
 * to a server that was not authenticated. `cleartext`: in plaintext. `deferred`: the mail
 * stays in the sender's queue and bounces after some days.
 */
export const outcomes = [
  'verified',
  'unverified',
  'cleartext',
  'to-attacker',
  'deferred',
  'not-applicable',
  'unknown',
] as const;
export type DeliveryResult = (typeof outcomes)[number];

/** Three-valued facts: `unknown` is never treated as good or bad. */
export type Known = 'yes' | 'no' | 'unknown';

/**
 * The observations that a sender can make of a domain: the answers of DNS, of the policy
 * host and of each server. An attack is a function from view to view.
 */
export interface View {
  /**
   * `dnssec` is `indeterminate` when the status is unknown, for instance because the
   * resolver of this machine strips signatures.
   */
  readonly route: {
    readonly kind: 'mx' | 'implicit' | 'null-mx' | 'none' | 'error';
    readonly dnssec: Dnssec;
  };
  readonly mtaSts: StsView;
  /**
   * The MX hosts in the order of preference. Hosts and addresses that this machine could
   * not try (no IPv6) are omitted if others remain.
   */
  readonly hosts: readonly HostView[];
}

/** The MTA-STS policy of the policy domain. */
export interface StsView {
  /**
   * Result of a fetch at first contact. `unavailable`: no sender can fetch it (invalid,
   * bad certificate, 404, redirect). `unknown`: the fetch was inconclusive.
   */
  readonly live: 'enforce' | 'testing' | 'none' | 'absent' | 'unavailable' | 'unknown';
  /** The policy's mx patterns. */
  readonly mx: readonly string[];
  /**
   * Seconds for which a sender may cache the policy (RFC 8461 §3.2); with 0 it is not
   * cached.
   */
  readonly maxAge?: number;
}

/** One MX host. */
export interface HostView {
  readonly name: string;
  /**
   * Senders use hosts of equal preference in any order (RFC 5321 §5.1). Default: the
   * position in the list.
   */
  readonly preference?: number;
  /** Status of the address lookup, aliases included. */
  readonly dnssec: Dnssec;
  /**
   * The result of the TLSA lookup. `bogus` and `tempfail` are faults of the domain;
   * `unknown` means that the resolver of this machine prevented an answer.
   */
  readonly tlsa: 'usable' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'tempfail' | 'unknown';
  readonly servers: readonly ServerView[];
}

/** One address of a host. */
export interface ServerView {
  readonly ip: string;
  readonly reachable: Known;
  /** Whether the server offers STARTTLS under this exact keyword and accepts it. */
  readonly starttls: Known;
  /** Whether any TLS handshake succeeds. */
  readonly tls: Known;
  /** Whether the chain is trusted and in date and names the MX host (RFC 8461 §4.1). */
  readonly pkix: Known;
  /** Whether a usable TLSA record matches every observed certificate (RFC 7672 §3). */
  readonly dane: Known;
  /** Whether mail that this server accepts reaches the attacker. */
  readonly attacker: boolean;
}
