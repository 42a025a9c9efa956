import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  checkElsewhere,
  command,
  config,
  confirm,
  dns,
  noSteps,
  postfixStep,
  reloadPostfix,
  wait,
  withDetail,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

/**
 * The name whose zone has to be signed: the host, or the end of the alias at its TLSA
 * owner name.
 */
const inertName = ({ host, tlsaAlias }: FindingValues): string => tlsaAlias ?? host;

/** The owner name of the TLSA records of a host, with its final dot. */
const tlsaOwner = (findingValues: FindingValues): string => `_25._tcp.${findingValues.host}.`;

/**
 * Lets the operator compare the key on the server with the key that this check received.
 * Otherwise the operator could publish the key of an attacker who impersonates the
 * server, and DANE would then protect the attacker.
 */
const compareKey = (findingValues: FindingValues): FixStep[] => [
  command(
    `On ${findingValues.host}, print the digest of the key in use.`,
    'openssl x509 -in /etc/ssl/mail/fullchain.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum',
  ),
  confirm(
    `Compare it with the digest that this check saw: ${findingValues.spkiSha256 || 'none'}. ` +
      'If they differ, stop: another server answered.',
  ),
];

/**
 * Steps in the order of RFC 7671 §8.1: the new record is added first, a wait lets every
 * cache expire, and the old records are removed last. A sender thus always obtains at
 * least one record that matches.
 */
const publishForKey = (findingValues: FindingValues): FixStep[] => [
  ...compareKey(findingValues),
  config('Keep this key at renewal (certbot: --reuse-key). A new key needs a new record.'),
  dns(
    'Add this record and keep the existing ones.',
    `${tlsaOwner(findingValues)} 3600 IN TLSA 3 1 1 ${findingValues.spkiSha256 || 'DIGEST'}`,
  ),
  wait('Wait two TTLs of the TLSA records.'),
  checkAgain(findingValues),
  dns(`Delete the TLSA records at ${tlsaOwner(findingValues)} that match no key in use.`),
];

/**
 * DANE has no fallback: a usable record set that does not match stops delivery (RFC 7672
 * §2.2), so the consequence is lost mail and not lost privacy.
 */
const deferred =
  'Senders with DANE do not use this server, even without an attacker. If no other server is left, they defer the mail and finally bounce it.';

/** A fix with its steps. */
interface Repair {
  readonly fix: string;
  readonly steps: readonly FixStep[];
}

/** Returns the fix for the reason of a mismatch. */
function mismatchRepair(findingValues: FindingValues): Repair {
  const kinds = new Set(findingValues.tlsa.map(({ kind }) => kind));
  const weaker = findingValues.tlsa.find(({ matchesAlone }) => matchesAlone === true);
  // RFC 7671 §9: one record matches, and senders ignore it because of a stale record with
  // a stronger digest.
  if (weaker) {
    const group = weaker.record.slice(0, 4);
    const stronger = findingValues.tlsa
      .filter(({ record }) => record.startsWith(`${group}2 `))
      .map(({ record }) => record);
    return {
      fix: `Delete the record with the stronger digest. The record ${group}1 next to it matches.`,
      steps: [
        ...compareKey(findingValues),
        ...stronger.map((record) =>
          dns('Delete this record.', `${tlsaOwner(findingValues)} IN TLSA ${record}`),
        ),
        checkAgain(findingValues),
      ],
    };
  }
  if (kinds.has('anchor-not-sent'))
    return {
      fix: 'Send the CA certificate that the record names, or publish 3 1 1 for the key.',
      steps: [
        postfixStep(
          'smtpd_tls_chain_files = /etc/ssl/mail/privkey.pem, /etc/ssl/mail/fullchain-with-ca.pem',
          `Append that CA certificate to the chain that ${findingValues.host} sends. Set in /etc/postfix/main.cf:`,
        ),
        reloadPostfix,
        checkAgain(findingValues),
      ],
    };
  if (kinds.has('path') || kinds.has('date') || kinds.has('name'))
    return {
      fix: 'Replace the faulty certificate: the record is correct. Or publish the record 3 1 1 of the key, which does not depend on the chain.',
      steps: publishForKey(findingValues),
    };
  if (kinds.has('wrong-form') || kinds.has('wrong-usage'))
    return {
      fix: 'Publish the record 3 1 1 of the key, then delete the records with wrong parameters.',
      steps: publishForKey(findingValues),
    };
  return {
    fix: 'Make sure that the key is yours, then publish its record next to the old one.',
    steps: publishForKey(findingValues),
  };
}

/**
 * The faults that make a resolver unusable for DNSSEC, each as the predicate of a
 * sentence.
 */
const resolverHabits: Readonly<Record<string, string>> = {
  silent: 'does not answer',
  refuses: 'refuses to answer',
  'tls-failed': 'could not be reached over TLS under that name',
  'does-not-validate': 'does not validate DNSSEC',
};

/**
 * The check through another resolver. The command contains a placeholder that the
 * operator replaces with an address.
 */
const throughResolver = (findingValues: FindingValues): FixStep =>
  confirm(
    'Check again through a resolver that returns DNSSEC records. Replace ADDRESS with its address.',
    checkElsewhere(findingValues),
  );

/** Findings on DNSSEC and TLSA. */
export const daneFindings = {
  /**
   * Raised when usable TLSA records exist in a signed zone and none matches the
   * certificate. The severity is fail in every profile: senders with DANE deliver nothing
   * to this host. The fix depends on the fault of the records, since "publish the digest"
   * is wrong advice if an attacker impersonated the server.
   */
  'dane-mismatch': {
    topic: 'dane',
    title: 'The TLSA records do not match the certificate',
    passed: 'The TLSA records match every observed certificate',
    why: deferred,
    reference: 'RFC 7672 §2.2, §8.1',
    owner: 'mail-host',
    fix: (findingValues) => findingValues.advice ?? mismatchRepair(findingValues).fix,
    steps: (findingValues) => mismatchRepair(findingValues).steps,
  },
  /**
   * Raised when the host has no TLSA records at the name of port 25 and has some at a
   * similar name. Its severity is info, because those records may be meant for another
   * service.
   */
  'dane-misplaced': {
    topic: 'dane',
    title: 'TLSA records are published at an unused name',
    why: (findingValues) =>
      `Senders look up TLSA records only at _25._tcp.${findingValues.host}, so these protect no mail between servers.`,
    reference: 'RFC 7672 §2.2.3',
    owner: 'mail-host',
    fix: (findingValues) =>
      `To use DANE for this host, publish the record of its key at _25._tcp.${findingValues.host}.`,
    steps: publishForKey,
  },
  /**
   * Raised when some hosts have usable records, others have none, and no MTA-STS policy
   * in mode enforce covers the rest. An on-path attacker can choose the host that a
   * sender reaches, so the domain is only as secure as its weakest host.
   */
  'dane-partial': {
    topic: 'dane',
    title: 'Only some MX hosts have TLSA records',
    passed: 'Every MX host has TLSA records',
    why: (findingValues) =>
      `An attacker blocks the hosts with records and strips TLS from the others${findingValues.detail ? `: ${findingValues.detail}` : ''}.`,
    reference: 'RFC 7672 §2.2.1',
    owner: 'mail-host',
    fix: 'Publish TLSA records for every MX host, or enforce MTA-STS.',
    steps: (findingValues) => [
      confirm(
        `Ask the operator of ${findingValues.detail || 'the other hosts'} whether the zone is signed and renewal keeps the key. TLSA records require both.`,
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when records exist in a signed zone and every one has parameters that mail
   * does not use (RFC 7672 §3.1.3). Senders then require TLS without authentication,
   * which stops passive attackers only, so the severity is warn and not fail.
   */
  'dane-unusable': {
    topic: 'dane',
    title: 'None of the TLSA records can be used',
    passed: 'At least one TLSA record is usable',
    why: 'Senders require TLS, but accept any certificate.',
    reference: 'RFC 7672 §3.1.3',
    owner: 'mail-host',
    fix: 'Publish a record 3 1 1, then delete the unusable records.',
    steps: publishForKey,
  },
  /**
   * Raised when records exist in a zone that is not signed, or is signed only with
   * algorithms that validators no longer support. The operator expects protection that no
   * sender applies, so the severity is warn.
   */
  'dane-inert': {
    topic: 'dane',
    title: (findingValues) =>
      findingValues.detail
        ? 'A retired signature algorithm makes the TLSA records ineffective'
        : 'TLSA records in an unsigned zone have no effect',
    passed: 'The TLSA records are in a signed zone',
    why: (findingValues) =>
      findingValues.detail
        ? `Validators treat a zone signed with a retired algorithm as unsigned (${findingValues.detail}). Senders ignore its TLSA records.`
        : 'Without DNSSEC an attacker can forge TLSA records, so senders ignore them.',
    reference: 'RFC 7672 §2.1.1, §2.2',
    owner: 'dns-host',
    fix: (findingValues) =>
      findingValues.detail
        ? `Sign the zone of ${inertName(findingValues)} with ECDSAP256SHA256 (13). Until then rely on MTA-STS.`
        : `Sign the zone of ${inertName(findingValues)} with DNSSEC. Until then rely on MTA-STS.`,
    steps: (findingValues) => [
      confirm(
        `Make sure that the TLSA records of ${findingValues.host} match the key in use. In a signed zone, a wrong record makes senders defer mail.`,
      ),
      config(
        findingValues.detail
          ? `At the DNS provider, roll the zone of ${inertName(findingValues)} over to ECDSAP256SHA256 (RFC 6781 §4.1.4).`
          : `At the DNS provider, enable DNSSEC for the zone of ${inertName(findingValues)}.`,
      ),
      dns('Publish the DS record at the registrar.'),
      wait('Wait one day, the TTL of the DS record at the parent.'),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when `_25._tcp` of a host is an alias and its target has no TLSA record. The
   * operator expects DANE and no sender applies it, so the severity is warn.
   */
  'dane-alias-dangling': {
    topic: 'dane',
    title: 'The alias of the TLSA records has no target records',
    passed: 'The alias of the TLSA records has target records',
    why: 'Senders find no TLSA record, so DANE does not protect this host.',
    reference: 'RFC 7672 §2.2.3',
    owner: 'mail-host',
    fix: 'Publish the TLSA records at the end of the alias, or delete the alias.',
    steps: (findingValues) => [
      dns(
        `Publish the record of the key at ${findingValues.tlsaAlias ?? 'the end of the alias'}, or delete this alias.`,
        `${tlsaOwner(findingValues)} IN CNAME ${findingValues.tlsaAlias ?? 'TARGET'}.`,
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the TLSA answer, or the proof of absence, does not validate.
   * Senders must defer (RFC 7672 §2.1.2), since an attacker could otherwise remove the
   * records.
   */
  'dane-bogus': {
    topic: 'dane',
    title: 'The TLSA lookup fails DNSSEC validation',
    passed: 'The TLSA answers validate',
    why: deferred,
    reference: 'RFC 7672 §2.1.2',
    owner: 'dns-host',
    fix: 'Sign the zone again, or fix the name servers that answer without valid signatures.',
    steps: (findingValues) => [
      command('See what fails.', `delv -t TLSA _25._tcp.${findingValues.host}`),
      config('Sign the zone again, with its NSEC or NSEC3 records, and reload every name server.'),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the name servers do not answer the TLSA question in a signed zone. The
   * severity is fail even if no record exists: a sender cannot know whether one exists,
   * and defers.
   */
  'dane-tempfail': {
    topic: 'dane',
    title: 'The TLSA lookup gets no answer',
    passed: 'The name servers answer TLSA queries',
    why: `${deferred} An attacker who blocks the answer gains nothing else.`,
    reference: 'RFC 7672 §2.1.2, §2.2',
    owner: 'dns-host',
    fix: 'Configure the name servers to answer TLSA queries, including for names without a TLSA record.',
    steps: (findingValues) => [
      command('Show the answer.', `dig +dnssec TLSA _25._tcp.${findingValues.host}`),
      config(
        'Allow the record type TLSA (52) in firewalls and load balancers of the name servers.',
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the MX or address answers do not validate. Validating resolvers return
   * SERVFAIL, so senders behind one cannot resolve the domain or host.
   */
  'dnssec-bogus': {
    topic: 'dnssec',
    title: (findingValues) =>
      `DNSSEC validation of ${findingValues.host || findingValues.domain} fails`,
    passed: 'The DNSSEC signatures are valid',
    why: 'Senders behind a validating resolver cannot find this name. They defer the mail and finally bounce it.',
    reference: 'RFC 4035 §5.5',
    owner: 'dns-host',
    fix: 'Sign the zone again. If the keys of the zone are lost, remove the DS record at the registrar.',
    steps: (findingValues) => [
      command(
        'See what fails.',
        `delv ${findingValues.host ? `-t A ${findingValues.host}` : `-t MX ${findingValues.domain}`}`,
      ),
      config(
        'Compare the DS record at the parent with the DNSKEY in use, and sign the zone with that key.',
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when part of the chain of trust could not be obtained. Its severity is info:
   * the fault may be in the network between this check and the name servers.
   */
  'dnssec-indeterminate': {
    topic: 'dnssec',
    title: (findingValues) =>
      `DNSSEC of ${findingValues.host || findingValues.domain} could not be determined`,
    why: (findingValues) =>
      `An answer that the proof needs did not arrive${findingValues.detail ? ` (${findingValues.detail})` : ''}. The outcome for senders with DANE is unknown.`,
    reference: 'RFC 4035 §4.3',
    owner: 'dns-host',
    fix: 'Check again later, or through another resolver.',
    steps: (findingValues) => [throughResolver(findingValues)],
  },
  /**
   * Raised when every resolver of this check withheld DNSSEC records or did not answer.
   * The verdict becomes inconclusive, since this fault proves nothing about the domain.
   */
  'resolver-no-dnssec': {
    topic: 'dnssec',
    title: (findingValues) =>
      `The resolver ${findingValues.resolver} ${resolverHabits[findingValues.detail] ?? 'does not return DNSSEC records'}`,
    why: ({ detail }) =>
      detail in resolverHabits && detail !== 'does-not-validate'
        ? 'The DNS lookups of this check got no answer.'
        : 'The outcome for senders with DANE is unknown. The check covered everything else.',
    reference: 'RFC 4035 §3.2.1',
    owner: 'own-network',
    fix: (findingValues) =>
      `Use a resolver that returns DNSSEC records: ${checkElsewhere(findingValues)}`,
    steps: (findingValues) => [throughResolver(findingValues)],
  },
  /**
   * Raised when the trust anchor or the clock of this machine makes every signature
   * invalid. The verdict becomes inconclusive, since this fault proves nothing about the
   * domain.
   */
  'own-validation-fails': {
    topic: 'dnssec',
    title: 'This machine cannot validate DNSSEC',
    why: ({ reason }) => `The records of the domain are unknown${reason ? `: ${reason}` : ''}.`,
    reference: 'RFC 4035 §4.4',
    owner: 'own-network',
    fix: 'Set the clock of this machine, and update this program or the file of --trust-anchor.',
    steps: (findingValues) => [command('Show the clock.', 'date -u'), checkAgain(findingValues)],
  },
  /**
   * Raised when some records match no key in use and another record matches. Senders
   * deliver mail, so the severity is info. At the next key change, the stale records can
   * hide the lack of a record for the new key.
   */
  'dane-leftover': {
    topic: 'dane',
    title: withDetail('Unused TLSA records'),
    why: 'They match no key in use, or repeat another record. They hide whether the next key has a record.',
    reference: 'RFC 7671 §8.1',
    owner: 'mail-host',
    fix: 'Delete these records, except a record for a future key.',
    steps: (findingValues) => [
      confirm(
        `Make sure that a remaining record at ${tlsaOwner(findingValues)} matches each key in use.`,
      ),
      dns(`Delete at ${tlsaOwner(findingValues)} the records ${findingValues.detail}.`),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a record for a future key or issuer is published in advance, as RFC 7671
   * §8.1 requires before a change.
   */
  'dane-rollover-good': {
    topic: 'dane',
    title: 'The next key or issuer already has a TLSA record',
    why: 'During a key change, a record matches at all times.',
    reference: 'RFC 7671 §8.1',
    owner: 'mail-host',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  /**
   * Raised only when the MX record and every host are signed, every host has usable
   * records, every received certificate matches, and sessions work after the handshake.
   */
  'dane-good': {
    topic: 'dane',
    title: 'DANE is in force and every certificate matches',
    why: 'Senders with DANE deliver only to the right servers, over TLS, from the first message on.',
    reference: 'RFC 7672 §2.2',
    owner: 'mail-host',
    fix: 'No action is needed.',
    steps: noSteps,
  },
} satisfies Record<string, FindingEntry>;
