import { gnuTlsPriority, openSslGroups, openSslSuites } from './library-names.js';
import { isFrom, type MailServer } from './types.js';

/**
 * Exim (specification, chapters "Encrypted SMTP connections" and "The smtp transport").
 */
export const exim: MailServer = {
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
          why: 'TLS is offered to everybody and demanded of nobody: whoever has none would lose the mail (RFC 3207 §4). Policies of the domain bind those who can.',
          lines: ['tls_advertise_hosts = *'],
        },
        {
          why: 'The certificate with its chain, and its key: the user Exim runs as has to be able to read it.',
          lines: [
            `tls_certificate = ${certificates.map(({ chain }) => chain).join(' : ')}`,
            `tls_privatekey = ${certificates.map(({ key }) => key).join(' : ')}`,
          ],
        },
        {
          why: 'TLS 1.2 and 1.3, forward secrecy and AEAD, so no RC4, no 3DES, no CBC. Senders with nothing newer fall back to clear text, so count them first.',
          lines:
            library === 'gnutls'
              ? [`tls_require_ciphers = ${gnuTlsPriority(tls)}`]
              : [
                  'openssl_options = +no_sslv2 +no_sslv3 +no_tlsv1 +no_tlsv1_1 +no_renegotiation',
                  `tls_require_ciphers = ${openSslSuites(tls)}`,
                  ...(isFrom(version, 4, 97) ? [`tls_eccurve = ${openSslGroups(tls, ':')}`] : []),
                ],
        },
      ],
    },
    {
      place: 'Sending: the transport with "driver = smtp", remote_smtp in Debian',
      settings: [
        {
          why: 'DANE where a domain has it, else TLS where it is offered. It takes a resolver on this machine that validates, and "options trust-ad" in /etc/resolv.conf. Exim knows no MTA-STS. tls_require_ciphers is not set here: a server with nothing newer would get the mail in clear text.',
          lines: ['dnssec_request_domains = *', 'hosts_try_dane = *'],
        },
      ],
    },
  ],
};
