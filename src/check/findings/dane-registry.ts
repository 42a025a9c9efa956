import {
  checkAgain,
  command,
  confirm,
  config,
  dns,
  noSteps,
  wait,
  type FindingEntry,
  type FindingValues,
} from './entry.js';
import type { FixStep } from '../../evidence/index.js';

const digest = (v: FindingValues) =>
  command(
    `On ${v.host}: openssl x509 -in /etc/ssl/mail/fullchain.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum\n` +
      `must print ${v.spkiSha256 || 'the digest of the key in use'}. If it does not, someone else answered here: stop and find out who.`,
  );

const addRecord = (v: FindingValues) =>
  dns(
    `Beside the present records: _25._tcp.${v.host}. 3600 IN TLSA 3 1 1 ${v.spkiSha256 || '<digest printed above>'}`,
  );

const publishForKey = (v: FindingValues) => [
  digest(v),
  config('Keep this key at renewal (certbot: --reuse-key), else the record is stale again.'),
  addRecord(v),
  wait('Two TTLs of the TLSA records.'),
  confirm(`hermetic check ${v.domain}`),
  dns(`Then delete the TLSA records at _25._tcp.${v.host} that match no key in use.`),
];

const waits =
  'Senders that honour DANE keep the mail and finally bounce it, today and without any attacker.';

interface Repair {
  readonly fix: string;
  readonly steps: readonly FixStep[];
}

/** The repair that the reason of a mismatch calls for. */
function mismatchRepair(v: FindingValues): Repair {
  const owner = `_25._tcp.${v.host}`;
  const kinds = new Set(v.tlsa.map(({ kind }) => kind));
  const stronger = v.tlsa.filter(({ record }) => /^\d \d 2 /.test(record)).map((r) => r.record);
  // RFC 7671 §9: a record of the key is there, and a stronger digest beside it is stale.
  if (kinds.has('digest') && v.tlsaOfKey && stronger.length > 0)
    return {
      fix: 'Delete the record with the stronger digest: the record 3 1 1 beside it matches the key.',
      steps: [
        digest(v),
        ...stronger.map((record) => dns(`Delete: ${owner}. IN TLSA ${record}`)),
        checkAgain(v),
      ],
    };
  if (kinds.has('anchor-not-sent'))
    return {
      fix: 'Let the server send the CA certificate that the record names, or publish 3 1 1 for its key.',
      steps: [
        config(
          `Append the CA certificate that the TLSA record names to the chain that ${v.host} sends: Postfix, smtpd_tls_chain_files.`,
        ),
        command('systemctl reload postfix'),
        checkAgain(v),
      ],
    };
  if (kinds.has('wrong-form') || kinds.has('wrong-usage'))
    return {
      fix: 'Publish the record 3 1 1 of the key beside the present ones, then delete those with wrong parameters.',
      steps: publishForKey(v),
    };
  return {
    fix: 'Make sure the key seen is your own, then publish its record beside the old one.',
    steps: publishForKey(v),
  };
}

const resolverHabits: Readonly<Record<string, string>> = {
  silent: 'does not answer',
  refuses: 'refuses to answer',
  'tls-failed': 'could not be reached by TLS under that name',
  'does-not-validate': 'does not validate, so its word on DNSSEC cannot be taken',
};

/** DNSSEC and TLSA. */
export const daneFindings = {
  'dane-mismatch': {
    title: 'The TLSA records do not match the certificate',
    why: (v) => {
      const known = v.tlsa.some(({ kind }) => kind !== 'unknown');
      return known
        ? waits
        : `${waits} The key was changed without its record, or someone else answers in the server's place.`;
    },
    reference: 'RFC 7672 §2.2, §8.1',
    owner: 'mail-host',
    fix: (v) => mismatchRepair(v).fix,
    steps: (v) => mismatchRepair(v).steps,
  },
  'dane-misplaced': {
    title: 'TLSA records stand where no sender looks for them',
    why: (v) =>
      `Senders ask for TLSA records at _25._tcp.${v.host} only, so these do not count for mail between servers.`,
    reference: 'RFC 7672 §2.2.3',
    owner: 'mail-host',
    fix: (v) =>
      `If DANE is meant for this host, publish the record of its key at _25._tcp.${v.host}.`,
    steps: publishForKey,
  },
  'dane-partial': {
    title: 'Only some MX hosts have TLSA records',
    why: (v) =>
      `An attacker blocks the hosts that have records and strips TLS from the others${v.detail ? `: ${v.detail}` : ''}.`,
    reference: 'RFC 7672 §2.2.1',
    owner: 'mail-host',
    fix: 'Ask whoever runs the other hosts to publish TLSA records in a signed zone, or enforce MTA-STS for all of them.',
    steps: (v) => [
      confirm(
        `Ask whoever runs ${v.detail || 'the other hosts'}: is the zone signed, and can the key stay the same at renewal? Only then TLSA records.`,
      ),
      checkAgain(v),
    ],
  },
  'dane-unusable': {
    title: 'None of the TLSA records can be used',
    why: 'Senders encrypt, but cannot authenticate: any certificate is accepted. Usages 0 and 1 do not count for mail between servers.',
    reference: 'RFC 7672 §3.1.3',
    owner: 'mail-host',
    fix: 'Publish a record with usage 3, selector 1, matching type 1 beside the present ones, then remove those.',
    steps: publishForKey,
  },
  'dane-inert': {
    title: (v) =>
      v.detail
        ? 'TLSA records in a zone signed with a retired algorithm have no effect'
        : 'TLSA records in an unsigned zone have no effect',
    why: (v) =>
      v.detail
        ? `Signed with an algorithm that no longer counts (${v.detail}): validators treat the zone as unsigned, so senders do not look at the records.`
        : 'Without DNSSEC an attacker can forge them, so senders do not look at them.',
    reference: 'RFC 7672 §2.1.1, §2.2',
    owner: 'dns-host',
    fix: (v) =>
      v.detail
        ? `Sign the zone of ${v.host} with ECDSAP256SHA256 (13) and replace the DS record; until then rely on MTA-STS.`
        : `Sign the zone of ${v.host} with DNSSEC; until then rely on MTA-STS.`,
    steps: (v) => [
      confirm(
        `The TLSA records of ${v.host} match the key in use: once the zone is signed, a wrong one stops mail.`,
      ),
      config(
        v.detail
          ? `Change the algorithm of the zone of ${v.host} to ECDSAP256SHA256 (13) at its DNS provider, as an algorithm rollover (RFC 6781 §4.1.4).`
          : `Switch DNSSEC on for the zone of ${v.host} at its DNS provider.`,
      ),
      dns('Publish the DS record at the registrar.'),
      wait('One day: the TTL of the DS record at the parent.'),
      checkAgain(v),
    ],
  },
  'dane-bogus': {
    title: 'The TLSA lookup fails DNSSEC validation',
    why: waits,
    reference: 'RFC 7672 §2.1.2',
    owner: 'dns-host',
    fix: 'Sign the zone anew, or repair the name servers that answer without valid signatures.',
    steps: (v) => [
      command(`delv -t TLSA _25._tcp.${v.host}`),
      config('Sign the zone anew, denials (NSEC, NSEC3) included, and reload every name server.'),
      checkAgain(v),
    ],
  },
  'dane-tempfail': {
    title: 'The TLSA lookup gets no answer',
    why: `${waits} Who blocks the answer gains nothing else by it.`,
    reference: 'RFC 7672 §2.1.2, §2.2',
    owner: 'dns-host',
    fix: 'Let the name servers answer TLSA questions, also for names that have no such record.',
    steps: (v) => [
      command(`dig +dnssec TLSA _25._tcp.${v.host}`),
      config('Allow the type TLSA (52) in the firewall or load balancer before the name servers.'),
      checkAgain(v),
    ],
  },
  'dnssec-bogus': {
    title: (v) => `DNSSEC validation of ${v.host || v.domain} fails`,
    why: 'Every sender behind a validating resolver fails to find this name: its mail waits and bounces.',
    reference: 'RFC 4035 §5.5',
    owner: 'dns-host',
    fix: 'Sign the zone anew; if the keys are lost, have the DS record removed at the registrar and wait for its TTL.',
    steps: (v) => [
      command(`delv ${v.host ? `-t A ${v.host}` : `-t MX ${v.domain}`}`),
      config(
        'Compare the DS record at the parent with the DNSKEY in use; sign the zone again with that key.',
      ),
      checkAgain(v),
    ],
  },
  'dnssec-indeterminate': {
    title: (v) => `Whether ${v.host || v.domain} is protected by DNSSEC could not be told`,
    why: (v) =>
      `An answer needed for the proof did not arrive${v.detail ? ` (${v.detail})` : ''}; what DANE senders do is unknown.`,
    reference: 'RFC 4035 §4.3',
    owner: 'dns-host',
    fix: 'Check again later, or through another resolver.',
    steps: (v) => [
      confirm(
        `hermetic check ${v.domain} --resolver ADDRESS   (a resolver that passes DNSSEC records through)`,
      ),
    ],
  },
  'resolver-no-dnssec': {
    title: (v) =>
      `The resolver ${v.resolver} ${resolverHabits[v.detail] ?? 'does not pass DNSSEC records through'}`,
    why: 'So what senders with DANE do cannot be told; everything else was checked.',
    reference: 'RFC 4035 §3.2.1',
    owner: 'own-network',
    fix: (v) =>
      `Use a resolver that passes DNSSEC records through: hermetic check ${v.domain} --resolver ADDRESS`,
    steps: (v) => [confirm(`hermetic check ${v.domain} --resolver ADDRESS`)],
  },
  'dane-leftover': {
    title: (v) => `TLSA records that add nothing: ${v.detail}`,
    why: 'They match nothing in use, or say what another record says; and they hide whether a record for the next key is in place.',
    reference: 'RFC 7671 §8.1',
    owner: 'mail-host',
    fix: 'Delete them once it is sure that none is for a key to come.',
    steps: (v) => [
      confirm(`At least one record at _25._tcp.${v.host} matches each key in use and stays.`),
      dns(`Delete at _25._tcp.${v.host}: ${v.detail}`),
      checkAgain(v),
    ],
  },
  'dane-rollover-good': {
    title: 'A TLSA record for the next key or issuer is in place',
    why: 'The key can be changed without a moment in which no record matches.',
    reference: 'RFC 7671 §8.1',
    owner: 'mail-host',
    fix: 'Nothing has to be done.',
    steps: noSteps,
  },
  'dane-good': {
    title: 'DANE is in force and matches',
    why: 'Senders that honour DANE deliver only to the right servers, under TLS, from the first mail on.',
    reference: 'RFC 7672 §2.2',
    owner: 'mail-host',
    fix: 'Nothing has to be done.',
    steps: noSteps,
  },
} satisfies Record<string, FindingEntry>;
