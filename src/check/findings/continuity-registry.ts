import type { FixStep } from '../../evidence/index.js';
import { recordsCommand, checkAgain, command, config, dns, noSteps, withDetail } from './entry.js';
import type { FindingEntry, FindingValues } from './entry.js';

/** Steps of every finding on a name that does not resolve. */
const repairName =
  (instruction: string) =>
  (values: FindingValues): FixStep[] => [dns(instruction), checkAgain(values)];

/**
 * Findings about future faults: none of them stops mail today. Each fault can end the
 * protection, or let another party control a name, without any change by the domain.
 */
export const continuityFindings = {
  /**
   * Raised when the policy host serves the policy at some of its addresses and not at
   * others. The severity is warn: senders that connect to a broken address obtain no
   * policy.
   */
  'sts-policy-address-broken': {
    topic: 'mta-sts',
    title: withDetail('The policy host fails at some addresses'),
    passed: 'The policy host serves the policy at every address',
    why: 'Senders that use such an address cannot fetch the policy. Senders without a cached policy then send without protection.',
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: 'Serve the policy with a valid certificate at every address, or remove the address from the DNS.',
    steps: (values) => [
      command(
        'Test each address. Replace ADDRESS by the address to test.',
        `curl --resolve mta-sts.${values.domain}:443:ADDRESS https://mta-sts.${values.domain}/.well-known/mta-sts.txt`,
      ),
      checkAgain(values),
    ],
  },
  /** Raised when the policy host serves different policies at two of its addresses. */
  'sts-policy-differs': {
    topic: 'mta-sts',
    title: withDetail('The addresses of the policy host serve different policies'),
    passed: 'Every address of the policy host serves the same policy',
    why: 'Senders apply the policy that they happen to fetch. After a change, the old policy can exclude the new mail hosts.',
    reference: 'RFC 8461 §3.3',
    owner: 'domain',
    fix: 'Serve the same file at every address.',
    steps: (values) => [
      config(`Copy the policy to every address of mta-sts.${values.domain}.`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the alias `mta-sts` points to a name that another party can register or
   * claim. The severity is fail: that party can obtain a certificate for the name.
   */
  'sts-host-claimable': {
    topic: 'mta-sts',
    title: 'Another party can claim the name of the policy host',
    passed: 'No other party can claim the name of the policy host',
    why: (values) =>
      `The new owner obtains a certificate for mta-sts.${values.domain}. Then they publish another policy, such as mode none.`,
    reference: 'RFC 8461 §8.2, §10.1',
    owner: 'domain',
    fix: 'Remove the alias, or point it to one of your hosts.',
    steps: (values) => [
      dns('Delete the alias until the policy host exists.', `mta-sts.${values.domain}.`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the target of the alias `mta-sts` has no address, and the check found no
   * way for another party to claim the target.
   */
  'sts-host-dangling': {
    topic: 'mta-sts',
    title: 'The alias of the policy host does not resolve',
    passed: 'The alias of the policy host resolves',
    why: 'Senders cannot fetch a policy. If another party registers the target of the alias, that party controls the policy.',
    reference: 'RFC 8461 §8.2',
    owner: 'domain',
    fix: 'Point the alias to an existing host, or remove it.',
    steps: repairName('Correct the CNAME record of mta-sts, or delete it.'),
  },
  /** Raised when the alias `_mta-sts` points to a name that does not exist. */
  'sts-record-dangling': {
    topic: 'mta-sts',
    title: 'The alias of the _mta-sts record does not resolve',
    passed: 'The alias of the _mta-sts record resolves',
    why: 'Senders find no MTA-STS record and fetch no policy. The owner of the alias target decides whether a record exists.',
    reference: 'RFC 8461 §8.2',
    owner: 'domain',
    fix: 'Point the alias to an existing TXT record, or publish the record itself.',
    steps: repairName('Correct the CNAME record of _mta-sts, or replace it by a TXT record.'),
  },
  /** Raised when a pattern of the policy matches no existing name. */
  'sts-mx-dangling': {
    topic: 'mta-sts',
    title: withDetail('The policy permits hosts that do not exist'),
    passed: 'Every pattern of the policy matches existing names',
    why: 'The next owner of such a name can obtain a certificate that the policy accepts. With forged MX records, senders deliver to that owner.',
    reference: 'RFC 8461 §4.1, §10.2',
    owner: 'domain',
    fix: 'Remove the pattern from the policy, and change the id in the record.',
    steps: (values) => [
      config('Remove the line mx: with this name from the policy.'),
      checkAgain(values),
    ],
  },
  /** Raised when an MX record names a host that another party can register or claim. */
  'mx-claimable': {
    topic: 'mx',
    title: (values) => `Another party can claim the MX host ${values.host}`,
    passed: 'No other party can claim a name in the MX records',
    why: 'The next owner of the name receives mail of the domain as soon as the other hosts do not answer.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Delete the MX record.',
    steps: (values) => [
      dns('Delete this record.', `${values.domain}. IN MX ${values.preference} ${values.host}.`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the TLS-RPT record names a receiver that another party can register or
   * claim.
   */
  'tlsrpt-target-claimable': {
    topic: 'tls-rpt',
    title: withDetail('Another party can claim the receiver of the TLS reports'),
    passed: 'No other party can claim a receiver of the TLS reports',
    why: 'Reports then tell that party which senders the domain has, and which deliveries fail.',
    reference: 'RFC 8460 §7',
    owner: 'domain',
    fix: 'Remove the URI from the _smtp._tls record, or replace it.',
    steps: repairName('Replace the URI in the TXT record of _smtp._tls.'),
  },
  /**
   * Raised when a receiver of reports exists and cannot receive reports. Its severity is
   * info.
   */
  'tlsrpt-target-dead': {
    topic: 'tls-rpt',
    title: withDetail('A receiver of TLS reports cannot receive them'),
    why: 'Senders cannot deliver their reports to this receiver, so you do not learn of failures.',
    reference: 'RFC 8460 §3',
    owner: 'domain',
    fix: 'Correct the URI in the _smtp._tls record, or start the receiver.',
    steps: repairName('Correct the URI in the TXT record of _smtp._tls.'),
  },
  /**
   * Raised when CAA records refuse the CA of the certificate in use. Senders accept the
   * certificate until the renewal, so the severity is warn.
   */
  'caa-excludes-issuer': {
    topic: 'certificate',
    title: (values) => `CAA refuses the next certificate of ${values.host}`,
    passed: 'CAA permits the CA of each certificate',
    why: 'The CA that issued the current certificate must not renew it. The certificate then expires.',
    reference: 'RFC 8659 §4',
    owner: 'domain',
    fix: 'Permit the CA in the CAA records, or change to a CA that they permit.',
    steps: (values) => [
      command('See the records.', `dig CAA ${values.detail || values.host}`),
      dns('Add an issue property for the CA of the certificate.'),
      checkAgain(values),
    ],
  },
  /**
   * Raised when DNSSEC validation fails at a name that a CA has to look up. CAs validate
   * DNSSEC, and issue no certificate if the validation fails.
   */
  'issuance-bogus': {
    topic: 'dnssec',
    title: (values) => `Broken DNSSEC stops the next certificate of ${values.host}`,
    passed: 'DNSSEC is valid at the names that a CA looks up',
    why: 'A CA issues no certificate if it cannot validate the CAA lookup or the address. The certificate then expires.',
    reference: 'RFC 8659 §3, RFC 4035 §5.5',
    owner: 'dns-host',
    fix: 'Sign the zone again. If the keys of the zone are lost, remove the DS record at the registrar.',
    steps: (values) => [
      command('See what fails.', `delv -t CAA ${values.detail || values.host}`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when a CAA lookup failed for a reason other than DNSSEC validation. The fault
   * may lie between this check and the name servers, so the severity is info.
   */
  'caa-lookup-failed': {
    topic: 'certificate',
    title: (values) => `The CAA records for ${values.host} could not be looked up`,
    why: 'Whether the CA may issue the next certificate is unknown. A CA whose lookup fails in the same way issues no certificate.',
    reference: 'RFC 8659 §3',
    owner: 'dns-host',
    fix: 'Configure every name server to answer CAA queries, including for names without such a record.',
    steps: (values) => [
      command('See the answer.', `dig CAA ${values.detail || values.host}`),
      checkAgain(values),
    ],
  },
  /**
   * Raised once when no host of the domain has CAA records. Its severity is info: most
   * domains have no CAA records.
   */
  'caa-absent': {
    topic: 'certificate',
    title: 'Any CA may issue certificates for the hosts of the domain',
    why: 'MTA-STS is as strong as the weakest CA. CAA records restrict issuance to the CAs in use.',
    reference: 'RFC 8659 §4.2',
    owner: 'domain',
    fix: 'List the CAs of all certificates, then publish CAA records that permit them.',
    steps: (values) => [
      command(
        'On the machine that obtains the certificates, print the records. The CAA records come last.',
        `${recordsCommand(values)} --config /etc/hermetic/hermetic.yaml`,
      ),
    ],
  },
  /** Raised when CAA binds every host to an account or a validation method (RFC 8657). */
  'caa-good': {
    topic: 'certificate',
    title: 'CAA restricts certificates to an account or a method',
    why: 'Another customer of the same CA cannot obtain a certificate for these hosts.',
    reference: 'RFC 8657 §3, §4',
    owner: 'domain',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  /**
   * Raised when signatures of the domain's own zones expire soon: less than a third of
   * their validity period and less than three days are left.
   */
  'dnssec-signature-near-expiry': {
    topic: 'dnssec',
    title: withDetail('DNSSEC signatures expire soon'),
    passed: 'The DNSSEC signatures do not expire soon',
    why: 'After they expire, the zone is bogus. Senders behind a validating resolver defer all mail.',
    reference: 'RFC 4035 §5.3.1',
    owner: 'dns-host',
    fix: 'Find out why the signer does not renew the signatures, and sign the zone again.',
    steps: (values) => [
      command('See the dates of the signatures.', `dig +dnssec MX ${values.domain}`),
      config('Look at the log of the signer, and at the clock of its machine.'),
      checkAgain(values),
    ],
  },
  /**
   * Raised when less than a third of the validity period of a signature is left. Some
   * signers renew signatures that late on purpose, so the severity is info.
   */
  'dnssec-signature-late': {
    topic: 'dnssec',
    title: withDetail('DNSSEC signatures are in the last third of their period'),
    why: 'If the signer stops, only a few days remain to notice it.',
    reference: 'RFC 6781 §4.4.2',
    owner: 'dns-host',
    fix: 'Configure the signer to renew signatures when a third of their period is left.',
    steps: noSteps,
  },
  /**
   * Raised when a secondary that no longer receives the zone would serve expired
   * signatures. Its severity is info.
   */
  'dnssec-expire-long': {
    topic: 'dnssec',
    title: withDetail('Secondaries may serve the zone after its signatures expire'),
    why: 'A secondary without contact to its primary answers until the expire time of the SOA record. The signatures of the zone expire earlier.',
    reference: 'RFC 6781 §4.4.1',
    owner: 'dns-host',
    fix: 'Lower the expire field of the SOA record below the remaining validity of the signatures.',
    steps: noSteps,
  },
  /**
   * Raised when one authoritative server returns no signatures, or older signatures than
   * the other servers.
   */
  'dnssec-stale-server': {
    topic: 'dnssec',
    title: withDetail('A name server returns old signatures'),
    passed: 'Every name server returns current signatures',
    why: 'Resolvers that ask this server cannot validate the MX record. Senders behind these resolvers defer mail.',
    reference: 'RFC 4035 §5.3.1',
    owner: 'dns-host',
    fix: 'Repair the zone transfer to this server, or remove it from the NS records.',
    steps: (values) => [
      command('Compare the serial numbers of the servers.', `dig +nssearch ${values.domain}`),
      checkAgain(values),
    ],
  },
} satisfies Record<string, FindingEntry>;
