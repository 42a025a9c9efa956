import type {
  CaaEvidence,
  ContinuityEvidence,
  Evidence,
  PolicyAddressEvidence,
  ReferenceEvidence,
  SignatureEvidence,
} from '../../evidence/index.js';
import { judgeCaa, type CaaDecision } from '../../dns/index.js';
import { caaIssuersOf, parseCertificate, type Certificate } from '../../x509/index.js';
import type { FindingId } from '../findings/catalogue.js';
import { ownFailures } from '../own-failures.js';
import { continuityFindings } from '../findings/continuity-registry.js';
import type { FindingCollector } from './finding-collector.js';

const DAY = 86_400_000;
/**
 * The remaining time, in milliseconds, from which a signature is never reported as close
 * to expiry.
 */
const SIGNATURE_MARGIN = 3 * DAY;
const HOUR = 3_600_000;

/**
 * Reports future faults: broken addresses of the policy host, signatures close to expiry,
 * CAA records that prevent a renewal, and names that another party can claim. A failed
 * lookup raises no finding on a future fault.
 */
export function continuityRules(raised: FindingCollector): void {
  const { continuity, mtaSts } = raised.evidence;
  policyAddressRules(raised, mtaSts.policyAddresses ?? []);
  if (!continuity) return;
  const now = Date.parse(raised.evidence.collectedAt);
  signatureRules(raised, continuity, now);
  serverRules(raised, continuity, now);
  caaRules(raised, continuity);
  for (const reference of continuity.references) referenceRules(raised, reference);
}

/**
 * Returns the rules for which the evidence is not sufficient, for `undecided` of the
 * result.
 */
export function undecidedContinuity({ continuity, mtaSts, route }: Evidence): FindingId[] {
  if (route.kind === 'null-mx' || route.kind === 'none') return [];
  if (!continuity) return Object.keys(continuityFindings) as FindingId[];
  const { signatures, servers, caa, references } = continuity;
  const undecided: FindingId[] = [];
  const add = (isOpen: boolean, ...ids: readonly FindingId[]): void => {
    if (isOpen) undecided.push(...ids);
  };
  const own = (mtaSts.policyAddresses ?? []).some(({ failure }) =>
    ownFailures.has(failure?.code ?? ''),
  );
  add(own || mtaSts.status === 'tempfail', 'sts-policy-address-broken', 'sts-policy-differs');
  // A secure route without saved signatures: the resolver validated the answers.
  add(
    route.dnssec === 'indeterminate' || (route.dnssec === 'secure' && signatures.length === 0),
    'dnssec-signature-near-expiry',
    'dnssec-signature-late',
    'dnssec-expire-long',
  );
  add(
    servers.some(({ failure }) => failure !== undefined) ||
      (route.dnssec === 'secure' && servers.length === 0),
    'dnssec-stale-server',
  );
  add(
    caa.some(({ status }) => status === 'failed'),
    'caa-excludes-issuer',
    'caa-absent',
  );
  add(
    caa.some((lookup) => lookup.status === 'failed' && !isRefusedByAll(lookup)),
    'issuance-bogus',
  );
  for (const { role, status } of references) add(status === 'failed', ...idsOfRole[role]);
  return [...new Set(undecided)];
}

/** The findings that a reference of each role can raise. */
const idsOfRole: Readonly<Record<ReferenceEvidence['role'], readonly FindingId[]>> = {
  'policy-host': ['sts-host-claimable', 'sts-host-dangling'],
  'sts-record': ['sts-record-dangling'],
  'policy-mx': ['sts-mx-dangling'],
  mx: ['mx-claimable'],
  report: ['tlsrpt-target-claimable', 'tlsrpt-target-dead'],
};

function policyAddressRules(
  raised: FindingCollector,
  addresses: readonly PolicyAddressEvidence[],
): void {
  const serving = addresses.filter(({ failure }) => failure === undefined);
  const broken = addresses.filter(
    ({ failure }) => failure !== undefined && !ownFailures.has(failure.code),
  );
  // If the policy is available at no address, the failed fetch is a separate finding.
  if (serving.length > 0 && broken.length > 0)
    raised.add('sts-policy-address-broken', {
      detail: broken.map(({ address }) => address).join(', '),
      reason: broken
        .map(({ address, failure }) => `${address}: ${failure?.detail || failure?.code || ''}`)
        .join('; '),
    });
  if (new Set(serving.map(({ policySha256 }) => policySha256)).size > 1)
    raised.add('sts-policy-differs', {
      detail: serving.map(({ address }) => address).join(', '),
    });
}

/**
 * Raises findings on the signatures of zones that the domain or its hosting provider
 * signs, and not on signatures of registries.
 */
function signatureRules(
  raised: FindingCollector,
  { signatures }: ContinuityEvidence,
  now: number,
): void {
  const own = signatures.filter(({ registry }) => registry === undefined);
  const ending = own.filter((signature) => isEnding(signature, now));
  const late = own.filter(
    (signature) => !ending.includes(signature) && leftOf(signature, now) < periodOf(signature) / 3,
  );
  if (ending.length > 0)
    raised.add('dnssec-signature-near-expiry', {
      detail: ending.map(endOf).join(', '),
      reason: ending.map(({ rrset, expiration }) => `${rrset}: ${expiration}`).join('; '),
    });
  if (late.length > 0) raised.add('dnssec-signature-late', { detail: late.map(endOf).join(', ') });
  const outlived = own.filter(
    (signature) => (signature.soaExpire ?? 0) * 1000 > leftOf(signature, now),
  );
  if (outlived.length > 0)
    raised.add('dnssec-expire-long', {
      detail: outlived
        .map(({ zone, soaExpire = 0 }) => `${zone}, ${Math.round(soaExpire / 86_400)} days`)
        .join('; '),
    });
}

const endOf = ({ zone, expiration }: SignatureEvidence): string =>
  `${zone} on ${expiration.slice(0, 10)}`;

type Period = Pick<SignatureEvidence, 'inception' | 'expiration'>;

const leftOf = ({ expiration }: Period, now: number): number => Date.parse(expiration) - now;
const periodOf = ({ inception, expiration }: Period): number =>
  Date.parse(expiration) - Date.parse(inception);

/**
 * Returns whether less than a third of the validity period and less than three days
 * remain.
 */
function isEnding(period: Period, now: number): boolean {
  return leftOf(period, now) < Math.min(SIGNATURE_MARGIN, periodOf(period) / 3);
}

/**
 * Raises findings on outdated name servers. A server counts as outdated only if another
 * server has later signatures, or if its own signatures have expired.
 */
function serverRules(raised: FindingCollector, { servers }: ContinuityEvidence, now: number): void {
  const seen = servers.filter(({ failure }) => failure === undefined);
  const latest = Math.max(...seen.map(({ expiration }) => Date.parse(expiration ?? '') || 0));
  const stale = seen.filter(({ inception, expiration }) => {
    if (inception === undefined || expiration === undefined) return latest > 0;
    const period = { inception, expiration };
    const isOlder = latest - Date.parse(expiration) > HOUR;
    return leftOf(period, now) <= 0 || (isOlder && isEnding(period, now));
  });
  if (stale.length === 0) return;
  raised.add('dnssec-stale-server', {
    detail: stale.map(({ server }) => server).join(', '),
    reason: stale
      .map(
        ({ server, address, expiration = 'no signature' }) =>
          `${server} [${address}]: ${expiration}`,
      )
      .join('; '),
  });
}

function caaRules(raised: FindingCollector, { caa, references }: ContinuityEvidence): void {
  const decisions = caa.map((caaEvidence) => judgeOne(raised, caaEvidence));
  for (const reference of references) {
    const { role, status, value } = reference;
    if (role === 'policy-host' && status === 'failed' && isRefusedByAll(reference))
      raised.add('issuance-bogus', {
        host: value,
        reason: `the address lookup of ${value} is bogus`,
      });
  }
  const own = caa.filter(({ host }) => `.${host}`.endsWith(`.${raised.evidence.domain}`));
  if (own.length > 0 && own.every(({ status }) => status === 'absent')) raised.add('caa-absent');
  const isBound = ({ answer, bound }: CaaDecision): boolean =>
    bound.length > 0 && answer !== 'refused';
  if (decisions.length > 0 && decisions.every((decision) => decision && isBound(decision)))
    raised.add('caa-good');
}

/**
 * Returns true for an answer that no validator accepts. RFC 9276 §3.2 lets a validator
 * treat an answer with too many NSEC3 iterations as bogus, as this resolver does, or as
 * insecure.
 */
function isRefusedByAll({ dnssec, failure }: Pick<CaaEvidence, 'dnssec' | 'failure'>): boolean {
  return dnssec === 'bogus' && failure?.code !== 'dnssec-iterations';
}

/** Judges the CAA records for one host; undefined if they are unknown. */
function judgeOne(raised: FindingCollector, caaEvidence: CaaEvidence): CaaDecision | undefined {
  const { host, certificateName, status, at, alias, records, failure } = caaEvidence;
  const where = alias === undefined ? at : `${at}, an alias of ${alias}`;
  if (status === 'failed') {
    const id = isRefusedByAll(caaEvidence) ? 'issuance-bogus' : 'caa-lookup-failed';
    const reason = [failure?.detail ?? '', `(${failure?.code ?? 'no answer'})`].join(' ').trim();
    raised.add(id, { host, detail: at, reason: `CAA of ${where}: ${reason}` });
    return undefined;
  }
  const leaf = publicLeaf(raised.evidence, host);
  const wildcard = certificateName.startsWith('*.');
  const decision = judgeCaa(records, { issuers: leaf && caaIssuersOf(leaf), wildcard });
  if (decision.answer === 'refused' && leaf)
    raised.add('caa-excludes-issuer', {
      host,
      detail: at,
      reason: `CAA at ${where}: ${decision.reason}; the certificate for ${certificateName} is from ${leaf.issuerText}`,
    });
  return decision;
}

/**
 * Returns the leaf of a chain from a public CA: CAA does not apply to the certificates
 * that a DANE domain issues to itself.
 */
function publicLeaf({ hosts, mtaSts, domain }: Evidence, host: string): Certificate | undefined {
  const policyLeaf = host === `mta-sts.${domain}` ? mtaSts.policyHost?.chain[0] : undefined;
  const shown = hosts
    .filter(({ name }) => name === host)
    .flatMap(({ addresses }) => addresses.flatMap(({ connections }) => connections))
    .flatMap(({ handshake }) =>
      handshake?.pkix.chain === 'trusted' ? (handshake.chain[0] ?? []) : [],
    );
  const leaf = policyLeaf ?? shown[0];
  const parsed = leaf === undefined ? undefined : parseCertificate(Buffer.from(leaf, 'base64'));
  return parsed?.ok ? parsed.value : undefined;
}

function referenceRules(raised: FindingCollector, reference: ReferenceEvidence): void {
  const { role, value, status } = reference;
  const isDead = (status === 'nxdomain' || status === 'nothing') && !reference.wildcard;
  const claim = claimOf(reference, raised.evidence);
  const reason = reasonOf(reference, claim);
  if (role === 'policy-host' && reference.alias) {
    if (claim !== undefined) raised.add('sts-host-claimable', { reason });
    else if (isDead) raised.add('sts-host-dangling', { reason });
  }
  if (role === 'sts-record' && reference.alias && isDead)
    raised.add('sts-record-dangling', { reason });
  // Another party cannot register names in the domain's own zone.
  const isOwn = `.${value}`.toLowerCase().endsWith(`.${raised.evidence.domain}`);
  if (role === 'policy-mx' && isDead && !isOwn)
    raised.add('sts-mx-dangling', { detail: value, reason });
  if (role === 'mx' && claim !== undefined)
    raised.add('mx-claimable', {
      host: value,
      reason,
      preference: raised.evidence.hosts.find(({ name }) => name === value)?.preference ?? 10,
    });
  if (role !== 'report') return;
  if (claim !== undefined) raised.add('tlsrpt-target-claimable', { detail: value, reason });
  else if (isDead || status === 'refused')
    raised.add('tlsrpt-target-dead', { detail: value, reason });
}

/**
 * Failures which show that the hosting service works and has no policy host of this name.
 */
const unserved: ReadonlySet<string> = new Set([
  'sts-policy-http-status',
  'sts-policy-webpki-invalid',
]);

/**
 * Returns the reason why another party can claim the target. A hosted name that exists
 * counts as claimable only if its service does not serve the policy: the name then
 * belongs to no customer, or to another customer.
 */
function claimOf(
  { role, status, target, deniedDomain, service }: ReferenceEvidence,
  { mtaSts }: Evidence,
): string | undefined {
  if (deniedDomain !== undefined)
    return `the DNS denies that ${deniedDomain} exists, so it may be available for registration`;
  if (service === undefined) return undefined;
  if (status === 'nxdomain') return `${target} belongs to ${service} and no customer uses it`;
  const fails = mtaSts.problems.some(({ code }) => unserved.has(code));
  if (role !== 'policy-host' || !fails) return undefined;
  return `${target} belongs to ${service}, which does not serve the policy`;
}

const states = {
  receives: 'exists',
  nothing: 'has no address',
  nxdomain: 'does not exist',
  refused: 'refuses connections',
  failed: 'could not be looked up',
} as const;

function reasonOf({ value, target, status, role }: ReferenceEvidence, claim?: string): string {
  const isDirect = value === target || role === 'report';
  const leads = isDirect ? value : `${value} is an alias of ${target}`;
  if (claim !== undefined) return `${leads}: ${claim}`;
  return value === target ? `${target} ${states[status]}` : `${leads}: ${target} ${states[status]}`;
}
