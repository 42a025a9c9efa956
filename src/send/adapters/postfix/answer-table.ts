import type { DomainDecision, HostDecision, Reason } from '../../../tls-policy/index.js';

/**
 * The share of MX hosts with TLSA records that Postfix can authenticate by. `some` also
 * covers all hosts behind an unsigned MX, and any host that needs a lookup.
 */
export const daneColumns = ['all', 'some', 'none'] as const;
export type DaneColumn = (typeof daneColumns)[number];

/**
 * The state of MTA-STS. `none`: no policy, or mode none. `tempfail`: the record could not
 * be looked up, and no policy is cached.
 */
export const stsRows = ['enforce', 'testing', 'none', 'tempfail'] as const;
export type StsRow = (typeof stsRows)[number];

/**
 * The policy level returned to Postfix. One answer applies to all MX hosts of a domain,
 * so it cannot express "DANE for this host, MTA-STS for that one". It is never weaker
 * than the requirement of any host that Postfix may use.
 */
export type TableAnswer =
  /** Every host by DANE; a host without it is not used. */
  | 'dane-only'
  /** Each host with TLSA records by DANE, the others as if there were no policy. */
  | 'dane'
  /** Every host by a certificate from a public CA for a name that the policy lists. */
  | 'secure'
  /** No requirement: Postfix applies main.cf. */
  | 'NOTFOUND'
  /** Mail is deferred: DANE is required, and Postfix's resolver does not validate. */
  | 'TEMP';

/**
 * The answer table. With `dane-only`, MTA-STS never overrides a failed DANE validation
 * (RFC 8461 §2); with `some`, only MTA-STS covers every host. If Postfix cannot do DANE
 * itself (`validates` false), no answer relies on DANE: without the AD bit `dane` would
 * silently mean `may`.
 */
export function tableAnswer(column: DaneColumn, row: StsRow, validates: boolean): TableAnswer {
  if (row === 'enforce') return column === 'all' && validates ? 'dane-only' : 'secure';
  if (column === 'none') return 'NOTFOUND';
  return validates ? 'dane' : 'TEMP';
}

/**
 * The column of a decision. A host outside an enforced policy excludes `all`: with DANE
 * only, Postfix could use that host.
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

/** Returns whether a ground implies that a host has secure TLSA records. */
export function hasTlsaRecords(reason: Reason): boolean {
  return reason === 'dane-usable' || reason === 'dane-unusable' || reason === 'dane-insecure-mx';
}

/** Grounds of a host that may have secure TLSA records, since a lookup failed. */
const undecided: ReadonlySet<Reason> = new Set([
  'dane-bogus',
  'dane-tempfail',
  'dane-not-told',
  'address-bogus',
]);

/** The row of a decision. */
export function rowOf({ mtaSts }: Pick<DomainDecision, 'mtaSts'>): StsRow {
  if (mtaSts.policy) return mtaSts.policy.mode;
  return mtaSts.record.status === 'tempfail' ? 'tempfail' : 'none';
}
