import { senders } from '../../tls-policy/index.js';
import { renderProof } from '../render-proof.js';
import { address, rows } from './pictures.js';
import type { Topic } from './topic.js';

/** What makes senders insist on TLS, and what tells of it. */
export const policyTopics: readonly Topic[] = [
  {
    name: 'enforcing',
    aliases: ['enforcement', 'solution', 'protection', 'senders', 'exposure'],
    title: 'Making senders insist on TLS',
    text: [
      'Two promises exist. MTA-STS is a policy on a web server with a certificate of a public CA; large providers honour it; a sender learns of it with its first mail, and an attacker who is there at that moment can keep it away. DANE names the key in DNSSEC, so it holds from the first mail on, but needs signed zones. They do not disturb each other: publish both where you can. A sender that honours both enforces both.',
      'A mail that cannot be delivered safely waits and is tried again; after days it bounces. It is never sent in clear.',
    ],
    caption: 'Mail to good.example, which publishes both, by class of sender',
    picture: async (stage) => rows((await stage.look('good.example')).result, senders),
    reference: 'RFC 8461 §2, §5, RFC 7672 §2.2',
    see: ['mta-sts', 'dane', 'attacker'],
  },
  {
    name: 'mta-sts',
    aliases: ['mtasts', 'sts', 'strict-transport-security'],
    title: 'MTA-STS: a policy that senders fetch and keep',
    text: [
      'A TXT record says that there is a policy and which version; the policy itself stands at a fixed address under HTTPS, so that only who controls the web host can publish it. It names the MX hosts and, in mode enforce, has senders deliver to no other, only under TLS, and only with a certificate of a public CA for the name of the host. Senders keep it for max_age seconds.',
      'Begin with mode testing and read the reports (TLS-RPT); go to enforce when they show no failure of your own.',
    ],
    caption: 'What a sender finds of sts-only.example, and what that does to its mail',
    picture: async (stage) => {
      const { evidence, result } = await stage.look('sts-only.example');
      return [
        `_mta-sts.${result.domain} TXT "${evidence.mtaSts.txt.texts[0] ?? ''}"`,
        '',
        `https://mta-sts.${result.domain}/.well-known/mta-sts.txt`,
        ...(evidence.mtaSts.policy?.body ?? '').trimEnd().split(/\r?\n/),
        '',
        ...rows(result, ['opportunistic', 'mtaStsFirst', 'mtaStsCached']),
      ];
    },
    reference: 'RFC 8461 §3, §4, §5',
    see: ['tls-rpt', 'certificates', 'enforcing'],
  },
  {
    name: 'dane',
    aliases: ['tlsa', 'dane-ee', 'dane-ta'],
    title: 'DANE: the key of the server, in signed DNS',
    text: [
      'A TLSA record at _25._tcp of the MX host holds a digest of its key (3 1 1) or of the CA that issues for it (2 1 1). Because DNSSEC signs it, nobody on the path can forge it or deny that it is there; so a sender needs no CA and no first contact. Where a usable record exists, clear text is forbidden.',
      'The price: when the key changes its record has to be there before, or mail waits.',
    ],
    caption: 'dane-only.example: the record, the key that was seen, and the mail',
    picture: async (stage) => {
      const seen = await stage.look('dane-only.example');
      const [host] = seen.result.hosts;
      const shown = address(seen)?.certificates[0];
      return [
        `_25._tcp.${host?.name ?? ''} TLSA  (DNSSEC ${host?.dnssec ?? ''})`,
        `  ${host?.tlsa.records[0] ?? ''}`,
        'Key that the server showed, SHA-256',
        `        ${shown?.spkiSha256 ?? ''}`,
        `DANE says: ${shown?.dane ?? 'nothing'}, though the chain is ${shown?.chain ?? 'unknown'}`,
        '',
        ...rows(seen.result, ['opportunistic', 'dane']),
      ];
    },
    reference: 'RFC 7672 §2.2, §3.1, RFC 7671 §5',
    see: ['dnssec', 'rollover', 'enforcing'],
  },
  {
    name: 'rollover',
    aliases: ['key-rollover', 'tlsa-rollover', 'renewal'],
    title: 'Changing a key that TLSA records name',
    text: [
      'Publish the record of the next key beside the present one; wait two TTLs, so that no cache lacks it; change the key; then take the old record away. In any other order there is a time when no record matches, and mail from senders with DANE waits.',
    ],
    caption: 'Three domains: next key announced; leftovers in the way; renewed without its record',
    picture: async (stage) => {
      const lines: string[] = [];
      for (const domain of ['rollover.example', 'leftover.example', 'dane-mismatch.example']) {
        const { result } = await stage.look(domain);
        const tlsa = result.hosts[0]?.tlsa;
        lines.push(`${domain}: ${tlsa?.rollover ?? 'unknown'}`);
        for (const [i, record] of (tlsa?.records ?? []).entries())
          lines.push(`  ${(tlsa?.roles?.[i] ?? '').padEnd(10)} ${record.slice(0, 40)}...`);
      }
      return lines;
    },
    reference: 'RFC 7671 §8.1, §8.4',
    see: ['dane', 'certificates'],
  },
  {
    name: 'dnssec',
    aliases: ['chain-of-trust', 'signatures', 'dns'],
    title: 'DNSSEC: why a DNS answer can be believed',
    text: [
      'Each zone signs its records with its key; the parent signs which key that is, up to the root, whose keys are built in. An answer with an unbroken chain is secure; one whose parent proves that the zone is unsigned is insecure; one that should be signed and is not, is bogus, and mail waits rather than believe it. That something does not exist is signed as well: so nobody can hide a TLSA record.',
    ],
    caption: 'What the TLSA record of good.example rests on, validated just now',
    picture: async (stage) => {
      const proof = await stage.prove('_25._tcp.mx.good.example', 'TLSA');
      return proof ? renderProof(proof, 76).trimEnd().split('\n') : ['could not be told'];
    },
    reference: 'RFC 4033 §5, RFC 4035 §5',
    see: ['dane'],
  },
  {
    name: 'tls-rpt',
    aliases: ['tlsrpt', 'reporting', 'tls-reporting', 'reports'],
    title: 'TLS-RPT: hearing of failures before your users do',
    text: [
      'A TXT record at _smtp._tls says where reports go: rua=mailto: or rua=https:. Senders then report daily how many sessions succeeded and which failed and why, by policy and by MX host. The reports show a wrong certificate, a forgotten record or an attack while the mail still waits, and they are what one reads before going from mode testing to enforce.',
    ],
    caption: 'The record of good.example; and what a sender has to report of four others today',
    picture: async (stage) => {
      const good = await stage.look('good.example');
      const lines = [
        `_smtp._tls.good.example TXT "${good.evidence.tlsRpt.txt.texts[0] ?? ''}"`,
        '',
      ];
      for (const domain of [
        'dane-mismatch.example',
        'stripped.example',
        'expired-enforced.example',
        'sts-redirect.example',
      ]) {
        const { result, policies, attempts } = await stage.send(domain);
        lines.push(`${domain}: ${result}`);
        for (const [i, { type, failure }] of policies.entries()) {
          const met = [
            failure,
            ...attempts.flatMap(({ results }) =>
              results.filter((r) => r.policy === i).map((r) => r.failure),
            ),
          ];
          const types = [...new Set(met.flatMap((f) => f?.resultType ?? []))];
          lines.push(`  policy ${type.padEnd(16)} ${types.join(', ') || 'success'}`);
        }
      }
      return lines;
    },
    reference: 'RFC 8460 §3, §4',
    see: ['mta-sts', 'enforcing'],
  },
  {
    name: 'attacker',
    aliases: ['attackers', 'attacks', 'threat-model', 'threats'],
    title: 'What the attacker of the report can do, and what not',
    text: [
      'He stands on the path between two mail servers and to the resolver: he reads, drops, delays and forges packets. He removes STARTTLS (strip TLS), answers in the place of the server with a certificate that no public CA issued for its name (false cert), forges every DNS answer that is not signed (forged DNS), or does all he can to keep a policy from being seen (block all). He may block hosts to steer mail to the weakest. He cannot break signatures, nor get a certificate for a name that is not his.',
    ],
    caption: 'The same attacks against suppressed.example, calm, and against good.example',
    picture: async (stage) => {
      const weak = await stage.look('suppressed.example', { calm: true });
      const good = await stage.look('good.example');
      return [
        'suppressed.example: MTA-STS, no DNSSEC',
        ...rows(weak.result, senders),
        '',
        'good.example: MTA-STS and DANE',
        ...rows(good.result, senders),
      ];
    },
    reference: 'RFC 3207 §6, RFC 8461 §10, RFC 7672 §1.3',
    see: ['stripping', 'enforcing'],
  },
];
