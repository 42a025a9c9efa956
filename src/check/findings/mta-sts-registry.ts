import {
  checkAgain,
  command,
  config,
  confirm,
  dns,
  noSteps,
  withDetail,
  type FindingEntry,
  type FindingValues,
} from './entry.js';
import {
  correctRecord,
  lookUpFirst,
  MAX_AGE_DAY,
  MAX_AGE_WEEK,
  policyRecord,
  policyUrl,
  publishPolicy,
  reportingSteps,
  serveAgain,
  servePolicy,
  thenEnforce,
} from './mta-sts-steps.js';

/**
 * The consequence of every fault that prevents senders from obtaining a policy. A cached
 * policy still protects mail until it expires. The text does not mention the cache, since
 * a new sender has none.
 */
const unprotected =
  'No sender obtains a policy. An attacker who strips STARTTLS or forges DNS can read the mail.';
/**
 * The same consequence for a failure that may be temporary or limited to this network.
 */
const unprotectedMeanwhile =
  'A sender that cannot fetch the policy uses its cached policy, or none. This check does not know the content of the policy.';
/** The detail of the failure, appended to a consequence if no reason contains it. */
const observedDetail = ({ detail, reason }: FindingValues): string =>
  detail && reason === undefined ? ` Seen: ${detail}.` : '';

/** Findings on the MTA-STS record and policy. */
export const mtaStsFindings = {
  /**
   * Raised when no TXT record at _mta-sts begins with v=STSv1 and DANE already protects
   * every host. Its severity is info, since DANE is the stronger mechanism; without DANE
   * the finding `no-enforcement` is raised instead.
   */
  'sts-absent': {
    topic: 'mta-sts',
    title: 'MTA-STS is not published',
    passed: 'An MTA-STS policy is published',
    why: 'An attacker can strip TLS from mail of senders that do not validate DNSSEC.',
    reference: 'RFC 8461 §3',
    owner: 'domain',
    fix: 'Publish a policy in mode testing, read the reports, then enforce.',
    steps: publishPolicy,
  },
  /**
   * Raised when the single record begins with v=STSv1 and violates the grammar of RFC
   * 8461 §3.1. Senders treat the domain like a domain without MTA-STS. The domain loses
   * protection and no mail, so the severity is warn.
   */
  'sts-record-invalid': {
    topic: 'mta-sts',
    title: 'The _mta-sts TXT record is not valid',
    passed: 'The _mta-sts TXT record is valid',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Replace the record.',
    steps: correctRecord,
  },
  /**
   * Raised when a record is clearly meant for MTA-STS and senders discard it, for example
   * because of its version tag. Without this finding, the check would advise the operator
   * to publish a first policy.
   */
  'sts-record-ignored': {
    topic: 'mta-sts',
    title: 'The _mta-sts TXT record is nearly an MTA-STS record',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Correct the record: senders discard one that does not begin with v=STSv1;.',
    steps: correctRecord,
  },
  /**
   * Raised when `_mta-sts` has no record and a similar name has one. Its severity is
   * info, since another finding contains the steps that publish a policy.
   */
  'sts-record-misplaced': {
    topic: 'mta-sts',
    title: 'An MTA-STS record is published at an unused name',
    why: ({ domain }) =>
      `Senders look up the record only at _mta-sts.${domain}, and find none there.`,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: ({ domain }) => `Move the record to _mta-sts.${domain}, after the policy is served.`,
    steps: noSteps,
  },
  /**
   * Raised when the parser accepts the policy although RFC 8461 §3.2 forbids its syntax.
   * The severity is warn, because some senders are stricter.
   */
  'sts-policy-odd': {
    topic: 'mta-sts',
    title: 'The policy file departs from the standard',
    passed: 'The policy file follows the standard',
    why: 'Tolerant senders use the policy. Other senders refuse the policy or read it differently.',
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Correct the line and publish the record with a new id.',
    steps: (findingValues) => [
      config(
        `Correct the policy file at ${policyUrl(findingValues)}: ${findingValues.reason ?? 'the line named above'}.`,
      ),
      policyRecord(findingValues),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised for extension fields and other parts that senders must ignore (RFC 8461 §3.1,
   * §3.2). No sender is affected, so the severity is info.
   */
  'sts-policy-note': {
    topic: 'mta-sts',
    title: 'The MTA-STS record or policy has an unusual part',
    why: 'The part is valid, but probably a mistake.',
    reference: 'RFC 8461 §3',
    owner: 'domain',
    fix: 'Correct or remove the part, unless it is intended.',
    steps: (findingValues) => [
      confirm(
        `Look at the record _mta-sts.${findingValues.domain} and at ${policyUrl(findingValues)}: ${findingValues.reason ?? 'the part named above'}.`,
      ),
    ],
  },
  /**
   * Raised when the TXT lookup had no usable answer. Nothing is known about the policy,
   * so the severity is info, and the verdict becomes inconclusive.
   */
  'sts-lookup-failed': {
    topic: 'mta-sts',
    title: 'The lookup of the MTA-STS record failed',
    why: 'Whether a policy is published is unknown. Senders without a cached policy apply none.',
    reference: 'RFC 8461 §3.1',
    owner: 'dns-host',
    fix: 'Configure every name server to answer TXT queries, including for names without a TXT record. Then check again.',
    steps: (findingValues) => [
      command('Show the answer.', `dig +dnssec TXT _mta-sts.${findingValues.domain}`),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a limit of this machine, or the operator of the policy host, prevented
   * the fetch.
   */
  'sts-policy-not-fetched': {
    topic: 'network',
    title: 'This check did not fetch the MTA-STS policy',
    why: 'The policy host shares its addresses with other domains. The operator of the host refuses checks, or this machine has reached its connection limit for the host. Whether the policy works is unknown.',
    reference: 'RFC 8461 §3.3',
    owner: 'own-network',
    fix: 'Check the domain again on another day.',
    steps: (findingValues) => [checkAgain(findingValues)],
  },
  /**
   * Raised when more than one record begins with v=STSv1. Senders must then assume that
   * there is no policy (RFC 8461 §3.1).
   */
  'sts-record-multiple': {
    topic: 'mta-sts',
    title: 'There are several _mta-sts TXT records',
    passed: 'There is exactly one _mta-sts TXT record',
    why: unprotected,
    reference: 'RFC 8461 §3.1',
    owner: 'domain',
    fix: 'Keep exactly one record that begins with v=STSv1.',
    steps: (findingValues) => [
      dns(`Delete every TXT record at _mta-sts.${findingValues.domain} that begins with v=STSv1.`),
      ...correctRecord(findingValues),
    ],
  },
  /**
   * Raised when the record is valid and the HTTPS request fails because of the name, the
   * connection, the status or the size. Senders without a cached policy deliver without
   * any policy. After a failure that may be temporary the policy is unknown, and the
   * verdict becomes inconclusive.
   */
  'sts-policy-unreachable': {
    topic: 'mta-sts',
    title: (findingValues) =>
      `The MTA-STS policy ${findingValues.temporary ? 'could not be fetched from here' : 'cannot be fetched'}`,
    passed: 'The policy can be fetched over HTTPS',
    why: (findingValues) =>
      `${findingValues.temporary ? unprotectedMeanwhile : unprotected}${observedDetail(findingValues)}`,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (findingValues) =>
      findingValues.advice ??
      `Make ${policyUrl(findingValues)} answer with status 200 and the complete policy.`,
    steps: (findingValues) =>
      findingValues.temporary ? serveAgain(findingValues) : publishPolicy(findingValues),
  },
  /**
   * Raised when the answer is a redirect. Senders must not follow a redirect (RFC 8461
   * §3.3): the policy has to come from the policy host itself.
   */
  'sts-policy-redirect': {
    topic: 'mta-sts',
    title: 'The policy address answers with a redirect',
    passed: 'The policy is served without a redirect',
    why: unprotected,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (findingValues) =>
      `Serve the policy at ${policyUrl(findingValues)} itself: senders must not follow a redirect.`,
    steps: publishPolicy,
  },
  /**
   * Raised when the certificate of the policy host is not trusted, expired, or not valid
   * for the name of the host. HTTPS is the only authentication of the policy, so senders
   * discard the answer.
   */
  'sts-policy-webpki-invalid': {
    topic: 'mta-sts',
    title: (findingValues) => `The certificate of mta-sts.${findingValues.domain} is not accepted`,
    passed: 'The certificate of the policy host is accepted',
    why: (findingValues) => `${unprotected}${observedDetail(findingValues)}`,
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: (findingValues) =>
      `Install a certificate from a public CA for mta-sts.${findingValues.domain}.`,
    steps: publishPolicy,
  },
  /**
   * Raised when the media type is not text/plain (RFC 8461 §3.2). The rule protects a
   * site with user uploads: an uploaded file of another type cannot act as a policy.
   */
  'sts-policy-wrong-type': {
    topic: 'mta-sts',
    title: 'The policy is not served as text/plain',
    passed: 'The policy is served as text/plain',
    why: unprotected,
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Serve the policy with Content-Type: text/plain.',
    steps: (findingValues) => [
      ...lookUpFirst(findingValues),
      servePolicy(findingValues, 'testing'),
      config(
        'Set this directive in the server block of nginx:',
        'location = /.well-known/mta-sts.txt { default_type text/plain; }',
      ),
      policyRecord(findingValues),
      ...thenEnforce(findingValues),
    ],
  },
  /** Raised when the file violates the grammar or lacks a required field. */
  'sts-policy-invalid': {
    topic: 'mta-sts',
    title: 'The policy file is not valid',
    passed: 'The policy file is valid',
    why: (findingValues) => `${unprotected}${observedDetail(findingValues)}`,
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Replace the policy file with a valid one.',
    steps: publishPolicy,
  },
  /**
   * Raised when the fetched policy is in mode testing. The severity is warn: the mode is
   * right for a new policy, and protects no mail.
   */
  'sts-mode-testing': {
    topic: 'mta-sts',
    title: 'MTA-STS is in mode testing',
    passed: 'The policy is enforced',
    why: 'Senders report failures and deliver anyway. An attacker who strips STARTTLS or forges DNS can read the mail.',
    reference: 'RFC 8461 §5',
    owner: 'domain',
    fix: 'Once the reports show no failure, change the mode to enforce.',
    steps: (findingValues) => [
      ...lookUpFirst(findingValues),
      ...reportingSteps(findingValues),
      ...thenEnforce(findingValues),
    ],
  },
  /**
   * Raised when the fetched policy is in mode none, the orderly way to withdraw MTA-STS.
   */
  'sts-mode-none': {
    topic: 'mta-sts',
    title: 'MTA-STS is withdrawn (mode none)',
    why: 'The policy asks senders to apply no policy.',
    reference: 'RFC 8461 §8.3',
    owner: 'domain',
    fix: 'Publish a policy in mode testing, read the reports, then enforce.',
    steps: publishPolicy,
  },
  /**
   * Raised for each MX host without a matching mx pattern, if a pattern matches another
   * host. The severity is fail only in mode enforce, in which senders skip the host.
   */
  'sts-mx-mismatch': {
    topic: 'mta-sts',
    title: (findingValues) => `The MTA-STS policy does not list ${findingValues.host}`,
    passed: 'The policy lists every MX host',
    why: 'In mode enforce, senders do not use this host. If no other host is left, the mail is deferred and bounces.',
    reference: 'RFC 8461 §4.1',
    owner: 'domain',
    fix: (findingValues) =>
      `Add the line "mx: ${findingValues.host}" to the policy. If the host is not yours, remove its MX record.`,
    steps: (findingValues) => [
      confirm(
        `Make sure that ${findingValues.host} is yours and has a trusted certificate for its name.`,
      ),
      servePolicy(
        findingValues,
        findingValues.policy?.mode ?? 'testing',
        [...new Set([...(findingValues.policy?.mx ?? []), findingValues.host])],
        findingValues.policy?.maxAge ?? MAX_AGE_DAY,
      ),
      policyRecord(findingValues),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised instead of one finding per host when no host matches the policy. The usual
   * cause is a policy that was not updated after a change of provider; in mode enforce
   * all mail stops.
   */
  'sts-no-mx-matches': {
    topic: 'mta-sts',
    title: 'The MTA-STS policy lists no MX host',
    why: 'In mode enforce, senders have no host for delivery. The mail is deferred and bounces.',
    reference: 'RFC 8461 §4.1',
    owner: 'domain',
    fix: 'List the MX hosts of the domain in the policy.',
    steps: (findingValues) =>
      findingValues.policy?.mode === 'enforce'
        ? publishPolicy(findingValues)
        : [
            ...lookUpFirst(findingValues),
            servePolicy(findingValues, 'testing'),
            policyRecord(findingValues),
            checkAgain(findingValues),
          ],
  },
  /**
   * Raised when a certificate of the policy host expires soon. Senders can fetch the
   * policy until the expiry, so the severity is warn.
   */
  'sts-policy-cert-near-expiry': {
    topic: 'mta-sts',
    title: withDetail('The certificate of the policy host expires soon'),
    why: 'After it expires, senders cannot fetch the policy. Senders without a cached policy then send without protection.',
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: 'Find out why the renewal failed, and make sure that the web server reloads after it.',
    steps: (findingValues) => [
      command('Try the renewal on the policy host.', 'certbot renew --dry-run'),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when max_age is below the limit of the profile, one day in the baseline.
   * Senders enforce the policy, and an attacker can wait until their caches expire, so
   * the severity is info.
   */
  'sts-max-age-short': {
    topic: 'mta-sts',
    title: (findingValues) =>
      `Senders cache the policy only for ${findingValues.detail || 'a short time'}`,
    why: 'When max_age expires, an attacker who blocks the lookup can strip TLS again.',
    reference: 'RFC 8461 §3.2',
    owner: 'domain',
    fix: 'Raise max_age to several weeks once the policy has worked without failures.',
    steps: (findingValues) => [
      servePolicy(
        findingValues,
        findingValues.policy?.mode ?? 'testing',
        findingValues.policy?.mx ?? findingValues.mx,
        MAX_AGE_WEEK,
      ),
      policyRecord(findingValues),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the policy is enforced, lists every host, and every certificate received
   * from every host is valid for the host's name.
   */
  'sts-good': {
    topic: 'mta-sts',
    title: 'MTA-STS is enforced and every MX host satisfies it',
    why: 'Senders that know the policy deliver only to the right servers, over TLS.',
    reference: 'RFC 8461 §5',
    owner: 'domain',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  /**
   * Raised when the domain publishes neither MTA-STS nor DANE, and no finding reports a
   * fault of either. The severity is warn: encryption then stops passive attackers only.
   */
  'no-enforcement': {
    topic: 'mta-sts',
    title: (findingValues) =>
      findingValues.detail === ''
        ? 'Neither DANE nor MTA-STS makes senders require TLS'
        : 'DANE of the hosts does not protect the unsigned MX record',
    passed: 'DANE or MTA-STS makes senders require TLS',
    why: (findingValues) =>
      findingValues.detail === ''
        ? 'An attacker strips STARTTLS or shows any certificate, and senders still deliver.'
        : `An attacker forges the MX record, and senders deliver to the forged host: ${findingValues.detail}. Senders that do not validate DNSSEC require no TLS.`,
    reference: 'RFC 8461 §1, RFC 7672 §1.3',
    owner: 'domain',
    fix: 'Publish an MTA-STS policy in mode testing, read the reports, then enforce.',
    steps: publishPolicy,
  },
} satisfies Record<string, FindingEntry>;
