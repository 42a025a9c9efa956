import type { Expectation, Row } from './scenario.js';

/**
 * What mail meets, as rows: none, STARTTLS stripped, certificate swapped, MX forged,
 * everything suppressed.
 */
export const rows = {
  /** TLS that nobody checks. */
  open: ['unverified', 'cleartext', 'to-attacker', 'to-attacker', 'cleartext'],
  /** No TLS to begin with, and an MX that can be forged. */
  clear: ['cleartext', 'cleartext', 'cleartext', 'to-attacker', 'cleartext'],
  /** No TLS, but the MX cannot be forged. */
  clearSigned: ['cleartext', 'cleartext', 'cleartext', 'deferred', 'deferred'],
  /** Authenticated, whatever the attacker does. */
  sealed: ['verified', 'deferred', 'deferred', 'deferred', 'deferred'],
  /**
   * MTA-STS before the first policy was fetched: who forges or suppresses DNS keeps it
   * away.
   */
  firstContact: ['verified', 'deferred', 'deferred', 'to-attacker', 'cleartext'],
  /** DANE where the MX can be forged, but not the host's records. */
  hosted: ['verified', 'deferred', 'deferred', 'to-attacker', 'deferred'],
  /** A signed MX without TLSA records. */
  signedOnly: ['unverified', 'cleartext', 'to-attacker', 'deferred', 'deferred'],
  /**
   * TLSA records that nobody can use: TLS is mandatory, authentication impossible (RFC
   * 7672 §2.2).
   */
  unusable: ['unverified', 'deferred', 'to-attacker', 'deferred', 'deferred'],
  waits: ['deferred', 'deferred', 'deferred', 'deferred', 'deferred'],
  /** Waits today, and is lost to whoever keeps the policy away from a first contact. */
  waitsFirst: ['deferred', 'deferred', 'deferred', 'to-attacker', 'cleartext'],
  none: ['not-applicable', 'not-applicable', 'not-applicable', 'not-applicable', 'not-applicable'],
} satisfies Record<string, Row>;

type Exposure = Expectation['exposure'];

/** One row for every class of sender. */
export function everySender(row: Row): Exposure {
  return {
    opportunistic: row,
    mtaStsFirst: row,
    mtaStsCached: row,
    dane: row,
    bothFirst: row,
    bothCached: row,
  };
}

/** As every sender, but for these. */
export function exposure(row: Row, others: Partial<Exposure>): Exposure {
  return { ...everySender(row), ...others };
}

const { open, firstContact, sealed } = rows;

/** MTA-STS enforced, no DANE. */
export const stsOnly = exposure(open, {
  mtaStsFirst: firstContact,
  mtaStsCached: sealed,
  bothFirst: firstContact,
  bothCached: sealed,
});

/** DANE, no MTA-STS. */
export const daneOnly = exposure(open, { dane: sealed, bothFirst: sealed, bothCached: sealed });

/** Both. */
export const daneAndSts = exposure(sealed, { opportunistic: open, mtaStsFirst: firstContact });

/** Neither. */
export const unprotected = everySender(open);
