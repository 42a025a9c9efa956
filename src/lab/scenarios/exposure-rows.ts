import type { Expectation, Row } from './scenario.js';

/**
 * Expected delivery results of one class of sender. Columns: no attack, STARTTLS
 * stripped, certificate replaced, MX forged, everything suppressed.
 */
export const rows = {
  /** TLS without authentication. */
  open: ['unverified', 'cleartext', 'to-attacker', 'to-attacker', 'cleartext'],
  /** No TLS, and an MX record that can be forged. */
  clear: ['cleartext', 'cleartext', 'cleartext', 'to-attacker', 'cleartext'],
  /** No TLS, but the MX is signed. */
  clearSigned: ['cleartext', 'cleartext', 'cleartext', 'deferred', 'deferred'],
  /** Authenticated under every attack: the mail is deferred rather than exposed. */
  sealed: ['verified', 'deferred', 'deferred', 'deferred', 'deferred'],
  /**
   * MTA-STS before the first fetch: an attacker suppresses the policy by forging or
   * blocking DNS.
   */
  firstContact: ['verified', 'deferred', 'deferred', 'to-attacker', 'cleartext'],
  /** DANE if an attacker can forge the MX record, but not the host's records. */
  hosted: ['verified', 'deferred', 'deferred', 'to-attacker', 'deferred'],
  /** A signed MX without TLSA records. */
  signedOnly: ['unverified', 'cleartext', 'to-attacker', 'deferred', 'deferred'],
  /** Unusable TLSA records only: TLS without authentication (RFC 7672 §2.2). */
  unusable: ['unverified', 'deferred', 'to-attacker', 'deferred', 'deferred'],
  waits: ['deferred', 'deferred', 'deferred', 'deferred', 'deferred'],
  /**
   * Deferred without an attack, exposed when the policy is suppressed at first contact.
   */
  waitsFirst: ['deferred', 'deferred', 'deferred', 'to-attacker', 'cleartext'],
  none: ['not-applicable', 'not-applicable', 'not-applicable', 'not-applicable', 'not-applicable'],
} satisfies Record<string, Row>;

type Exposure = Expectation['exposure'];

/** Returns one row for every class of sender. */
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

/** Returns one row for every class of sender, except the classes in `others`. */
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
