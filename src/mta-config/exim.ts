import type { TlsSettings } from '../tls/index.js';
import { gnuTlsPriority, openSslSuites } from './library-names.js';
import { isAtLeast, type ConfigSetting, type MailServerKind } from './types.js';

/**
 * Settings for Exim (specification, chapters "Encrypted SMTP connections" and "The smtp
 * transport"). Exim cannot query a policy socket, so MTA-STS is not available when it
 * sends.
 */
export const exim: MailServerKind = {
  oldest: [4, 94],
  manyKeys: true,
  count: `grep -h ' <= .* X=' /var/log/exim4/mainlog* | grep -cvE ' X=TLS1\\.[23]:[^ ]*(GCM|CHACHA20)'`,
  apply: 'exim -bV && systemctl reload exim4',
  parts: ({ tls, certificates, version, library = 'gnutls' }) => [
    {
      place:
        'Receiving: the main section, before the first "begin". In Debian a file in /etc/exim4/conf.d/main, without MAIN_TLS_ENABLE: an option may be set only once',
      settings: [
        {
          why: 'STARTTLS is offered but not required, so that clients without TLS can deliver (RFC 3207 §4). The policies of the domain bind senders that support them.',
          lines: ['tls_advertise_hosts = *'],
        },
        {
          why: 'The certificate with its chain, and its key. The user of the Exim process must be able to read both.',
          lines: [
            `tls_certificate = ${certificates.map(({ chain }) => chain).join(' : ')}`,
            `tls_privatekey = ${certificates.map(({ key }) => key).join(' : ')}`,
          ],
        },
        {
          why: 'TLS 1.2 and 1.3 with forward secrecy and AEAD; no RC4, 3DES or CBC. Older senders fall back to plaintext, so count them first.',
          lines: library === 'gnutls' ? gnuTlsLines(tls) : openSslLines(tls),
        },
        groupsOf(library),
      ],
    },
    {
      place: 'Sending: the transport with "driver = smtp", remote_smtp in Debian',
      settings: [
        {
          why: 'DANE if the domain publishes it, otherwise TLS if the server offers it. This needs a validating resolver on this machine and "options trust-ad" in /etc/resolv.conf. Exim does not support MTA-STS. The option tls_require_ciphers stays unset. Otherwise Exim would send mail to older servers in plaintext.',
          lines: ['dnssec_request_domains = *', 'hosts_try_dane = *'],
        },
        ...sendingGroups(library, version),
      ],
    },
  ],
};

function gnuTlsLines(tls: TlsSettings): readonly string[] {
  return [`tls_require_ciphers = ${gnuTlsPriority(tls)}`];
}

function openSslLines(tls: TlsSettings): readonly string[] {
  return [
    'openssl_options = +no_sslv2 +no_sslv3 +no_tlsv1 +no_tlsv1_1 +no_renegotiation',
    `tls_require_ciphers = ${openSslSuites(tls)}`,
  ];
}

/**
 * Returns a setting without lines that explains the groups: Exim before 4.100 cannot name
 * a hybrid group (`SSL_CTX_set1_groups`), and the default `auto` leaves the choice to
 * OpenSSL.
 */
function groupsOf(library: 'gnutls' | 'openssl'): ConfigSetting {
  const why =
    library === 'gnutls'
      ? 'No post-quantum key exchange: the GnuTLS of Debian 13 has none. One unknown group makes the whole priority string invalid.'
      : 'OpenSSL chooses the groups of the key exchange. Versions from 3.5 on have X25519MLKEM768, which protects recorded mail from later quantum computers. Remove tls_eccurve if it is set.';
  return { why, lines: [] };
}

/**
 * Returns a remark about outgoing handshakes: OpenSSL 3.5 sends a key share for its
 * hybrid group unless the transport names groups.
 */
function sendingGroups(
  library: 'gnutls' | 'openssl',
  version: readonly [number, number],
): readonly ConfigSetting[] {
  if (library === 'gnutls') return [];
  const remedy = isAtLeast(version, 4, 100)
    ? 'If the handshake with a server stalls, set tls_eccurve of this transport.'
    : 'Exim before 4.100 has no setting for it in a transport.';
  return [
    { why: `With OpenSSL 3.5, some servers drop the large ClientHello. ${remedy}`, lines: [] },
  ];
}
