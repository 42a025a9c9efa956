import { versionName } from '../../check/index.js';
import { address, certificate, conversation, handshake, rows } from './pictures.js';
import type { Topic } from './topic.js';

/** TLS between mail servers, and how it is lost. */
export const tlsTopics: readonly Topic[] = [
  {
    name: 'starttls',
    aliases: ['smtp', 'email-tls', 'tls', 'how-email-tls-works'],
    title: 'How mail servers come to speak TLS',
    text: [
      'Mail servers meet on port 25 in clear text. The server lists what it can do; if STARTTLS is in the list the client asks for it, the two shake hands, and from then on everything is encrypted. What was said before is forgotten and asked anew, so that nothing an onlooker put in survives.',
      'Without TLS the whole message, and who writes to whom, is readable to everybody on the path.',
    ],
    caption: 'A check of good.example, as it was spoken just now',
    picture: async (stage) => conversation(await stage.look('good.example')),
    reference: 'RFC 3207 §4, §4.2',
    see: ['opportunistic', 'stripping', 'tls-versions'],
  },
  {
    name: 'opportunistic',
    aliases: ['opportunistic-tls', 'the-problem', 'downgrade'],
    title: 'Opportunistic TLS: encryption when it happens to be there',
    text: [
      'A sender that nothing is promised to takes TLS where it is offered and goes on in clear text where it is not. It cannot check the certificate either: it does not know which name to expect, and a wrong one would still be better than clear text. That stops whoever only listens. It stops nobody who changes what is said.',
      'MTA-STS and DANE are promises that a sender can hold a domain to.',
    ],
    caption: 'Mail to opportunistic.example, by what an attacker on the path does',
    picture: async (stage) =>
      rows((await stage.look('opportunistic.example')).result, [
        'opportunistic',
        'mtaStsCached',
        'dane',
      ]),
    reference: 'RFC 7435 §3, RFC 3207 §6',
    see: ['stripping', 'mta-sts', 'dane'],
  },
  {
    name: 'stripping',
    aliases: ['starttls-stripping', 'strip', 'attack', 'downgrade-attack', 'mitm'],
    title: 'STARTTLS stripping: one word removed, and the mail is readable',
    text: [
      'The offer of TLS is made in clear text. Somebody on the path deletes that line, or overwrites it in place, as some firewalls do; the sender concludes that there is no TLS, and sends in clear. Neither side notices.',
      'A sender that knows the domain to promise TLS, by MTA-STS or DANE, keeps the mail instead. From outside an honest server without TLS and a stripped one look alike, so a check says "seen from here", compares addresses, and asks a control host (--control).',
    ],
    caption: 'stripped.example with nobody on the path, then with the attacker',
    picture: async (stage) => {
      const [calm, stripped] = [
        await stage.look('stripped.example', { calm: true }),
        await stage.look('stripped.example'),
      ];
      const upToTls = conversation(calm);
      const end = upToTls.findIndex((line) => line.startsWith('C: STARTTLS'));
      return [
        ...upToTls.slice(0, end + 1),
        '',
        ...conversation(stripped),
        '',
        ...rows(stripped.result, ['opportunistic', 'mtaStsCached', 'dane']).map((line) =>
          line.slice(0, 33).trimEnd(),
        ),
      ];
    },
    reference: 'RFC 3207 §6, RFC 8461 §1',
    see: ['mta-sts', 'dane', 'attacker'],
  },
  {
    name: 'gmail-tls',
    aliases: ['gmail', '4.7.29', '5.7.29', '421-4.7.29', '550-5.7.29'],
    title: 'Gmail refuses mail that came without TLS (4.7.29, 5.7.29)',
    text: [
      'Gmail requires TLS from senders of bulk mail. A reply with 4.7.29 defers a message that came in plaintext, one with 5.7.29 rejects it. The reply is about the connection from your server to Gmail: the certificate of your own server for incoming mail does not matter.',
      'Find the host that delivered the message: a relay, a gateway or a service may send for the domain. Let it use STARTTLS: in Postfix, smtp_tls_security_level = may or dane. If it does already, a device in between may remove STARTTLS (hermetic explain stripping).',
    ],
    caption: 'A server that offers STARTTLS, and a client that uses it before the message',
    picture: async (stage) => conversation(await stage.look('good.example')),
    reference: 'RFC 3207 §4. Google, Email sender guidelines',
    see: ['starttls', 'stripping'],
  },
  {
    name: 'tls-versions',
    aliases: ['versions', 'tls-1.3', 'tls-1.2', 'tls-1.1', 'tls-1.0', 'ssl', 'ssl3'],
    title: 'Which versions of TLS a mail server should speak',
    text: [
      'TLS 1.3: preferred. TLS 1.2: good. TLS 1.1 and 1.0: deprecated. SSL 3 and SSL 2: broken, never.',
      'For mail there is one thing more: a sender that finds no common version falls back to clear text, which is worse than old TLS. So first count the sessions that still need an old version, then switch it off: hermetic config postfix prints how to do both.',
    ],
    caption: 'Asked version by version: good.example and ssl3.example',
    picture: async (stage) => {
      const domains = [
        await stage.look('good.example', { depth: 'verdict' }),
        await stage.look('ssl3.example', { depth: 'verdict' }),
      ];
      const [one, two] = domains.map((seen) => address(seen)?.tls.versions);
      const head =
        `${''.padEnd(10)}${domains.map(({ result }) => result.domain.padEnd(16)).join('')}`.trimEnd();
      const lines = (['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3', 'SSLv2'] as const).map(
        (v) =>
          `${versionName(v).padEnd(10)}${(one?.[v] ?? '').padEnd(16)}${two?.[v] ?? ''}`.trimEnd(),
      );
      return [head, ...lines];
    },
    reference: 'RFC 8996 §2, RFC 9325 §3.1',
    see: ['ciphers', 'certificates'],
  },
  {
    name: 'ciphers',
    aliases: ['cipher-suites', 'suites', 'cipher', 'rc4', '3des'],
    title: 'Cipher suites: what a session is encrypted with',
    text: [
      'The client offers a list, the server takes one. Suites with ECDHE give every session a key of its own that nobody can recover later (forward secrecy); AES-GCM and ChaCha20-Poly1305 are sound. RC4 and 3DES can be broken with effort; NULL and export suites protect nothing.',
      'One hello and one answer name one suite. A check therefore leaves out of the next hello what was chosen in the last, until the server refuses the rest. hermetic config postfix (or exim, or opensmtpd) prints the settings for the sound ones.',
    ],
    caption: 'Every suite of legacy.example, in the order the server chose them',
    picture: async (stage) => {
      const seen = await stage.look('legacy.example', { depth: 'inventory' });
      const suites = address(seen)?.tls.suites ?? [];
      const weak = /RC4|3DES|NULL|EXPORT/;
      const lines = suites.map(
        ({ version, name }) =>
          `${versionName(version).padEnd(8)} ${name}${weak.test(name) ? '   # weak' : ''}`,
      );
      return [...lines, `(${seen.result.connections} connections)`];
    },
    reference: 'RFC 9325 §4.1, §4.2',
    see: ['tls-versions'],
  },
  {
    name: 'certificates',
    aliases: ['certificate', 'best-practice', 'self-signed', 'expired', 'ca'],
    title: 'Certificates of mail servers',
    text: [
      'A certificate is worth something to a sender that checks it: with MTA-STS it has to come from a public CA, be in date, and name the MX host; with DANE-EE only its key counts. Opportunistic senders look at nothing, and take a self-signed one as well.',
      'Good practice: a public CA, the name of the MX host in it, every intermediate certificate sent along, renewal by a machine, and, where TLSA records name the key, the same key at renewal or its record beforehand.',
    ],
    caption: 'What five servers of the lab show',
    picture: async (stage) => {
      const domains = [
        'good.example',
        'self-signed.example',
        'expired.example',
        'wrong-host.example',
        'missing-intermediate.example',
      ];
      const lines: string[] = [];
      for (const domain of domains) lines.push(certificate(await stage.look(domain)));
      const sent = handshake(await stage.look('good.example'));
      return [
        ...lines,
        `(good.example sends ${sent?.chain.length ?? 0} certificates and speaks ${versionName(sent?.version ?? '')})`,
      ];
    },
    reference: 'RFC 8461 §4.2, RFC 7672 §3.1.1',
    see: ['mta-sts', 'dane', 'rollover'],
  },
];
