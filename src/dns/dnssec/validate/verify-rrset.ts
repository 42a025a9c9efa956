import type { Name } from '../../../base/index.js';
import { canonicalRdatas, countLabels, signedData } from '../canonical.js';
import type { AlgorithmRegistry } from '../algorithms.js';
import type { DnssecFailureCode } from '../failures.js';
import type { Rrsig } from '../../wire/rdata.js';
import type { RRset } from './rrset.js';
import type { ValidationLimits, ZoneKey } from './types.js';

/**
 * The remaining signature verifications, which all RRsets of a message and the whole
 * question share.
 */
export interface WorkBudget {
  checks: number;
  readonly question: { failed: number };
}

/** The result of a verification: the valid signature, or the failure. */
export type Verified =
  | {
      readonly ok: true;
      readonly signature: RRset['signatures'][number];
      /** Seconds for which the RRset may be cached. */ readonly ttl: number;
    }
  | { readonly ok: false; readonly code: DnssecFailureCode };

/** The algorithms, the time and the limits of a verification. */
export interface VerifyContext {
  readonly algorithms: AlgorithmRegistry;
  readonly limits: ValidationLimits;
  /** Time of the verification, milliseconds since 1970. */
  readonly now: number;
}

/** Failure codes, most specific first: the first one that occurred is reported. */
const gravity: readonly DnssecFailureCode[] = [
  'dnssec-limit',
  'dnssec-signature-invalid',
  'dnssec-signature-expired',
  'dnssec-signature-not-yet-valid',
  'dnssec-key-missing',
  'dnssec-signature-missing',
];

/**
 * Verifies an RRset with the keys of the zone that should have signed it (RFC 4035 §5.3).
 * One valid signature is sufficient (RFC 6840 §5.11).
 */
export function verifyRrset(
  recordSet: RRset,
  { zone, keys }: { readonly zone: Name; readonly keys: readonly ZoneKey[] },
  context: VerifyContext,
  workBudget: WorkBudget,
): Verified {
  const seen = new Set<DnssecFailureCode>();
  let rdatas: readonly Uint8Array[] | undefined;
  for (const signature of recordSet.signatures) {
    const { rrsig } = signature;
    if (rrsig.signer.key !== zone.key || rrsig.labels > countLabels(recordSet.name)) continue;
    const algorithm = context.algorithms.signatures.get(rrsig.algorithm);
    const fitting = keys
      .filter((zoneKey) => zoneKey.tag === rrsig.keyTag && zoneKey.algorithm === rrsig.algorithm)
      .slice(0, context.limits.keysPerTag);
    const time = timeOf(rrsig, context);
    if (time !== 'valid')
      seen.add(time === 'expired' ? 'dnssec-signature-expired' : 'dnssec-signature-not-yet-valid');
    else if (!algorithm || fitting.length === 0) seen.add('dnssec-key-missing');
    else {
      rdatas ??= canonicalRdatas(recordSet.records);
      const recordData = signedData(recordSet.records, rrsig, rdatas);
      for (const candidate of fitting) {
        if (workBudget.checks <= 0 || workBudget.question.failed <= 0)
          return { ok: false, code: 'dnssec-limit' };
        workBudget.checks--;
        const keyObject = candidate.key();
        if (keyObject && algorithm.verify(keyObject, recordData, rrsig.signature))
          return { ok: true, signature, ttl: ttlOf(recordSet, rrsig, context.now) };
        workBudget.question.failed--;
        seen.add('dnssec-signature-invalid');
      }
    }
  }
  return { ok: false, code: gravity.find((code) => seen.has(code)) ?? 'dnssec-signature-missing' };
}

/**
 * Compares a time with the validity period of a signature, in serial number arithmetic
 * (RFC 4034 §3.1.5). The clock skew tolerance deviates from RFC 4035 §5.3.1: see
 * {@link ValidationLimits.clockSkew} [4035-5.3.1-1].
 */
export function timeOf(
  rrsig: Rrsig,
  { now, limits }: Pick<VerifyContext, 'now' | 'limits'>,
): 'valid' | 'expired' | 'early' {
  const seconds = Math.floor(now / 1000);
  const { clockSkew } = limits;
  // A period that ends before it begins is invalid, even with a tolerance.
  if (((rrsig.expiration - rrsig.inception) | 0) < 0) return 'expired';
  if (((rrsig.expiration - seconds) | 0) + clockSkew < 0) return 'expired';
  if (((seconds - rrsig.inception) | 0) + clockSkew < 0) return 'early';
  return 'valid';
}

/**
 * Returns the TTL of a verified RRset, limited by the original TTL and the expiration of
 * the signature (RFC 4035 §5.3.3).
 */
function ttlOf(recordSet: RRset, rrsig: Rrsig, now: number): number {
  const left = Math.max(0, (rrsig.expiration - Math.floor(now / 1000)) | 0);
  return Math.min(
    ...recordSet.records.map((resourceRecord) => resourceRecord.ttl),
    rrsig.originalTtl,
    left,
  );
}
