import type { DomainDecision, HostDecision, Reason } from '../../../tls-policy/index.js';

/**
 * The share of MX hosts that Postfix can authenticate by TLSA records. `some` also
 * applies if the MX records are unsigned, although all hosts have TLSA records, and if a
 * host must be looked up first.
 */
export const daneColumns = ['all', 'some', 'none'] as const;
export type DaneColumn = (typeof daneColumns)[number];

/**
 * The state of MTA-STS for the domain. `none`: no policy, or mode none. `tempfail`: the
 * record could not be looked up, and no policy is cached.
 */
export const stsRows = ['enforce', 'testing', 'none', 'tempfail'] as const;
export type StsRow = (typeof stsRows)[number];

/**
 * The policy level returned to Postfix. One answer applies to all MX hosts of a domain,
 * so an answer cannot demand DANE of one host and MTA-STS of another. The answer is never
 * weaker than the requirement of any host that Postfix may use.
 */
export type TableAnswer =
  /** Postfix authenticates every host by DANE and uses no host without TLSA records. */
  | 'dane-only'
  /**
   * Postfix authenticates the hosts with TLSA records by DANE, and uses opportunistic TLS
   * with the others.
   */
  | 'dane'
  /**
   * Postfix authenticates every host by a certificate from a public CA for a host name in
   * the policy.
   */
  | 'secure'
  /** The map requires nothing, so the settings of main.cf apply. */
  | 'NOTFOUND'
  /**
   * Postfix defers the mail, because DANE is required and Postfix's resolver does not
   * validate DNSSEC.
   */
  | 'TEMP';

/**
 * Returns the answer for a column and row of the answer table. With `dane-only`, MTA-STS
 * never overrides a failed DANE validation (RFC 8461 §2); with `some`, only MTA-STS
 * covers every host. If Postfix cannot do DANE itself (`validates` false), no answer
 * relies on DANE: without the AD bit `dane` would silently mean `may`.
 */
export function tableAnswer(column: DaneColumn, row: StsRow, validates: boolean): TableAnswer {
  if (row === 'enforce') return column === 'all' && validates ? 'dane-only' : 'secure';
  if (column === 'none') return 'NOTFOUND';
  return validates ? 'dane' : 'TEMP';
}

/**
 * Returns the column of a decision. A host outside an enforced policy excludes `all`:
 * with the level `dane-only`, Postfix could use that host.
 */
export function columnOf({ route, hosts }: Pick<DomainDecision, 'route' | 'hosts'>): DaneColumn {
  const authenticated = (host: HostDecision): boolean =>
    host.decision.action === 'use' && host.decision.authenticate.includes('dane');
  if (route.dnssec === 'secure' && hosts.length > 0 && hosts.every(authenticated)) return 'all';
  const needsLook = hosts.some((host) =>
    host.decision.reasons.some((reason) => hasTlsaRecords(reason) || undecided.has(reason)),
  );
  return needsLook ? 'some' : 'none';
}

/** Returns whether a reason implies that a host has secure TLSA records. */
export function hasTlsaRecords(reason: Reason): boolean {
  return reason === 'dane-usable' || reason === 'dane-unusable' || reason === 'dane-insecure-mx';
}

/** Reasons of a host that may have secure TLSA records, because a lookup failed. */
const undecided: ReadonlySet<Reason> = new Set([
  'dane-bogus',
  'dane-tempfail',
  'dane-not-told',
  'address-bogus',
]);

/** Returns the row of a decision. */
export function rowOf({ mtaSts }: Pick<DomainDecision, 'mtaSts'>): StsRow {
  if (mtaSts.policy) return mtaSts.policy.mode;
  return mtaSts.record.status === 'tempfail' ? 'tempfail' : 'none';
}
