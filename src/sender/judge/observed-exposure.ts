import {
  attacks,
  senders,
  type Attack,
  type DeliveryResult,
  type Exposure,
  type SenderClass,
} from '../../tls-policy/index.js';
import type { CaseVerdict } from '../verdict.js';

/** The verdict of a case; undefined if the test did not open it. */
type VerdictOf = (caseId: string) => CaseVerdict | undefined;
type Cells = Readonly<Record<Attack, DeliveryResult>>;

/**
 * Returns the exposure table of a sender by observation: each row is a class of receiving
 * domain, each cell the result of the case that performs the attack on it. If two
 * mechanisms protect a domain, either one is enough. A cell without a settled case is
 * `unknown`.
 *
 *   row           none    stripped       fake certificate   forged DNS   blocked
 *   no policy     plain   clear          self-signed        (plain)      clear
 *   MTA-STS       sts     sts-clear      sts-self-signed    sts-mx       sts-cached
 *   DANE          dane    dane-clear     dane-mismatch      bogus-mx     dane-bogus-tlsa
 */
export function observedExposure(verdictOf: VerdictOf): Exposure {
  const opportunistic = withoutPolicy(verdictOf);
  const mtaStsFirst = firstContact(verdictOf, opportunistic);
  const mtaStsCached = cachedPolicy(verdictOf, mtaStsFirst);
  const dane = daneRow(verdictOf, opportunistic);
  const both = resultOf(verdictOf('both'), 'unverified');
  const table: Record<SenderClass, Cells> = {
    opportunistic,
    mtaStsFirst,
    mtaStsCached,
    dane,
    bothFirst: { ...eitherOf(dane, mtaStsFirst), none: both },
    bothCached: { ...eitherOf(dane, mtaStsCached), none: both },
  };
  return Object.fromEntries(senders.map((row) => [row, table[row]])) as unknown as Exposure;
}

/**
 * Returns the row of a domain without a policy. An attacker can forge unsigned DNS
 * answers, so the attacker's own host receives the mail. That host has a certificate for
 * its own name, and no case shows whether a sender that verifies without a policy
 * compares the certificate with that host name or with the domain.
 */
function withoutPolicy(verdictOf: VerdictOf): Cells {
  const stripped = resultOf(verdictOf('clear'), 'unknown');
  const delivered = resultOf(verdictOf('plain'), 'unverified');
  const swapped = resultOf(verdictOf('self-signed'), 'to-attacker');
  return {
    none: delivered,
    stripStarttls: stripped,
    swapCertificate: swapped,
    spoofMx: isDelivery(delivered) && isDelivery(swapped) ? 'to-attacker' : 'unknown',
    suppress: stripped,
  };
}

/**
 * Returns the row of a domain with MTA-STS at the first contact. An attacker in control
 * of DNS hides the policy before the first contact (RFC 8461 §10.2).
 */
function firstContact(verdictOf: VerdictOf, { spoofMx, suppress }: Cells): Cells {
  return {
    none: resultOf(verdictOf('sts'), 'unverified'),
    stripStarttls: resultOf(verdictOf('sts-clear'), 'unknown'),
    swapCertificate: resultOf(verdictOf('sts-self-signed'), 'to-attacker'),
    spoofMx,
    suppress,
  };
}

/**
 * Returns the row of a domain whose MTA-STS policy is cached. Forged DNS also hides the
 * policy record, so the sender must refuse the cases `sts-mx` and `sts-cached`.
 */
function cachedPolicy(verdictOf: VerdictOf, first: Cells): Cells {
  const suppress = resultOf(verdictOf('sts-cached'), 'unknown');
  const otherHost = resultOf(verdictOf('sts-mx'), 'to-attacker');
  let spoofMx: DeliveryResult = 'unknown';
  if (otherHost === 'deferred' && suppress === 'deferred') spoofMx = 'deferred';
  else if (isDelivery(otherHost) || isDelivery(suppress)) spoofMx = 'to-attacker';
  return { ...first, spoofMx, suppress };
}

function daneRow(verdictOf: VerdictOf, { suppress }: Cells): Cells {
  const blocked = resultOf(verdictOf('dane-bogus-tlsa'), 'to-attacker');
  return {
    none: resultOf(verdictOf('dane'), 'unverified'),
    stripStarttls: resultOf(verdictOf('dane-clear'), 'unknown'),
    swapCertificate: resultOf(verdictOf('dane-mismatch'), 'to-attacker'),
    spoofMx: resultOf(verdictOf('bogus-mx'), 'to-attacker'),
    suppress: isDelivery(blocked) ? suppress : blocked,
  };
}

/**
 * Returns the row of a domain with both mechanisms: mail is deferred if one of the
 * mechanisms defers it.
 */
function eitherOf(left: Cells, right: Cells): Cells {
  const cell = (attack: Attack): DeliveryResult => {
    const pair = [left[attack], right[attack]];
    if (pair.includes('deferred')) return 'deferred';
    return pair.includes('unknown') ? 'unknown' : left[attack];
  };
  return Object.fromEntries(attacks.map((attack) => [attack, cell(attack)])) as unknown as Cells;
}

/**
 * Returns the cell for the verdict of a case.
 *
 * @param underTls the result if the message arrived under TLS without verification
 */
function resultOf(verdict: CaseVerdict | undefined, underTls: DeliveryResult): DeliveryResult {
  switch (verdict) {
    case 'delivered-verified':
      return underTls === 'unverified' ? 'verified' : underTls;
    case 'delivered-unverified':
      return underTls;
    case 'delivered-in-plaintext':
      return 'cleartext';
    case 'refused':
      return 'deferred';
    default:
      return 'unknown';
  }
}

function isDelivery(result: DeliveryResult): boolean {
  return result !== 'deferred' && result !== 'unknown';
}
