import { grade, versionName } from '../../check/index.js';
import { builtinTrustStore } from '../../tls/index.js';
import {
  address,
  certificateLine,
  conversation,
  completedHandshake,
  exposurePicture,
} from './pictures.js';
import type { ExplainTopic } from './topic.js';

/**
 * Topics about TLS between mail servers, and about attacks that remove TLS.
 *
 * Most pictures are conversations of a check at depth `triage`, one connection for each
 * address, because a reader follows one conversation more easily than ten. A topic about
 * versions or suites needs a deeper check, because only refused hellos prove absence.
 */
export const tlsTopics: readonly ExplainTopic[] = [
  {
    // A whole conversation up to QUIT. The EHLO after the handshake is required: the
    // client discards everything that it learned before (RFC 3207 §4.2).
    name: 'starttls',
    aliases: ['smtp', 'email-tls', 'tls', 'how-email-tls-works'],
    title: 'How mail servers start TLS',
    text: [
      'Mail servers connect to port 25 in plaintext. The server lists its extensions. If STARTTLS is among them, the client asks for it, and both complete a TLS handshake. From then on everything is encrypted. The client then sends EHLO again and discards the first list. Text that an attacker injected before the handshake has no effect.',
      'Without TLS, an on-path attacker reads the complete message, its sender and its recipients.',
    ],
    caption: 'A check of good.example, just now',
    picture: async (stage) => conversation(await stage.look('good.example')),
    reference: 'RFC 3207 §4, §4.2',
    see: ['opportunistic', 'stripping', 'tls-versions'],
  },
  {
    // The domain has no policy, so the attacker succeeds against every sender. The topic
    // `enforcing` shows the same table with policies.
    name: 'opportunistic',
    aliases: ['opportunistic-tls', 'the-problem', 'downgrade'],
    title: 'Opportunistic TLS: encryption without a guarantee',
    text: [
      'A sender without a policy for the domain uses TLS if the server offers it, and plaintext otherwise. It does not verify the certificate, since no policy states the expected name. TLS to the wrong server is no worse than plaintext. Opportunistic TLS stops a passive attacker, but not an active one.',
      'With MTA-STS or DANE, a domain publishes that senders must require TLS.',
    ],
    caption: 'Mail to opportunistic.example under each attack',
    picture: async (stage) =>
      exposurePicture((await stage.look('opportunistic.example')).result, [
        'opportunistic',
        'mtaStsCached',
        'dane',
      ]),
    reference: 'RFC 7435 §3, RFC 3207 §6',
    see: ['stripping', 'mta-sts', 'dane'],
  },
  {
    // Two conversations of one domain, without and with the attacker: the only difference
    // is the line with STARTTLS. The exposure of three classes of sender follows.
    name: 'stripping',
    aliases: ['starttls-stripping', 'strip', 'attack', 'downgrade-attack', 'mitm'],
    title: 'STARTTLS stripping: one line removed, and the mail is readable',
    text: [
      'The server offers STARTTLS in a line of plaintext. An on-path attacker deletes that line or overwrites it, as some firewalls do. The sender concludes that the server has no TLS and sends in plaintext. Neither side notices.',
      'A sender that knows an MTA-STS or DANE policy of the domain defers the mail instead. From outside, a server without TLS and a stripped one look the same. A check therefore says "seen from here", compares addresses, and can ask a control host (--control).',
    ],
    caption: 'stripped.example without the attacker, then with it',
    picture: async (stage) => {
      const [calm, stripped] = [
        await stage.look('stripped.example', { calm: true }),
        await stage.look('stripped.example'),
      ];
      const upToTls = conversation(calm);
      const end = upToTls.findIndex((textLine) => textLine.startsWith('C: STARTTLS'));
      return [
        ...upToTls.slice(0, end + 1),
        '',
        ...conversation(stripped),
        '',
        ...exposurePicture(stripped.result, ['opportunistic', 'mtaStsCached', 'dane']),
      ];
    },
    reference: 'RFC 3207 §6, RFC 8461 §1',
    see: ['mta-sts', 'dane', 'attacker'],
  },
  {
    // The aliases are the codes of the reply, because operators search for these codes.
    // The picture is a correct conversation: the fault is in the client that sends to
    // Gmail.
    name: 'gmail-tls',
    aliases: ['gmail', '4.7.29', '5.7.29', '421-4.7.29', '550-5.7.29'],
    title: 'Gmail refuses mail that came without TLS (4.7.29, 5.7.29)',
    text: [
      'Gmail requires TLS from senders of bulk mail. A reply with 4.7.29 defers a message that came in plaintext. A reply with 5.7.29 rejects the message. The reply is about the connection from your server to Gmail. Your own certificate for incoming mail does not matter.',
      'Find the host that delivered the message: a relay, a gateway or a service may send for the domain. Make it use STARTTLS: in Postfix, smtp_tls_security_level = may or dane. If the host uses STARTTLS already, a device on the path may remove it (hermetic explain stripping).',
    ],
    caption: 'A server that offers STARTTLS, and a client that uses it before the message',
    picture: async (stage) => conversation(await stage.look('good.example')),
    reference: 'RFC 3207 §4. Google, Email sender guidelines',
    see: ['starttls', 'stripping'],
  },
  {
    // A modern server next to a server that offers SSL 3, version by version.
    name: 'tls-versions',
    aliases: ['versions', 'tls-1.3', 'tls-1.2', 'tls-1.1', 'tls-1.0', 'ssl', 'ssl3'],
    title: 'The versions of TLS that a mail server should support',
    text: [
      'TLS 1.3 is preferred and TLS 1.2 is good. TLS 1.1 and 1.0 are deprecated. SSL 3 and SSL 2 are broken and must never be used.',
      'A mail sender that has no version in common with the server falls back to plaintext. Plaintext is worse than old TLS. First count the sessions that still need an old version, then disable that version. The command hermetic config postfix prints both steps.',
    ],
    caption: 'good.example and ssl3.example, version by version',
    picture: async (stage) => {
      const domains = [
        await stage.look('good.example', { depth: 'verdict' }),
        await stage.look('ssl3.example', { depth: 'verdict' }),
      ];
      const [one, two] = domains.map((seen) => address(seen)?.tls.versions);
      const head =
        `${''.padEnd(10)}${domains.map(({ result }) => result.domain.padEnd(16)).join('')}`.trimEnd();
      const outputLines = (
        ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3', 'SSLv2'] as const
      ).map((version) =>
        `${versionName(version).padEnd(10)}${(one?.[version] ?? '').padEnd(16)}${two?.[version] ?? ''}`.trimEnd(),
      );
      return [head, ...outputLines];
    },
    reference: 'RFC 8996 §2, RFC 9325 §3.1',
    see: ['ciphers', 'certificates'],
  },
  {
    // An inventory: in each hello the client omits every suite that the server has
    // already chosen, until the server refuses. The number of connections in the last line shows the cost.
    name: 'ciphers',
    aliases: ['cipher-suites', 'suites', 'cipher', 'rc4', '3des'],
    title: 'Cipher suites: the algorithms that encrypt a session',
    text: [
      'The client offers a list and the server chooses one. Suites with ECDHE give each session an ephemeral key that cannot be recovered later (forward secrecy). AES-GCM and ChaCha20-Poly1305 are strong. RC4 and 3DES can be broken with effort. NULL and export suites protect nothing.',
      'The answer to one ClientHello reveals one suite. A check therefore removes the chosen suite from the next ClientHello, until the server refuses the rest. The command hermetic config postfix (or exim, or opensmtpd) prints settings for the strong suites.',
    ],
    caption: 'Every suite of legacy.example, in the order of the server',
    picture: async (stage) => {
      const seen = await stage.look('legacy.example', { depth: 'inventory' });
      const suites = address(seen)?.tls.suites ?? [];
      const weak = /RC4|3DES|NULL|EXPORT/;
      const outputLines = suites.map(
        ({ version, name }) =>
          `${versionName(version).padEnd(8)} ${name}${weak.test(name) ? '   # weak' : ''}`,
      );
      return [...outputLines, `(${seen.result.connections} connections)`];
    },
    reference: 'RFC 9325 §4.1, §4.2',
    see: ['tls-versions'],
  },
  {
    // Good, self-signed, expired, wrong name, incomplete chain: the five common states.
    // Opportunistic TLS accepts all five; MTA-STS accepts only the first.
    name: 'certificates',
    aliases: ['certificate', 'best-practice', 'self-signed', 'expired', 'ca'],
    title: 'Certificates of mail servers',
    text: [
      'A certificate protects mail only from senders that verify it. MTA-STS requires a certificate from a public CA that is not expired and names the MX host. With DANE-EE only the key of the certificate matters. Opportunistic senders verify nothing and accept even a self-signed certificate.',
      'Good practice: use a public CA, name the MX host, send every intermediate, and renew automatically. If TLSA records name the key, keep the key at renewal or publish the record of the new key first.',
    ],
    caption: 'The certificates of five servers of the lab',
    picture: async (stage) => {
      const domains = [
        'good.example',
        'self-signed.example',
        'expired.example',
        'wrong-host.example',
        'missing-intermediate.example',
      ];
      const outputLines: string[] = [];
      for (const domainName of domains)
        outputLines.push(certificateLine(await stage.look(domainName)));
      const sent = completedHandshake(await stage.look('good.example'));
      return [
        ...outputLines,
        `(good.example sends ${sent?.chain.length ?? 0} certificates and speaks ${versionName(sent?.version ?? '')})`,
      ];
    },
    reference: 'RFC 8461 §4.2, RFC 7672 §3.1.1',
    see: ['mta-sts', 'dane', 'rollover'],
  },
  {
    // The same saved evidence, graded with two root stores.
    name: 'trust-stores',
    aliases: ['roots', 'root-store', 'root-stores', 'trust-store', 'distrust', 'mozilla'],
    title: 'Trust stores: the roots that make a certificate trusted',
    text: [
      "A certificate chain is trusted only if it ends at a root of a list. Hermetic contains Mozilla's list, with its version, date and digest, and uses it on every version of Node.js. A root can have a distrust date. A certificate issued after that date is not trusted. An older one stays trusted until it expires.",
      'Senders use other lists: that of their operating system, or one of their operator. Saved evidence contains every chain. The command hermetic grade judges the chains again by the roots of the system, of a file, or of a newer Hermetic. The command hermetic diff distinguishes a changed list from a changed chain.',
    ],
    caption: 'The evidence of good.example, judged by two stores',
    picture: async (stage) => {
      const { evidence, result } = await stage.look('good.example');
      const again = grade(evidence, undefined, { trustStore: builtinTrustStore() });
      return [
        'By the store of the lab:',
        certificateLine({ evidence, result }),
        "By Mozilla's list, which does not contain the CA of the lab:",
        certificateLine({ evidence, result: again }),
      ];
    },
    reference: 'RFC 8461 §3.3, §4.2, RFC 5280 §6.1',
    see: ['certificates', 'mta-sts'],
  },
  {
    // Recorded hellos of senders against one server. The server runs on this Node, so the
    // group depends on the TLS library of this Node.
    name: 'post-quantum',
    aliases: ['pq', 'pqc', 'quantum', 'ml-kem', 'x25519mlkem768', 'harvest', 'ml-kem-768'],
    title: 'Post-quantum key exchange: recorded today, decrypted later',
    text: [
      'A passive attacker can record encrypted mail today and decrypt it once a quantum computer breaks X25519 or P-256. X25519MLKEM768 combines X25519 with ML-KEM, so an attacker must break both. It protects a session only if both ends support it, for example with OpenSSL 3.5 or Go 1.24.',
      'A ClientHello with a key share for this group has about 1,550 octets. Some middleboxes drop a ClientHello of that size, and the mail is deferred or sent in plaintext. Hermetic therefore offers the group without a key share, and the ClientHello stays small. A server that supports the group asks for the share.',
    ],
    caption: 'The sessions that four senders get from good.example',
    picture: async (stage) => {
      const senders = ['postfix-openssl-3.0', 'postfix-openssl-3.5', 'exim-gnutls', 'go'];
      const seen = await stage.look('good.example', { depth: 'verdict', senders });
      return (address(seen)?.senders ?? []).map(
        ({ name, version = '', group }) =>
          `${name.padEnd(26)} ${versionName(version)}, ${group ?? 'no session'}`,
      );
    },
    reference: 'RFC 10024, RFC 9846 §4.2.4',
    see: ['ciphers', 'tls-versions'],
  },
];
