import type { Evidence } from '../../evidence/index.js';
import { settleKey } from '../../tls/index.js';
import { handshakeFailed } from './session.js';
import type { FindingId } from '../findings/catalogue.js';
import type { Profile } from '../profiles/profile.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';
import { unsettled } from './tls-rules.js';

/**
 * Returns the findings that the profile tests on an address at this depth and that the
 * answers neither raise nor rule out. Empty for an address without STARTTLS, whose fault
 * another finding reports.
 */
export function undecidedRules(
  { depth, mtaSts }: Evidence,
  { tls }: Profile,
  { evidence: { tlsa } }: JudgedHost,
  { summary, probed, connection, strictTls }: JudgedAddress,
): readonly FindingId[] {
  if (summary.starttls !== 'offered') return [];
  const strict = strictTls === 'unknown' ? (['tls-outdated-suites'] as const) : [];
  // Triage asks no questions. Its only open finding is that on old suites, if TLSA
  // records or an enforced policy require TLS.
  const required = tlsa.status === 'usable' || mtaSts.policy?.mode === 'enforce';
  if (depth === 'triage') return required ? strict : [];
  // If the first conversation did not reach TLS, `mx-inconclusive` already reports the
  // cause.
  if (!connection?.handshake && !handshakeFailed(connection?.failure?.code)) return [];
  // A server can have an RSA and an ECDSA certificate. A sender that selects the
  // certificate unknown to this check may find another fault.
  const unseen =
    connection?.handshake &&
    (['RSA', 'ECDSA'] as const).some((key) => settleKey(probed.inference, key) === 'unknown');
  return [
    ...unsettled(probed, tls),
    ...strict,
    ...(unseen && tlsa.status === 'usable' ? (['dane-mismatch'] as const) : []),
    ...(unseen && mtaSts.policy?.mode === 'enforce' ? (['cert-unknown-ca'] as const) : []),
  ];
}
