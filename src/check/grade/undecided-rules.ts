import type { Evidence } from '../../evidence/index.js';
import { settleKey } from '../../tls/index.js';
import { handshakeFailed } from './exposure.js';
import type { FindingId } from '../findings/catalogue.js';
import type { Profile } from '../profiles/profile.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';
import { unsettled } from './tls-rules.js';

/**
 * Returns the rules that apply to an address at this depth and that its answers neither
 * raise nor rule out.
 */
export function undecidedRules(
  { depth, mtaSts }: Evidence,
  { tls }: Profile,
  { evidence: { tlsa } }: JudgedHost,
  { summary, probed, connection }: JudgedAddress,
): readonly FindingId[] {
  if (depth === 'triage' || summary.starttls !== 'offered') return [];
  // If the first connection failed, that failure is the finding.
  if (!connection?.handshake && !handshakeFailed(connection?.failure?.code)) return [];
  // A certificate that has not been seen may be the one that is wrong.
  const unseen =
    connection?.handshake &&
    (['RSA', 'ECDSA'] as const).some((key) => settleKey(probed.inference, key) === 'unknown');
  return [
    ...unsettled(probed, tls),
    ...(unseen && tlsa.status === 'usable' ? (['dane-mismatch'] as const) : []),
    ...(unseen && mtaSts.policy?.mode === 'enforce' ? (['cert-unknown-ca'] as const) : []),
  ];
}
