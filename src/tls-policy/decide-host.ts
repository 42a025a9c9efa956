import type { Dnssec } from '../dns/index.js';
import { matchMx } from '../mta-sts/index.js';
import type { HostView } from './types.js';

/** The sender's settings and the MTA-STS policy in force when a host is judged. */
export interface Rules {
  /** Whether the sender validates DNSSEC and honours TLSA records. */
  readonly dane: boolean;
  /**
   * The MTA-STS policy in force, live or cached by the cache rules; undefined without a
   * policy.
   */
  readonly mtaSts:
    | { readonly mode: 'enforce' | 'testing' | 'none'; readonly mx: readonly string[] }
    | 'not-used'
    | undefined;
  /**
   * Whether the sender enforces only DANE if DANE and MTA-STS both apply, as RFC 8461 §2
   * permits. Off by default: both must be satisfied.
   */
  readonly daneSuffices?: boolean;
  /**
   * Whether the sender applies DANE with an insecure MX RRset, which RFC 7672 §2.2.1
   * leaves to the sender [7672-2.2.1-3]. On by default: the host is authenticated; the MX
   * record that names it is not.
   */
  readonly daneWithInsecureMx?: boolean;
  /**
   * Requirement of the sender's operator: `tls` means never in plaintext (RFC 3207 §6),
   * `dane` mandatory DANE (RFC 7672 §6), `verified` the rules of REQUIRETLS (RFC 8689
   * §4.2.1).
   */
  readonly require?: 'tls' | 'dane' | 'verified' | undefined;
}

/** The authentication that a session with a server needs. */
export type AuthMechanism = 'dane' | 'pkix';

/**
 * Stable codes of the grounds of a decision; `explain` turns them into sentences with
 * clauses.
 */
export type Reason =
  | 'dane-usable'
  | 'dane-unusable'
  | 'dane-absent'
  | 'dane-insecure'
  | 'dane-insecure-mx'
  | 'dane-bogus'
  | 'dane-tempfail'
  | 'dane-not-told'
  | 'dane-not-used'
  | 'dane-suffices'
  | 'dane-skipped-insecure-mx'
  | 'address-bogus'
  | 'sts-enforce'
  | 'sts-testing'
  | 'sts-none'
  | 'sts-no-policy'
  | 'sts-not-used'
  | 'sts-mx-mismatch'
  | 'require-tls'
  | 'require-dane'
  | 'require-dane-missing'
  | 'require-verified'
  | 'require-verified-mx';

/**
 * The requirement for one MX host. `use`: connect, with TLS and authentication as stated.
 * `skip`: do not connect. `unknown`: DNSSEC status could not be determined.
 */
export type Decision =
  | {
      /**
       * The host can be used. `mandatory`: never in plaintext; without a mechanism in
       * `authenticate` any certificate is accepted (RFC 7672 §2.2). `opportunistic`: TLS
       * if the server offers it, plaintext otherwise.
       */
      readonly action: 'use';
      readonly tls: 'opportunistic' | 'mandatory';
      readonly authenticate: readonly AuthMechanism[];
      readonly reasons: readonly Reason[];
    }
  | {
      /** The host must not be used now; when no host is left, the mail is deferred. */
      readonly action: 'skip';
      readonly reasons: readonly Reason[];
    }
  | {
      /** The lookup from this machine was inconclusive. A sender treats it as `skip`. */
      readonly action: 'unknown';
      readonly reasons: readonly Reason[];
    };

type Part = {
  readonly kind: 'none' | 'encrypt' | AuthMechanism | 'skip' | 'unknown';
  readonly reason: Reason;
};

/**
 * Sort order of the grounds in a decision. The deciding ground comes first: a ground that
 * forbids the host, then a ground that leaves the host undecided, then the requirements.
 * A message to the operator quotes the first ground only.
 */
const weights: Readonly<Record<Part['kind'], number>> = {
  skip: 0,
  unknown: 1,
  dane: 2,
  pkix: 2,
  encrypt: 2,
  none: 3,
};

/**
 * Decides the conditions under which mail may be sent to a host. Only this pure function
 * makes the decision. `check` and the senders call this function, so a prediction and a
 * delivery cannot differ. MTA-STS and DANE are judged separately and both are enforced if
 * both apply (RFC 8461 §5, §2); neither ever weakens the other [8461-2-1].
 *
 * @param mxDnssec DNSSEC status of the MX RRset that named the host
 */
export function decideHost(
  host: Pick<HostView, 'name' | 'dnssec' | 'tlsa'>,
  mxDnssec: Dnssec,
  rules: Rules,
): Decision {
  const dane = rules.dane
    ? judgeDane(host, mxDnssec, rules)
    : ({ kind: 'none', reason: 'dane-not-used' } satisfies Part);
  let sts = judgeMtaSts(host.name, rules);
  if (rules.daneSuffices && dane.kind === 'dane' && sts.kind === 'pkix')
    sts = { kind: 'none', reason: 'dane-suffices' };
  const parts: readonly Part[] = [dane, sts, ...judgeRequired(host.name, mxDnssec, rules, dane)];
  const reasons = [...parts]
    .sort((left, right) => weights[left.kind] - weights[right.kind])
    .map((part) => part.reason);
  if (parts.some((part) => part.kind === 'skip')) return { action: 'skip', reasons };
  if (parts.some((part) => part.kind === 'unknown')) return { action: 'unknown', reasons };
  const authenticate = (['dane', 'pkix'] as const).filter((mechanism) =>
    parts.some((part) => part.kind === mechanism),
  );
  const mandatory = authenticate.length > 0 || parts.some((part) => part.kind === 'encrypt');
  return { action: 'use', tls: mandatory ? 'mandatory' : 'opportunistic', authenticate, reasons };
}

function judgeDane(host: Pick<HostView, 'dnssec' | 'tlsa'>, mxDnssec: Dnssec, rules: Rules): Part {
  // RFC 7672 §2.1.2, §2.2: bogus or failed lookups defer the mail and never cause a
  // fallback [7672-2.1.2-3, 7672-2.1.1-3].
  if (mxDnssec === 'bogus' || host.dnssec === 'bogus')
    return { kind: 'skip', reason: 'address-bogus' };
  if (mxDnssec === 'indeterminate' || host.dnssec === 'indeterminate' || host.tlsa === 'unknown')
    return { kind: 'unknown', reason: 'dane-not-told' };
  if (mxDnssec === 'insecure' && rules.daneWithInsecureMx === false)
    return { kind: 'none', reason: 'dane-skipped-insecure-mx' };
  switch (host.tlsa) {
    case 'usable': // [7672-2.2-1, 7672-2.2-3, 7671-4.1-1]
      return { kind: 'dane', reason: mxDnssec === 'insecure' ? 'dane-insecure-mx' : 'dane-usable' };
    case 'unusable': // RFC 7672 §2.2: TLS is mandatory, authentication impossible [7672-2.2-5, 7671-10.3-1].
      return { kind: 'encrypt', reason: 'dane-unusable' };
    case 'absent': // [7672-2.2-6]
      return { kind: 'none', reason: 'dane-absent' };
    case 'insecure': // [7672-2.1.1-2, 7672-2.2-2]
      return { kind: 'none', reason: 'dane-insecure' };
    case 'bogus':
      return { kind: 'skip', reason: 'dane-bogus' };
    case 'tempfail':
      return { kind: 'skip', reason: 'dane-tempfail' };
  }
}

function judgeMtaSts(hostName: string, { mtaSts }: Rules): Part {
  if (mtaSts === 'not-used') return { kind: 'none', reason: 'sts-not-used' };
  if (mtaSts === undefined) return { kind: 'none', reason: 'sts-no-policy' };
  // RFC 8461 §5 [8461-5-2]
  if (mtaSts.mode === 'none') return { kind: 'none', reason: 'sts-none' };
  if (mtaSts.mode === 'testing') return { kind: 'none', reason: 'sts-testing' };
  // RFC 8461 §5: a host that matches no pattern is not used [8461-5-1, 8461-4.1-2].
  return lists(mtaSts.mx, hostName)
    ? { kind: 'pkix', reason: 'sts-enforce' }
    : { kind: 'skip', reason: 'sts-mx-mismatch' };
}

/** Adds the requirement of the sender's operator or of the message (REQUIRETLS). */
function judgeRequired(
  hostName: string,
  mxDnssec: Dnssec,
  { require, mtaSts }: Rules,
  dane: Part,
): readonly Part[] {
  switch (require) {
    case undefined:
      return [];
    case 'tls':
      return [{ kind: 'encrypt', reason: 'require-tls' }];
    case 'dane': // RFC 7672 §6, §2.2.1: mandatory DANE defers mail after an insecure MX [7672-6-1, 7672-2.2.1-2].
      return dane.reason === 'dane-usable'
        ? [{ kind: 'dane', reason: 'require-dane' }]
        : [{ kind: 'skip', reason: 'require-dane-missing' }];
    case 'verified': {
      // RFC 8689 §4.2.1 [8689-4.2.1-1, 8689-4.2.1-2]
      const listed =
        typeof mtaSts === 'object' && mtaSts.mode !== 'none' && lists(mtaSts.mx, hostName);
      if (mxDnssec !== 'secure' && !listed)
        return [{ kind: 'skip', reason: 'require-verified-mx' }];
      return [{ kind: dane.kind === 'dane' ? 'dane' : 'pkix', reason: 'require-verified' }];
    }
  }
}

function lists(patterns: readonly string[], hostName: string): boolean {
  return patterns.some((pattern) => matchMx(pattern, hostName));
}
