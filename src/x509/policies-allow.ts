import type { Certificate, PolicyLimits } from './types.js';

/** The anyPolicy identifier, which represents every policy (RFC 5280 §4.2.1.4). */
const ANY_POLICY = '2.5.29.32.0';

/**
 * The state of certificate policy processing. All initial policies are acceptable, so
 * validation only needs to know whether the valid policy tree has a node at this depth.
 * The set of policies that the next certificate may name gives this result in linear
 * time, while a tree can grow exponentially (RFC 9618 §3).
 */
interface State {
  /**
   * The number of certificates before an explicit policy is required, and before mapping
   * and anyPolicy are inhibited.
   */
  explicitPolicy: number;
  mapping: number;
  anyPolicy: number;
  /** The expected policies of the nodes at this depth; empty if the tree is NULL. */
  expected: ReadonlySet<string>;
}

/**
 * Returns true if the certificate policies of a path permit it: RFC 5280 §6.1.3 (d) to
 * (f), §6.1.4 (a), (b), (h) to (j), §6.1.5 (a), (b), (g) [5280-6.1.5-1], with every
 * initial policy acceptable. `certificates` is leaf first, without the anchor; limits of
 * the anchor are the initial values.
 */
export function policiesAllow(certificates: readonly Certificate[], anchor?: Certificate): boolean {
  const unlimited = certificates.length + 1;
  const state: State = {
    explicitPolicy: unlimited,
    mapping: unlimited,
    anyPolicy: unlimited,
    expected: new Set([ANY_POLICY]),
  };
  if (anchor) limit(state, anchor.policyLimits);
  return certificates.toReversed().every((certificate, index) => {
    const last = index === certificates.length - 1;
    const nodes = nodesOf(certificate, state, last);
    if (state.explicitPolicy === 0 && nodes.size === 0) return false;
    if (last) return nodes.size > 0 || !needsPolicy(certificate, state);
    if (mapsAnyPolicy(certificate)) return false;
    state.expected = mapped(certificate, nodes, state.mapping > 0);
    if (!certificate.selfIssued) countDown(state);
    limit(state, certificate.policyLimits);
    return true;
  });
}

/**
 * Returns the policies of the tree's nodes at the depth of this certificate (§6.1.3 (d)).
 */
function nodesOf(
  { policies, selfIssued }: Certificate,
  { expected, anyPolicy }: State,
  last: boolean,
): ReadonlySet<string> {
  if (!policies) return new Set();
  const any = expected.has(ANY_POLICY);
  const named = policies.filter((policy) => policy !== ANY_POLICY && (any || expected.has(policy)));
  const mayBeAny = anyPolicy > 0 || (!last && selfIssued);
  return new Set(policies.includes(ANY_POLICY) && mayBeAny ? [...named, ...expected] : named);
}

/** Returns true for a mapping from or to anyPolicy, which §6.1.4 (a) forbids. */
function mapsAnyPolicy({ policyMappings }: Certificate): boolean {
  return policyMappings.some(
    (policyMapping) => policyMapping.issuer === ANY_POLICY || policyMapping.subject === ANY_POLICY,
  );
}

/**
 * Returns the expected policies of the next depth: those of the nodes. A mapped policy is
 * replaced or, if mapping is inhibited, removed.
 */
function mapped(
  { policyMappings }: Certificate,
  nodes: ReadonlySet<string>,
  allowed: boolean,
): ReadonlySet<string> {
  const expected = new Set(nodes);
  for (const { issuer } of policyMappings) expected.delete(issuer);
  if (!allowed) return expected;
  for (const { issuer, subject } of policyMappings)
    if (nodes.has(issuer) || nodes.has(ANY_POLICY)) expected.add(subject);
  return expected;
}

/** Counts one certificate that is not self-issued (§6.1.4 (h)). */
function countDown(state: State): void {
  state.explicitPolicy = Math.max(0, state.explicitPolicy - 1);
  state.mapping = Math.max(0, state.mapping - 1);
  state.anyPolicy = Math.max(0, state.anyPolicy - 1);
}

/** Applies the limits of a certificate if they are stricter (§6.1.4 (i), (j)). */
function limit(state: State, { explicitPolicy, mapping, anyPolicy }: PolicyLimits): void {
  state.explicitPolicy = Math.min(state.explicitPolicy, explicitPolicy ?? Infinity);
  state.mapping = Math.min(state.mapping, mapping ?? Infinity);
  state.anyPolicy = Math.min(state.anyPolicy, anyPolicy ?? Infinity);
}

/**
 * Returns whether a path needs an explicit policy, §6.1.5 (a) and (b): the last
 * certificate counts as well, and its own requirement of zero applies.
 */
function needsPolicy({ policyLimits }: Certificate, { explicitPolicy }: State): boolean {
  return explicitPolicy <= 1 || policyLimits.explicitPolicy === 0;
}
