import type { Dnssec } from '../dns/index.js';

/** Classes of sender, each doing just what its RFC says. `First`: no MTA-STS policy cached yet; `Cached`: a valid one is. */
export const senders = ['opportunistic', 'mtaStsFirst', 'mtaStsCached', 'dane', 'bothFirst', 'bothCached'] as const;
export type Sender = (typeof senders)[number];

/** What an attacker on the path does: see DESIGN in ARCHITECTURE.md, "The attacker". */
export const attacks = ['none', 'stripStarttls', 'swapCertificate', 'spoofMx', 'suppress'] as const;
export type Attack = (typeof attacks)[number];

/** What becomes of the mail. */
export const outcomes = ['verified', 'unverified', 'cleartext', 'to-attacker', 'deferred', 'not-applicable', 'unknown'] as const;
export type Outcome = (typeof outcomes)[number];

/** Three-valued facts: `unknown` is never taken for good or bad. */
export type Known = 'yes' | 'no' | 'unknown';

/** The world as a sender finds it: what DNS, the policy host and each server answer. Attacks are functions from view to view. */
export interface View {
  readonly route: { readonly kind: 'mx' | 'implicit' | 'null-mx' | 'none' | 'error'; readonly dnssec: Dnssec };
  readonly mtaSts: StsView;
  /** In the order of preference. */
  readonly hosts: readonly HostView[];
}

export interface StsView {
  /** What a first contact finds. `unavailable`: there may be one, it could not be had (RFC 8461 §3.3: go on without). */
  readonly live: 'enforce' | 'testing' | 'none' | 'absent' | 'unavailable';
  readonly mx: readonly string[];
}

export interface HostView {
  readonly name: string;
  /** Status of the address lookup, aliases included. */
  readonly dnssec: Dnssec;
  readonly tlsa: 'usable' | 'unusable' | 'absent' | 'insecure' | 'bogus' | 'tempfail';
  readonly servers: readonly ServerView[];
}

/** One address of a host. */
export interface ServerView {
  readonly ip: string;
  readonly reachable: Known;
  readonly starttls: Known;
  /** A handshake succeeds at all. */
  readonly tls: Known;
  /** Trusted chain, in date, name matches the MX host (RFC 8461 §4.1). */
  readonly pkix: Known;
  /** A usable TLSA record matches (RFC 7672 §3). */
  readonly dane: Known;
  /** Mail accepted here reaches the attacker. */
  readonly attacker: boolean;
}
