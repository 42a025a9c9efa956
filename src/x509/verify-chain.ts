import { checkPath, validityOf, type PathJudgement } from './check-path.js';
import type { X509FailureCode } from './failures.js';
import { findPaths, type CandidatePath, type PathSearch, type SearchWork } from './find-paths.js';
import { trustStore, type TrustStore } from './trust-store.js';
import type { Certificate, ChainVerdict } from './types.js';

/**
 * Maximum number of paths to validate. The path with the fewest faults determines the
 * verdict.
 */
const MAX_PATHS = 32;

/** A chain as sent and the time to validate it at. */
export interface VerifyChainRequest {
  /**
   * The certificates as the server sent them: its own certificate first, the others in
   * any order.
   */
  readonly sent: readonly Certificate[];
  readonly anchors: TrustStore;
  /** Time at which the chain must be valid, milliseconds since 1970. */
  readonly validationTime: number;
  readonly purpose?: 'server';
}

/** A chain, and the rule that selects the anchors inside it. */
export interface AnchoredQuestion extends Omit<VerifyChainRequest, 'anchors'> {
  /** Anchors outside the chain: a TLSA record that holds a whole certificate or key. */
  readonly anchors?: TrustStore;
  /**
   * Selects the certificates of the chain that are anchors; `nestingDepth` 0 is the
   * server's own certificate.
   */
  readonly isAnchor: (certificate: Certificate, nestingDepth: number) => boolean;
  /** The search work, shared by several validations of one chain. */
  readonly work?: SearchWork;
}

/**
 * Determines whether a chain has a path to an anchor that RFC 5280 §6.1 permits. The name
 * is not checked (see `matchesDnsName`). Trust and dates are separate: an expired
 * certificate on a valid path is `trusted` and `expired`. `trusted` with the problem
 * `x509-weak-signature` means SHA-1 on the path, which {@link accepts} rejects.
 */
export function verifyChain({ sent, anchors, validationTime }: VerifyChainRequest): ChainVerdict {
  return judge(sent, validationTime, (leaf) => findPaths({ leaf, sent, anchors }));
}

/**
 * Validates a chain against anchors inside it or in a TLSA record, as DANE-TA requires
 * (RFC 7671 §5.2). No other anchor is trusted.
 */
export function findPathTo({
  sent,
  anchors = trustStore([]),
  isAnchor,
  validationTime,
  work,
}: AnchoredQuestion): ChainVerdict {
  return judge(sent, validationTime, (leaf) =>
    findPaths({ leaf, sent, anchors, anchored: isAnchor, work }),
  );
}

/** Returns true for a chain without any fault: trusted, in date, no weak signature. */
export function accepts({ chain, validity, problems }: ChainVerdict): boolean {
  return chain === 'trusted' && validity === 'valid' && problems.length === 0;
}

function judge(
  sent: readonly Certificate[],
  instant: number,
  search: (leaf: Certificate) => PathSearch,
): ChainVerdict {
  const [leafCertificate] = sent;
  if (!leafCertificate)
    return { chain: 'unknown', validity: 'valid', path: [], problems: ['x509-no-certificate'] };
  const { paths, seen } = search(leafCertificate);
  let best: (PathJudgement & { readonly path: CandidatePath }) | undefined;
  let count = 0;
  for (const candidatePath of paths) {
    if (++count > MAX_PATHS) break;
    const judged = { ...checkPath(candidatePath, instant), path: candidatePath };
    if (!best || rank(judged) < rank(best)) best = judged;
    if (rank(best) === 0) break;
  }
  if (!best)
    return {
      ...withoutPath(leafCertificate, seen),
      validity: validityOf([leafCertificate], instant),
      path: [],
    };
  const problems = [...best.problems, ...best.remarks];
  if (best.problems.length === 0)
    return { chain: 'trusted', validity: best.validity, path: best.path.certificates, problems };
  return { chain: 'unknown-ca', validity: best.validity, path: [], problems };
}

/**
 * Returns the rank of a path: fewer faults first; a path outside its dates ranks before
 * an invalid one.
 */
function rank({ problems, remarks, validity }: PathJudgement): number {
  return 1000 * problems.length + 10 * (validity === 'valid' ? 0 : 1) + remarks.length;
}

function withoutPath(
  leafCertificate: Certificate,
  seen: PathSearch['seen'],
): Pick<ChainVerdict, 'chain' | 'problems'> {
  const reasons: X509FailureCode[] = [];
  if (seen.badSignature) reasons.push('x509-bad-signature');
  if (seen.weakSignature) reasons.push('x509-weak-signature');
  if (seen.unknownAlgorithm) reasons.push('x509-unknown-algorithm');
  if (leafCertificate.selfIssued)
    return { chain: 'self-signed', problems: [...reasons, 'x509-self-signed'] };
  if (seen.limit) return { chain: 'unknown', problems: [...reasons, 'x509-limit'] };
  if (seen.selfIssuedTop || seen.badSignature)
    return { chain: 'unknown-ca', problems: [...reasons, 'x509-unknown-ca'] };
  if (reasons.length > 0) return { chain: 'unknown-ca', problems: reasons };
  return { chain: 'incomplete', problems: ['x509-issuer-missing'] };
}
