import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  checkCommand,
  command,
  config,
  confirm,
  dns,
  noSteps,
  postfix,
  reloadPostfix,
  wait,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

/** The owner name of the TLSA records of a host, with its final dot. */
const tlsaOwner = (v: FindingValues): string => `_25._tcp.${v.host}.`;

const compareKey = (v: FindingValues): FixStep[] => [
  command(
    `On ${v.host}, print the digest of the key in use.`,
    'openssl x509 -in /etc/ssl/mail/fullchain.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum',
  ),
  confirm(
    `Compare it with the digest that this check saw: ${v.spkiSha256 || 'none'}. ` +
      'If they differ, stop: another server answered.',
  ),
];

const publishForKey = (v: FindingValues): FixStep[] => [
  ...compareKey(v),
  config('Keep this key at renewal (certbot: --reuse-key). A new key needs a new record.'),
  dns(
    'Add this record and keep the existing ones.',
    `${tlsaOwner(v)} 3600 IN TLSA 3 1 1 ${v.spkiSha256 || 'DIGEST'}`,
  ),
  wait('Wait two TTLs of the TLSA records.'),
  checkAgain(v),
  dns(`Delete the TLSA records at ${tlsaOwner(v)} that match no key in use.`),
];

const deferred =
  'Senders with DANE defer the mail and finally bounce it, even without an attacker.';

interface Repair {
  readonly fix: string;
  readonly steps: readonly FixStep[];
}

/** The fix that the reason of a mismatch calls for. */
function mismatchRepair(v: FindingValues): Repair {
  const kinds = new Set(v.tlsa.map(({ kind }) => kind));
  const stronger = v.tlsa.filter(({ record }) => /^\d \d 2 /.test(record)).map((r) => r.record);
  // RFC 7671 §9: a record of the key is there, and a stronger digest next to it is stale.
  if (kinds.has('digest') && v.tlsaOfKey && stronger.length > 0)
    return {
      fix: 'Delete the record with the stronger digest. The record 3 1 1 next to it matches the key.',
      steps: [
        ...compareKey(v),
        ...stronger.map((record) =>
          dns('Delete this record.', `${tlsaOwner(v)} IN TLSA ${record}`),
        ),
        checkAgain(v),
      ],
    };
  if (kinds.has('anchor-not-sent'))
    return {
      fix: 'Send the CA certificate that the record names, or publish 3 1 1 for the key.',
      steps: [
        postfix(
          'smtpd_tls_chain_files = /etc/ssl/mail/privkey.pem, /etc/ssl/mail/fullchain-with-ca.pem',
          `Append that CA certificate to the chain that ${v.host} sends. Set in /etc/postfix/main.cf:`,
        ),
        reloadPostfix,
        checkAgain(v),
      ],
    };
  if (kinds.has('wrong-form') || kinds.has('wrong-usage'))
    return {
      fix: 'Publish the record 3 1 1 of the key, then delete the records with wrong parameters.',
      steps: publishForKey(v),
    };
  return {
    fix: 'Make sure that the key is yours, then publish its record next to the old one.',
    steps: publishForKey(v),
  };
}

const resolverHabits: Readonly<Record<string, string>> = {
  silent: 'does not answer',
  refuses: 'refuses to answer',
  'tls-failed': 'could not be reached by TLS under that name',
  'does-not-validate': 'does not validate DNSSEC',
};

/** An address to replace before the command is run. */
const throughResolver = (v: FindingValues): FixStep =>
  confirm(
    'Check again through a resolver that passes DNSSEC records. Replace ADDRESS by its address.',
    checkCommand(v, ' --resolver ADDRESS'),
  );

/** DNSSEC and TLSA. */
export const daneFindings = {
  'dane-mismatch': {
    topic: 'dane',
    title: 'The TLSA records do not match the certificate',
    passed: 'The TLSA records match every certificate seen',
    why: (v) => {
      const known = v.tlsa.some(({ kind }) => kind !== 'unknown');
      return known
        ? deferred
        : `${deferred} Either the key changed without its record, or another server answered.`;
    },
    reference: 'RFC 7672 §2.2, §8.1',
    owner: 'mail-host',
    fix: (v) => mismatchRepair(v).fix,
    steps: (v) => mismatchRepair(v).steps,
  },
  'dane-misplaced': {
    topic: 'dane',
    title: 'TLSA records are published at an unused name',
    why: (v) =>
      `Senders look up TLSA records only at _25._tcp.${v.host}, so these protect no mail between servers.`,
    reference: 'RFC 7672 §2.2.3',
    owner: 'mail-host',
    fix: (v) => `If this host shall use DANE, publish the record of its key at _25._tcp.${v.host}.`,
    steps: publishForKey,
  },
  'dane-partial': {
    topic: 'dane',
    title: 'Only some MX hosts have TLSA records',
    passed: 'Every MX host has TLSA records',
    why: (v) =>
      `An attacker blocks the hosts with records and strips TLS from the others${v.detail ? `: ${v.detail}` : ''}.`,
    reference: 'RFC 7672 §2.2.1',
    owner: 'mail-host',
    fix: 'Have TLSA records published for every MX host, or enforce MTA-STS.',
    steps: (v) => [
      confirm(
        `Ask the operator of ${v.detail || 'the other hosts'} whether the zone is signed and the key is kept at renewal. TLSA records require both.`,
      ),
      checkAgain(v),
    ],
  },
  'dane-unusable': {
    topic: 'dane',
    title: 'None of the TLSA records can be used',
    passed: 'At least one TLSA record is usable',
    why: 'Senders encrypt, but accept any certificate. Usages 0 and 1 do not apply to mail between servers.',
    reference: 'RFC 7672 §3.1.3',
    owner: 'mail-host',
    fix: 'Publish a record 3 1 1 next to the existing ones, then delete those.',
    steps: publishForKey,
  },
  'dane-inert': {
    topic: 'dane',
    title: (v) =>
      v.detail
        ? 'A retired signature algorithm makes the TLSA records ineffective'
        : 'TLSA records in an unsigned zone have no effect',
    passed: 'The TLSA records are in a signed zone',
    why: (v) =>
      v.detail
        ? `Validators treat a zone signed with a retired algorithm as unsigned (${v.detail}). Senders ignore its TLSA records.`
        : 'Without DNSSEC an attacker can forge them, so senders ignore them.',
    reference: 'RFC 7672 §2.1.1, §2.2',
    owner: 'dns-host',
    fix: (v) =>
      v.detail
        ? `Sign the zone of ${v.host} with ECDSAP256SHA256 (13). Until then rely on MTA-STS.`
        : `Sign the zone of ${v.host} with DNSSEC. Until then rely on MTA-STS.`,
    steps: (v) => [
      confirm(
        `Make sure that the TLSA records of ${v.host} match the key in use. In a signed zone, a wrong record defers mail.`,
      ),
      config(
        v.detail
          ? `At the DNS provider, roll the zone of ${v.host} over to ECDSAP256SHA256 (RFC 6781 §4.1.4).`
          : `At the DNS provider, switch DNSSEC on for the zone of ${v.host}.`,
      ),
      dns('Publish the DS record at the registrar.'),
      wait('Wait one day, the TTL of the DS record at the parent.'),
      checkAgain(v),
    ],
  },
  'dane-bogus': {
    topic: 'dane',
    title: 'The TLSA lookup fails DNSSEC validation',
    passed: 'The TLSA answers validate',
    why: deferred,
    reference: 'RFC 7672 §2.1.2',
    owner: 'dns-host',
    fix: 'Sign the zone again, or repair the name servers that answer without valid signatures.',
    steps: (v) => [
      command('See what fails.', `delv -t TLSA _25._tcp.${v.host}`),
      config('Sign the zone again, with its NSEC or NSEC3 records, and reload every name server.'),
      checkAgain(v),
    ],
  },
  'dane-tempfail': {
    topic: 'dane',
    title: 'The TLSA lookup gets no answer',
    passed: 'The name servers answer TLSA questions',
    why: `${deferred} An attacker who blocks the answer gains nothing else.`,
    reference: 'RFC 7672 §2.1.2, §2.2',
    owner: 'dns-host',
    fix: 'Let the name servers answer TLSA questions, also for names without such a record.',
    steps: (v) => [
      command('See what is answered.', `dig +dnssec TLSA _25._tcp.${v.host}`),
      config(
        'Allow the record type TLSA (52) in firewalls and load balancers of the name servers.',
      ),
      checkAgain(v),
    ],
  },
  'dnssec-bogus': {
    topic: 'dnssec',
    title: (v) => `DNSSEC validation of ${v.host || v.domain} fails`,
    passed: 'The DNSSEC signatures are valid',
    why: 'Senders behind a validating resolver cannot find this name. They defer the mail and finally bounce it.',
    reference: 'RFC 4035 §5.5',
    owner: 'dns-host',
    fix: 'Sign the zone again. If its keys are lost, remove the DS record at the registrar.',
    steps: (v) => [
      command('See what fails.', `delv ${v.host ? `-t A ${v.host}` : `-t MX ${v.domain}`}`),
      config(
        'Compare the DS record at the parent with the DNSKEY in use, and sign the zone with that key.',
      ),
      checkAgain(v),
    ],
  },
  'dnssec-indeterminate': {
    topic: 'dnssec',
    title: (v) => `DNSSEC of ${v.host || v.domain} could not be determined`,
    why: (v) =>
      `An answer that the proof needs did not arrive${v.detail ? ` (${v.detail})` : ''}. What senders with DANE do is unknown.`,
    reference: 'RFC 4035 §4.3',
    owner: 'dns-host',
    fix: 'Check again later, or through another resolver.',
    steps: (v) => [throughResolver(v)],
  },
  'resolver-no-dnssec': {
    topic: 'dnssec',
    title: (v) =>
      `The resolver ${v.resolver} ${resolverHabits[v.detail] ?? 'does not pass DNSSEC records'}`,
    why: 'What senders with DANE do is unknown. Everything else was checked.',
    reference: 'RFC 4035 §3.2.1',
    owner: 'own-network',
    fix: (v) =>
      `Use a resolver that passes DNSSEC records: ${checkCommand(v, ' --resolver ADDRESS')}`,
    steps: (v) => [throughResolver(v)],
  },
  'dane-leftover': {
    topic: 'dane',
    title: (v) => `TLSA records without use: ${v.detail}`,
    why: 'They match no key in use, or repeat another record. They hide whether the next key has a record.',
    reference: 'RFC 7671 §8.1',
    owner: 'mail-host',
    fix: 'Delete them, unless one of them is for a key that comes later.',
    steps: (v) => [
      confirm(`Make sure that each key in use has a record at ${tlsaOwner(v)} that stays.`),
      dns(`Delete at ${tlsaOwner(v)} the records ${v.detail}.`),
      checkAgain(v),
    ],
  },
  'dane-rollover-good': {
    topic: 'dane',
    title: 'The next key or issuer already has a TLSA record',
    why: 'The key can change without a moment in which no record matches.',
    reference: 'RFC 7671 §8.1',
    owner: 'mail-host',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  'dane-good': {
    topic: 'dane',
    title: 'DANE is in force and every certificate matches',
    why: 'Senders with DANE deliver only to the right servers, over TLS, from the first mail on.',
    reference: 'RFC 7672 §2.2',
    owner: 'mail-host',
    fix: 'No action is needed.',
    steps: noSteps,
  },
} satisfies Record<string, FindingEntry>;
