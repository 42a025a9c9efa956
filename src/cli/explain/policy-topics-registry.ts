import { wrap } from '../../base/index.js';
import { senderCases, verdictText } from '../../sender/index.js';
import { senders } from '../../tls-policy/index.js';
import { renderProof } from '../render-proof.js';
import { address, exposurePicture } from './pictures.js';
import type { ExplainTopic } from './topic.js';

/**
 * Topics about the policies that require TLS and the reports about them.
 *
 * Each domain of a picture demonstrates one situation; `hermetic lab list` describes
 * them. Pictures of policies use the exposure table of `hermetic check`: the success of
 * an attacker for each class of sender. That table is the reason why one policy is not
 * enough for all senders.
 */
export const policyTopics: readonly ExplainTopic[] = [
  {
    // The policy of the picture has the wildcard that fails when a provider renames hosts.
    name: 'exchange-online',
    aliases: ['microsoft', 'microsoft-365', 'office-365', 'outlook', 'mx.microsoft'],
    title: 'Exchange Online: names of its mail hosts, DANE and MTA-STS',
    text: [
      'Mail hosts of Exchange Online have names under mail.protection.outlook.com or under mx.microsoft. New domains get names under mx.microsoft since July 2026, and only those have signed addresses and TLSA records. For an older domain, Enable-DnssecForVerifiedDomain in Exchange Online PowerShell shows the new host. Publish that host as the MX record, then run Enable-SmtpDaneInbound. DANE also needs DNSSEC for the zone of the domain.',
      'Add the new host to an enforced MTA-STS policy before the MX record names that host. A wildcard matches one label, so *.mx.microsoft does not match example-com.o-v1.mx.microsoft. For outgoing mail, connectors have the settings SmtpDaneMode and MtaStsMode since 2026.',
    ],
    caption: 'A policy with *. and an MX host with one more label',
    picture: async (stage) => {
      const { result } = await stage.look('sts-two-label-wildcard.example');
      return [
        ...(result.mtaSts.mx ?? []).map((pattern) => `mx: ${pattern}`),
        ...result.hosts.map(({ name, mtaStsMatch }) => `${name}  ${mtaStsMatch}`),
        '',
        ...exposurePicture(result, ['mtaStsFirst', 'mtaStsCached']),
      ];
    },
    reference:
      'RFC 8461 §4.1, RFC 7672 §2.2.2. Microsoft, message centre MC1048624 and MC1220759 (2026)',
    see: ['mta-sts', 'dane', 'enforcing'],
  },
  {
    // One domain with both policies, by class of sender: DANE protects senders that
    // validate DNSSEC, MTA-STS protects senders that fetch policies, and opportunistic
    // senders have no protection.
    name: 'enforcing',
    aliases: ['enforcement', 'solution', 'protection', 'senders', 'exposure'],
    title: 'Making senders require TLS',
    text: [
      'A domain can publish two kinds of policy. MTA-STS is a file on a web server with a certificate from a public CA. Large providers honour it. A sender fetches the file for its first message to the domain, and an on-path attacker can then hide the file. DANE publishes the key of the server under DNSSEC. It protects the first message too, but needs signed zones. The two do not conflict: publish both if possible. A sender that honours both enforces both.',
      'A sender defers and retries mail that it cannot deliver safely, and bounces it after days. It never sends such mail in plaintext.',
    ],
    caption: 'Mail to good.example, which publishes both, by class of sender',
    picture: async (stage) => exposurePicture((await stage.look('good.example')).result, senders),
    reference: 'RFC 8461 §2, §5, RFC 7672 §2.2',
    see: ['mta-sts', 'dane', 'attacker'],
  },
  {
    // Tests Hermetic's own sender with the decisive cases: the sender must deliver in
    // some cases, and must not in the others.
    name: 'sender',
    aliases: ['sender-test', 'sending', 'outgoing', 'cases'],
    title: 'Testing the sending side',
    text: [
      'Delivered mail looks the same with and without protection. Only a receiver with a deliberate fault shows whether a sender enforces a rule. Each case of the sender test is a receiving domain with one property. A sender enforces a mechanism if it delivers the valid case and refuses the faulty one.',
      'A missing connection does not prove a refusal: a queue, a filter or a blocked port has the same effect. The command hermetic sender test runs the cases offline. The command hermetic sender predict derives their results from the configuration.',
    ],
    caption: 'Every case, and the result of the sender of this program in the quick ones',
    picture: async (stage) => {
      const { cases } = await stage.senderTest();
      const results = new Map(cases.map((one) => [one.case, verdictText(one)]));
      const expectations = { deliver: 'deliver', refuse: 'refuse', inform: '-' } as const;
      return senderCases.flatMap(({ id, says, expect }) => {
        const result = results.get(id);
        return [
          `${id.padEnd(19)}${expectations[expect].padEnd(9)}${result ?? ''}`.trimEnd(),
          ...wrap(says, 78, '    '),
        ];
      });
    },
    reference: 'RFC 3207 §4, RFC 7672 §2.2, RFC 8461 §5',
    see: ['enforcing', 'dane', 'mta-sts'],
  },
  {
    // Record and policy file as published, then three senders: without the policy, at
    // first contact, and with the policy in the cache. Only the cached policy resists an
    // attacker who suppresses the record (RFC 8461 §10.2).
    name: 'mta-sts',
    aliases: ['mtasts', 'sts', 'strict-transport-security'],
    title: 'MTA-STS: a policy that senders fetch and cache',
    text: [
      'A TXT record announces the policy and its version. The policy itself is at a fixed HTTPS address, so only the operator of the web host can publish it. The policy names the MX hosts. In mode enforce, senders deliver only to these hosts and only under TLS. The certificate must come from a public CA and name the host. Senders cache the policy for max_age seconds.',
      'Start with mode testing and read the reports (TLS-RPT). Change to enforce when the reports show no failure that your domain causes.',
    ],
    caption: 'The policy of sts-only.example, and its effect on mail',
    picture: async (stage) => {
      const { evidence, result } = await stage.look('sts-only.example');
      return [
        `_mta-sts.${result.domain} TXT "${evidence.mtaSts.txt.texts[0] ?? ''}"`,
        '',
        `https://mta-sts.${result.domain}/.well-known/mta-sts.txt`,
        ...(evidence.mtaSts.policy?.body ?? '').trimEnd().split(/\r?\n/),
        '',
        ...exposurePicture(result, ['opportunistic', 'mtaStsFirst', 'mtaStsCached']),
      ];
    },
    reference: 'RFC 8461 §3, §4, §5',
    see: ['tls-rpt', 'certificates', 'enforcing'],
  },
  {
    // The record and the key next to each other: DANE-EE compares only these two, so the
    // chain may be self-signed (RFC 7672 §3.1.1).
    name: 'dane',
    aliases: ['tlsa', 'dane-ee', 'dane-ta'],
    title: 'DANE: the key of the server, in signed DNS',
    text: [
      'A TLSA record is published at _25._tcp of the MX host. It holds a digest of the key of the server (3 1 1) or of its CA (2 1 1). DNSSEC signs the record, so an on-path attacker can neither forge it nor hide it. A sender needs no CA and no earlier contact with the server. If a usable record exists, the sender must not use plaintext.',
      'Publish the record of a new key before the server uses that key, or senders defer mail.',
    ],
    caption: 'dane-only.example: the record, the key of the server, and the mail',
    picture: async (stage) => {
      const seen = await stage.look('dane-only.example');
      const [mailHost] = seen.result.hosts;
      const shown = address(seen)?.certificates[0];
      return [
        `_25._tcp.${mailHost?.name ?? ''} TLSA  (DNSSEC ${mailHost?.dnssec ?? ''})`,
        `  ${mailHost?.tlsa.records[0] ?? ''}`,
        'SHA-256 of the key that the server presents',
        `        ${shown?.spkiSha256 ?? ''}`,
        `DANE: ${shown?.dane ?? 'unknown'}, although the chain is ${shown?.chain ?? 'unknown'}`,
        '',
        ...exposurePicture(seen.result, ['opportunistic', 'dane']),
      ];
    },
    reference: 'RFC 7672 §2.2, §3.1, RFC 7671 §5',
    see: ['dnssec', 'rollover', 'enforcing'],
  },
  {
    // Three states of a key change, distinguished by the records that match the key in
    // use: next key published, old record left behind, renewal without its record. The
    // third state breaks delivery by DANE senders.
    name: 'rollover',
    aliases: ['key-rollover', 'tlsa-rollover', 'renewal'],
    title: 'Changing a key that TLSA records name',
    text: [
      'Publish the record of the next key in addition to the current one. Wait two TTLs, so that every cache has the new record. Change the key, then remove the old record. In any other order, no record matches for some time, and senders with DANE defer mail.',
    ],
    caption: 'Three domains: next key published; stale records left; renewed without its record',
    picture: async (stage) => {
      const outputLines: string[] = [];
      for (const domainName of ['rollover.example', 'leftover.example', 'dane-mismatch.example']) {
        const { result } = await stage.look(domainName);
        const tlsa = result.hosts[0]?.tlsa;
        outputLines.push(`${domainName}: ${tlsa?.rollover ?? 'unknown'}`);
        for (const [index, record] of (tlsa?.records ?? []).entries())
          outputLines.push(
            `  ${(tlsa?.roles?.[index] ?? '').padEnd(10)} ${record.slice(0, 40)}...`,
          );
      }
      return outputLines;
    },
    reference: 'RFC 7671 §8.1, §8.4',
    see: ['dane', 'certificates'],
  },
  {
    // The proof of a TLSA record from the root key down, as `hermetic dnssec` prints it.
    name: 'dnssec',
    aliases: ['chain-of-trust', 'signatures', 'dns'],
    title: 'DNSSEC: why a DNS answer can be trusted',
    text: [
      'Each zone signs its records with its key, and the parent zone signs a digest of that key. The chain ends at the root, whose keys are built in. An answer with an unbroken chain is secure. If the parent proves that the zone is unsigned, the answer is insecure. If a required signature is missing, the answer is bogus, and senders defer the mail. The absence of a name is signed too, so an attacker cannot hide a TLSA record.',
    ],
    caption: 'The chain of trust of the TLSA record of good.example, validated just now',
    picture: async (stage) => {
      const proof = await stage.prove('_25._tcp.mx.good.example', 'TLSA');
      if (proof) return renderProof(proof, 76).trimEnd().split('\n');
      return ['The answer could not be validated.'];
    },
    reference: 'RFC 4033 §5, RFC 4035 §5',
    see: ['dane'],
  },
  {
    // Four failures and the result types a sender reports for them (RFC 8460 §4.3). The
    // sender of this program creates the report.
    name: 'tls-rpt',
    aliases: ['tlsrpt', 'reporting', 'tls-reporting', 'reports'],
    title: 'TLS-RPT: reports of failures before users notice them',
    text: [
      'A TXT record at _smtp._tls names the address for reports: rua=mailto: or rua=https:. Each day, senders report how many sessions succeeded, which failed and why, by policy and by MX host. The reports show a wrong certificate, a missing record or an attack while the mail is still deferred. Read the reports before the change from mode testing to enforce.',
    ],
    caption: 'The record of good.example, and the report of a sender about four other domains',
    picture: async (stage) => {
      const good = await stage.look('good.example');
      const outputLines = [
        `_smtp._tls.good.example TXT "${good.evidence.tlsRpt.txt.texts[0] ?? ''}"`,
        '',
      ];
      for (const domainName of [
        'dane-mismatch.example',
        'stripped.example',
        'expired-enforced.example',
        'sts-redirect.example',
      ]) {
        const { result, policies, attempts } = await stage.send(domainName);
        outputLines.push(`${domainName}: ${result}`);
        for (const [index, { type, failure }] of policies.entries()) {
          const failures = [
            failure,
            ...attempts.flatMap(({ results }) =>
              results
                .filter((attempted) => attempted.policy === index)
                .map((attempted) => attempted.failure),
            ),
          ];
          const types = [...new Set(failures.flatMap((failed) => failed?.resultType ?? []))];
          outputLines.push(`  policy ${type.padEnd(16)} ${types.join(', ') || 'success'}`);
        }
      }
      return outputLines;
    },
    reference: 'RFC 8460 §3, §4',
    see: ['mta-sts', 'enforcing'],
  },
  {
    // The attacker model of all exposure tables: an on-path attacker who can forge DNS,
    // but cannot break signatures or obtain a certificate for a name that they do not
    // control.
    name: 'attacker',
    aliases: ['attackers', 'attacks', 'threat-model', 'threats'],
    title: 'The attacker that the report assumes, and their limits',
    text: [
      'The attacker is on the path between two mail servers and on the path to the resolver. They read, drop, delay and forge packets. The table shows four attacks. TLS stripped: they remove STARTTLS. Fake certificate: they answer instead of the server, with a certificate that no public CA issued for its name. Forged DNS: they forge every answer that is not signed. DNS and HTTPS blocked: they also block the lookups that reveal a policy. They may block hosts to steer mail to the weakest one. They cannot break signatures, and they cannot get a certificate for the name of another operator.',
    ],
    caption:
      'The table for suppressed.example without its attacker, and the table for good.example',
    picture: async (stage) => {
      const weak = await stage.look('suppressed.example', { calm: true });
      const good = await stage.look('good.example');
      return [
        'suppressed.example: MTA-STS, no DNSSEC',
        ...exposurePicture(weak.result, senders),
        '',
        'good.example: MTA-STS and DANE',
        ...exposurePicture(good.result, senders),
      ];
    },
    reference: 'RFC 3207 §6, RFC 8461 §10, RFC 7672 §1.3',
    see: ['stripping', 'enforcing'],
  },
];
