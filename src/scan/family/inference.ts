import type { AddressEvidence } from '../../evidence/index.js';
import { matchesDnsName } from '../../x509/index.js';
import type { VisitObservation } from '../facts/observations.js';
import { visitCertificates } from '../facts/visit-certificates.js';
import { visitDigest } from '../grade/facts-key.js';
import { hashFraction } from './sample.js';

/**
 * Number of names of a family to visit before others can be inferred: at one address, or
 * at several addresses with the same result.
 */
export const PROBED_NAMES = 8;
/** Number of inferable names of which one is visited. */
export const SAMPLE_EVERY = 100;
/**
 * Maximum number of families at one address whose names are visited. Names with a policy
 * or TLSA records are visited in addition.
 */
export const MAX_FAMILIES = 50;

/** The visits of one family of host names at one address. Plain JSON. */
export interface FamilyAtAddress {
  /** Number of visited names with equal results. */
  readonly equal: number;
  /** The host whose visit represents the family; absent before the first usable visit. */
  readonly model?: string | undefined;
  /** Digest of the results without names and times. */
  readonly digest?: string | undefined;
  /** A visited name differed: every further name is visited. */
  readonly ended: boolean;
  /** Number of names that were inferred. */
  readonly inferred: number;
  /** Number of names that were visited although they could have been inferred. */
  readonly checked: number;
  /**
   * Number of checked names whose visit differed from the model: the errors of inference.
   */
  readonly wrong: number;
}

/** A family without visits. */
export const newFamily: FamilyAtAddress = {
  equal: 0,
  ended: false,
  inferred: 0,
  checked: 0,
  wrong: 0,
};

/** The host name for which `planVisit` decides. */
export interface PlannedName {
  readonly host: string;
  readonly address: string;
  /** A domain of the host has an MTA-STS policy, or the host has usable TLSA records. */
  readonly matters: boolean;
  /** Seed of the sample; each scan has its own. */
  readonly seed: string;
  /** Number of other families with a visited name at the address. */
  readonly otherFamilies: number;
  /**
   * Names of the family that showed `family.digest` at other addresses. Default none. If
   * there are {@link PROBED_NAMES} of these names, one visited name suffices at this
   * address.
   */
  readonly equalElsewhere?: number | undefined;
}

/**
 * `visit`: connect. `check`: connect, to measure the errors of inference. `infer`: copy the
 * visit of the model. `leave`: do not connect, the facts stay unknown.
 */
export type PlannedVisit = 'visit' | 'check' | 'infer' | 'leave';

/**
 * Decides whether a host name is visited at an address. A name is inferred after
 * {@link PROBED_NAMES} names of its family had the same result, at least one of them at
 * this address, if the certificate covers the name and no policy depends on the
 * certificate. `model`: the visit of `family.model`.
 *
 * An address with names of more than {@link MAX_FAMILIES} families belongs to a hosting
 * provider. One of {@link SAMPLE_EVERY} names of the further families is visited.
 */
export function planVisit(
  family: FamilyAtAddress,
  { host, address, matters, seed, otherFamilies, equalElsewhere = 0 }: PlannedName,
  model: VisitObservation | undefined,
): PlannedVisit {
  if (matters) return 'visit';
  const isSampled = hashFraction(seed, address, host) * SAMPLE_EVERY < 1;
  if (family.model === undefined && otherFamilies >= MAX_FAMILIES)
    return isSampled ? 'visit' : 'leave';
  if (family.ended || !model || family.equal + equalElsewhere < PROBED_NAMES) return 'visit';
  if (!coversName(model.address, host)) return 'visit';
  return isSampled ? 'check' : 'infer';
}

/**
 * Returns the state of the family after a name was visited or inferred. One difference
 * ends inference. A visit without an answer does not count as a difference.
 */
export function afterVisit(
  family: FamilyAtAddress,
  planned: PlannedVisit,
  visit: VisitObservation,
): FamilyAtAddress {
  if (planned === 'infer') return { ...family, inferred: family.inferred + 1 };
  if (planned === 'leave' || !isConclusive(visit.address)) return family;
  const digest = visitDigest(visit.address);
  const isEqual = family.digest === undefined || family.digest === digest;
  const isChecked = planned === 'check';
  return {
    ...family,
    equal: family.equal + (isEqual ? 1 : 0),
    model: family.model ?? visit.host,
    digest: family.digest ?? digest,
    ended: family.ended || !isEqual,
    checked: family.checked + (isChecked ? 1 : 0),
    wrong: family.wrong + (isChecked && !isEqual ? 1 : 0),
  };
}

/**
 * Returns the observation of an unvisited host: a copy of the model's observation, marked
 * as inferred.
 */
export function inferVisit(
  model: VisitObservation,
  { host, serverName }: Pick<VisitObservation, 'host' | 'serverName'>,
): VisitObservation {
  return {
    host,
    serverName,
    observedAt: model.observedAt,
    address: { ...model.address, inferredFrom: model.host },
  };
}

function isConclusive({ status, connections }: AddressEvidence): boolean {
  return status === 'reachable' && connections.some(({ handshake }) => handshake !== undefined);
}

/** Returns whether every certificate that the server showed is valid for the name. */
export function coversName(address: AddressEvidence, host: string): boolean {
  const chains = visitCertificates(address);
  return (
    chains.length > 0 && chains.every(([leaf]) => leaf !== undefined && matchesDnsName(leaf, host))
  );
}

/** The error of inference over many families: a share with its 95 % upper limit. */
export interface InferenceError {
  readonly inferred: number;
  readonly checked: number;
  readonly wrong: number;
  /** Upper limit of the share of wrong inferences, 0 to 1; 1 without a checked name. */
  readonly atMost: number;
}

/**
 * Sums up the inference of a scan. The upper limit comes from the Wilson interval, which
 * is also valid if few names show no error.
 */
export function inferenceError(
  families: Iterable<Pick<FamilyAtAddress, 'inferred' | 'checked' | 'wrong'>>,
): InferenceError {
  let [inferred, checked, wrong] = [0, 0, 0];
  for (const family of families) {
    inferred += family.inferred;
    checked += family.checked;
    wrong += family.wrong;
  }
  return { inferred, checked, wrong, atMost: wilsonUpper(wrong, checked) };
}

function wilsonUpper(wrong: number, of: number): number {
  if (of === 0) return 1;
  const z = 1.96;
  const share = wrong / of;
  const centre = share + (z * z) / (2 * of);
  const margin = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return Math.min(1, (centre + margin) / (1 + (z * z) / of));
}
