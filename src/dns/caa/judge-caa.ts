import { parseIssueValue, type CaaProperty, type IssueValue } from './parse-caa.js';

/** The properties of a certificate request that CAA records can restrict. */
export interface CaaRequest {
  /**
   * The domain names that identify this CA in CAA records; undefined if unknown.
   */
  readonly issuers: readonly string[] | undefined;
  /** Whether the certificate is for a wildcard name. */
  readonly wildcard: boolean;
  /** URI of the requesting account; undefined if unknown. */
  readonly accountUri?: string | undefined;
  /**
   * Validation methods that the account can use, such as `http-01`; undefined if unknown.
   */
  readonly methods?: readonly string[] | undefined;
}

/** The decision of a CA according to a CAA RRset. */
export interface CaaDecision {
  /**
   * `conditional`: the records restrict the account or the validation method, which the
   * request does not state. `unknown`: the names that identify this CA are not known, or
   * CAs interpret the records differently.
   */
  readonly answer: 'permitted' | 'conditional' | 'refused' | 'unknown';
  /** The property that determines the decision, and its effect. */
  readonly reason: string;
  /** Parameters that restrict the account or the validation method (RFC 8657). */
  readonly bound: readonly ('accounturi' | 'validationmethods')[];
}

/** Tags that every public CA processes (CA/B Forum BR §3.2.2.8). */
const required: ReadonlySet<string> = new Set(['issue', 'issuewild', 'iodef']);

/**
 * Further tags of the IANA registry. Some CAs do not support these tags. Let's Encrypt
 * supports only `issuemail`, and does not issue if a `contactemail` property is critical.
 */
const optional: ReadonlySet<string> = new Set([
  'issuemail',
  'issuevmc',
  'contactemail',
  'contactphone',
]);

/**
 * Decides whether a CAA RRset permits a CA to issue (RFC 8659 §4, RFC 8657 §3 and §4).
 * Pure. An empty RRset restricts no CA.
 */
export function judgeCaa(properties: readonly CaaProperty[], request: CaaRequest): CaaDecision {
  // [8659-4.1-1]
  const critical = properties.filter((one) => one.critical && !required.has(one.tag));
  const foreign = critical.find(({ tag }) => !optional.has(tag));
  if (foreign)
    return decided('refused', `the critical property "${foreign.tag}" is not understood by CAs`);
  const decision = judgeIssuers(properties, request);
  const [doubtful] = critical;
  if (!doubtful || decision.answer === 'refused') return decision;
  return decided('unknown', `some CAs do not understand the critical property "${doubtful.tag}"`);
}

/** Decides according to the properties that name issuers. */
function judgeIssuers(properties: readonly CaaProperty[], request: CaaRequest): CaaDecision {
  const relevant = relevantProperties(properties, request.wildcard);
  if (relevant.length === 0) return decided('permitted', 'no property restricts the issuer');
  const readable = relevant.flatMap(({ value }) => parseIssueValue(value) ?? []);
  const named = readable.filter(({ issuer }) => issuer !== '');
  if (named.length === 0) {
    const malformed = relevant.find(({ value }) => parseIssueValue(value) === undefined);
    if (malformed) return decided('refused', `"${malformed.value}" is malformed and permits no CA`);
    return decided('refused', `${relevant[0]?.tag ?? 'issue'} ";" permits no CA`);
  }
  const permits = [...new Set(named.map(({ issuer }) => issuer))].join(', ');
  const { issuers } = request;
  if (!issuers) return decided('unknown', `it permits ${permits}`);
  const own = named.filter(({ issuer }) => issuers.includes(issuer));
  if (own.length === 0) return decided('refused', `it permits ${permits} only`);
  const decision = best(own.map((issueValue) => judgeParameters(issueValue, request)));
  const isExact = relevant.some(({ value }) => issuers.some((name) => namesExactly(value, name)));
  if (decision.answer === 'refused' || isExact) return decision;
  return decided('unknown', `it permits ${permits} in capital letters, which some CAs refuse`);
}

/**
 * Returns whether the value spells the name of the CA exactly, in lower case.
 * RFC 8659 §4.2 compares names without regard to case, but Let's Encrypt compares octets.
 */
function namesExactly(value: string, issuer: string): boolean {
  return value.split(';')[0]?.trim() === issuer;
}

/**
 * Returns the properties that apply. For a wildcard name, `issuewild`, if present,
 * replaces `issue`; for any other name, `issuewild` is ignored (RFC 8659 §4.3).
 * [8659-4.3-1, 8659-4.3-2]
 */
function relevantProperties(
  properties: readonly CaaProperty[],
  wildcard: boolean,
): readonly CaaProperty[] {
  const having = (wanted: string): readonly CaaProperty[] =>
    properties.filter(({ tag }) => tag === wanted);
  const wild = wildcard ? having('issuewild') : [];
  return wild.length > 0 ? wild : having('issue');
}

/**
 * Judges the parameters of one property that names the CA. Each CA defines further
 * parameters itself, so this function ignores them. A repeated parameter permits no
 * request, and neither does a list of methods with an invalid label (RFC 8657 §3, §4)
 * [8657-3-1, 8657-4-1].
 */
function judgeParameters(
  { issuer, parameters }: IssueValue,
  { accountUri, methods }: CaaRequest,
): CaaDecision {
  const valuesOf = (wanted: string): readonly string[] =>
    parameters.filter(([tag]) => tag === wanted).map(([, value]) => value);
  const [accounts, lists] = [valuesOf('accounturi'), valuesOf('validationmethods')];
  const bound = (['accounturi', 'validationmethods'] as const).filter(
    (tag) => valuesOf(tag).length > 0,
  );
  if (accounts.length > 1 || lists.length > 1)
    return { answer: 'refused', bound, reason: `a parameter of ${issuer} is repeated` };
  const [account] = accounts;
  if (account !== undefined && accountUri !== undefined && account !== accountUri)
    return {
      answer: 'refused',
      bound,
      reason: `it permits ${issuer} for the account ${account} only`,
    };
  const labels = lists[0]?.split(',');
  const isSatisfiable =
    labels?.every((label) => /^[a-z\d-]+$/i.test(label)) &&
    labels.some((label) => methods?.includes(label) ?? true);
  if (labels && !isSatisfiable)
    return {
      answer: 'refused',
      bound,
      reason: `it permits ${issuer} by the methods "${lists[0] ?? ''}" only`,
    };
  const isOpen =
    (account !== undefined && accountUri === undefined) ||
    (labels !== undefined && methods === undefined);
  const limits = [
    ...(account === undefined ? [] : [`for the account ${account}`]),
    ...(labels === undefined ? [] : [`by ${labels.join(', ')}`]),
  ];
  return {
    answer: isOpen ? 'conditional' : 'permitted',
    bound,
    reason: [`it permits ${issuer}`, ...limits].join(' '),
  };
}

/**
 * Returns the most permissive decision: the CA may issue if any property permits it
 * (RFC 8659 §4.2).
 */
function best(decisions: readonly CaaDecision[]): CaaDecision {
  const answers = ['permitted', 'conditional', 'refused'] as const;
  const found = answers.flatMap((answer) => decisions.filter((one) => one.answer === answer));
  return found[0] ?? decided('unknown', '');
}

function decided(answer: CaaDecision['answer'], reason: string): CaaDecision {
  return { answer, reason, bound: [] };
}
