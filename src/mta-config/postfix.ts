import { openSslGroups, openSslSuites } from './library-names.js';
import { isFrom, type ConfigSetting, type MailServer } from './types.js';

/** Postfix, `main.cf` (postconf(5)). */
export const postfix: MailServer = {
  oldest: [3, 4],
  manyKeys: true,
  count: `grep -h 'TLS connection established from' /var/log/mail.log* | grep -cvE 'TLSv1\\.[23] with cipher (ECDHE|TLS)[^ ]*(GCM|CHACHA20)'`,
  apply: 'postfix check && systemctl reload postfix',
  parts: (options) => [
    { place: 'Receiving: /etc/postfix/main.cf', settings: receiving(options) },
    { place: 'Sending: /etc/postfix/main.cf', settings: sending(options) },
  ],
};

type Options = Parameters<MailServer['parts']>[0];

const floor = (version: Options['version']): string =>
  isFrom(version, 3, 6) ? '>=TLSv1.2' : '!SSLv2, !SSLv3, !TLSv1, !TLSv1.1';

function receiving({ tls, certificates, version }: Options): readonly ConfigSetting[] {
  return [
    {
      why: 'Key first, then the certificate with its chain.',
      lines: [
        `smtpd_tls_chain_files = ${certificates.flatMap(({ key, chain }) => [key, chain]).join(', ')}`,
      ],
    },
    {
      why: 'TLS is offered to everybody and demanded of nobody: whoever has none would lose the mail (RFC 3207 §4). Policies of the domain bind those who can. smtpd_tls_mandatory_* count for submission alone.',
      lines: ['smtpd_tls_security_level = may'],
    },
    {
      why: 'TLS 1.2 and 1.3. Senders with nothing newer fall back to clear text, so count them first.',
      lines: [`smtpd_tls_protocols = ${floor(version)}`],
    },
    {
      why: 'Suites of TLS 1.2: forward secrecy and AEAD, so no RC4, no 3DES, no CBC. The grade high is used by nothing else unless you say so.',
      lines: ['smtpd_tls_ciphers = high', `tls_high_cipherlist = ${openSslSuites(tls)}`],
    },
    keyExchangeGroups(version, tls),
    {
      why: 'All of these are good: the sender takes what is fast for it.',
      lines: ['tls_preempt_cipherlist = no'],
    },
    {
      why: 'Nobody needs to negotiate anew within a session. Session tickets stay: Postfix changes their keys by itself.',
      lines: ['tls_ssl_options = NO_RENEGOTIATION'],
    },
    {
      why: 'One line a session: what senders use is counted from it.',
      lines: ['smtpd_tls_loglevel = 1', 'smtpd_tls_received_header = yes'],
    },
  ];
}

function keyExchangeGroups(version: Options['version'], tls: Options['tls']): ConfigSetting {
  if (isFrom(version, 3, 11))
    return {
      why: 'The groups of the key exchange are the default of Postfix 3.11. Remove tls_eecdh_auto_curves and tls_ffdhe_auto_groups if an earlier version set them.',
      lines: [],
    };
  if (isFrom(version, 3, 10))
    return {
      why: 'OpenSSL chooses the groups of the key exchange. From 3.5 on it offers X25519MLKEM768, which protects recorded mail from later quantum computers.',
      lines: ['tls_eecdh_auto_curves =', 'tls_ffdhe_auto_groups ='],
    };
  return {
    why: 'Groups of the key exchange.',
    lines: [
      `tls_eecdh_auto_curves = ${openSslGroups(tls, ' ')}`,
      ...(isFrom(version, 3, 8) ? ['tls_ffdhe_auto_groups ='] : []),
    ],
  };
}

function sending({ version, policies, sessions }: Options): readonly ConfigSetting[] {
  return [
    policies === undefined
      ? {
          why: 'DANE where a domain has it, else TLS where it is offered. It takes a resolver on this machine that validates; without one this means may. MTA-STS comes with hermetic serve (docs/postfix.md) and --policies.',
          lines: ['smtp_tls_security_level = dane', ...dane],
        }
      : {
          why: 'Hermetic says what each domain asks for, MTA-STS and DANE; where it asks for nothing, TLS where it is offered. While Hermetic does not answer, mail waits.',
          lines: [
            'smtp_tls_security_level = may',
            `smtp_tls_policy_maps = socketmap:${policies}:hermetic`,
            ...dane,
            'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt',
          ],
        },
    {
      why: 'Where a policy binds, TLS 1.2 at least. smtp_tls_protocols and smtp_tls_ciphers stay as they come: a server with nothing newer would get the mail in clear text.',
      lines: [`smtp_tls_mandatory_protocols = ${floor(version)}`],
    },
    ...sendingLog(version),
    ...(sessions === undefined
      ? []
      : [
          {
            why: 'Sessions are told to Hermetic, which reports them to the domains that ask (docs/send-reports.md).',
            lines: ['smtp_tlsrpt_enable = yes', `smtp_tlsrpt_socket_name = ${sessions}`],
          },
        ]),
  ];
}

/** The log of TLS, and REQUIRETLS (RFC 8689) where Postfix has it. */
function sendingLog(version: Options['version']): readonly ConfigSetting[] {
  const lines = ['smtp_tls_loglevel = 1'];
  if (!isFrom(version, 3, 11)) return [{ why: 'One line a session.', lines }];
  return [
    {
      why: 'One line a session. Every delivery line also shows the security level that applied, such as tls=dane.',
      lines,
    },
    {
      why: 'REQUIRETLS (RFC 8689) is on by default (requiretls_enable, smtp_requiretls_policy). A message that requests it bounces where the next server does not announce it or has no verified certificate.',
      lines: [],
    },
  ];
}

const dane = [
  'smtp_dns_support_level = dnssec',
  'smtp_host_lookup = dns',
  'smtp_tls_dane_insecure_mx_policy = dane',
];
