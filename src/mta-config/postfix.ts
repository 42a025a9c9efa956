import { logLines } from '../base/index.js';
import { openSslGroups, openSslSuites } from './library-names.js';
import { isAtLeast, type ConfigSetting, type MailServerKind } from './types.js';

/** Settings for Postfix, `main.cf` (postconf(5)). */
export const postfix: MailServerKind = {
  oldest: [3, 4],
  manyKeys: true,
  count: `${logLines('TLS connection established from')} | grep -cvE 'TLSv1\\.[23] with cipher (ECDHE|TLS)[^ ]*(GCM|CHACHA20)'`,
  apply: 'postfix check && systemctl reload postfix',
  parts: (options) => [
    { place: 'Receiving: /etc/postfix/main.cf', settings: receiving(options) },
    { place: 'Sending: /etc/postfix/main.cf', settings: sending(options) },
  ],
};

type Options = Parameters<MailServerKind['parts']>[0];

/** Returns the protocol setting that excludes versions before TLS 1.2. */
const protocolFloor = (version: Options['version']): string =>
  isAtLeast(version, 3, 6) ? '>=TLSv1.2' : '!SSLv2, !SSLv3, !TLSv1, !TLSv1.1';

/**
 * Returns the settings for incoming mail: TLS 1.2 and 1.3, forward secrecy and AEAD
 * (RFC 9325).
 */
function receiving({ tls, certificates, version }: Options): readonly ConfigSetting[] {
  return [
    {
      why: 'The key first, then the certificate with its chain.',
      lines: [
        `smtpd_tls_chain_files = ${certificates.flatMap(({ key, chain }) => [key, chain]).join(', ')}`,
      ],
    },
    {
      why: 'STARTTLS is offered but not required, so that clients without TLS can deliver (RFC 3207 §4). The policies of the domain bind senders that support them. The settings smtpd_tls_mandatory_* apply to submission only.',
      lines: ['smtpd_tls_security_level = may'],
    },
    {
      why: 'TLS 1.2 and 1.3. Older senders fall back to plaintext, so count them first.',
      lines: [`smtpd_tls_protocols = ${protocolFloor(version)}`],
    },
    {
      why: 'Suites of TLS 1.2 with forward secrecy and AEAD; no RC4, 3DES or CBC. By default no other setting uses the grade high.',
      lines: ['smtpd_tls_ciphers = high', `tls_high_cipherlist = ${openSslSuites(tls)}`],
    },
    keyExchangeGroups(version, tls),
    {
      why: 'All of these suites are good: the sender chooses the fastest for its hardware.',
      lines: ['tls_preempt_cipherlist = no'],
    },
    {
      why: 'No client needs renegotiation within a session. Session tickets stay enabled: Postfix changes their keys itself.',
      lines: ['tls_ssl_options = NO_RENEGOTIATION'],
    },
    {
      why: 'One line for each session, to count what senders use.',
      lines: ['smtpd_tls_loglevel = 1', 'smtpd_tls_received_header = yes'],
    },
  ];
}

/**
 * Returns the setting for the groups of the key exchange. The first group of a list has
 * the key share of the hello that Postfix sends: with X25519 the hello stays below the
 * size that some servers do not receive. Postfix 3.10 skips a name that its OpenSSL does
 * not know (postconf(5), tls_eecdh_auto_curves).
 */
function keyExchangeGroups(version: Options['version'], tls: Options['tls']): ConfigSetting {
  if (isAtLeast(version, 3, 11))
    return {
      why: 'The groups of the key exchange are the default of Postfix 3.11. With OpenSSL 3.5 it has X25519MLKEM768, which protects recorded mail from later quantum computers. Remove tls_eecdh_auto_curves and tls_ffdhe_auto_groups if an earlier version set them.',
      lines: [],
    };
  if (isAtLeast(version, 3, 10))
    return {
      why: 'Groups of the key exchange. With OpenSSL 3.5, X25519MLKEM768 protects recorded mail from later quantum computers. X25519 comes first, because some servers drop the large ClientHello of X25519MLKEM768. Postfix 3.11 needs no list.',
      lines: [
        `tls_eecdh_auto_curves = ${openSslGroups(tls, ' ', 'X25519MLKEM768')}`,
        'tls_ffdhe_auto_groups =',
      ],
    };
  return {
    why: 'Groups of the key exchange. Postfix before 3.10 has no post-quantum group.',
    lines: [
      `tls_eecdh_auto_curves = ${openSslGroups(tls, ' ')}`,
      ...(isAtLeast(version, 3, 8) ? ['tls_ffdhe_auto_groups ='] : []),
    ],
  };
}

/** Returns the settings for outgoing mail: DANE, and with `policies` also MTA-STS. */
function sending({ version, policies, sessions }: Options): readonly ConfigSetting[] {
  return [
    policies === undefined
      ? {
          why: 'DANE if the domain publishes it, otherwise TLS if the server offers it. This needs a validating resolver on this machine. Without one, Postfix uses the level may. For MTA-STS, run hermetic serve (docs/postfix.md) and add --policies.',
          lines: ['smtp_tls_security_level = dane', ...dane],
        }
      : {
          why: 'Hermetic answers with the policy of each domain (MTA-STS and DANE). Without a policy, Postfix uses TLS if the server offers it. While Hermetic does not answer, Postfix defers mail.',
          lines: [
            'smtp_tls_security_level = may',
            `smtp_tls_policy_maps = socketmap:${policies}:hermetic`,
            ...dane,
            'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt',
          ],
        },
    {
      why: 'TLS 1.2 or later if a policy applies. The settings smtp_tls_protocols and smtp_tls_ciphers keep their defaults. Otherwise Postfix would send mail to older servers in plaintext.',
      lines: [`smtp_tls_mandatory_protocols = ${protocolFloor(version)}`],
    },
    ...sendingLog(version),
    ...(sessions === undefined
      ? []
      : [
          {
            why: 'Postfix reports its sessions to Hermetic, which sends reports to the domains that ask for them (docs/send-reports.md).',
            lines: ['smtp_tlsrpt_enable = yes', `smtp_tlsrpt_socket_name = ${sessions}`],
          },
        ]),
  ];
}

/**
 * Returns the settings for TLS logs, and for REQUIRETLS (RFC 8689) if Postfix supports
 * it.
 */
function sendingLog(version: Options['version']): readonly ConfigSetting[] {
  const lines = ['smtp_tls_loglevel = 1'];
  if (!isAtLeast(version, 3, 11)) return [{ why: 'One line for each session.', lines }];
  return [
    {
      why: 'One line for each session. Every delivery line also shows the security level that applied, such as tls=dane.',
      lines,
    },
    {
      why: 'REQUIRETLS (RFC 8689) is on by default (requiretls_enable, smtp_requiretls_policy). A message that requests it bounces if the next server does not announce it or has no verified certificate.',
      lines: [],
    },
  ];
}

/** DANE needs DNSSEC answers from the resolver, also for the addresses of a host. */
const dane = [
  'smtp_dns_support_level = dnssec',
  'smtp_host_lookup = dns',
  'smtp_tls_dane_insecure_mx_policy = dane',
];
