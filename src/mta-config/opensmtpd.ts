import { openSslSuites } from './library-names.js';
import { isFrom, type MailServer } from './types.js';

/** OpenSMTPD, `smtpd.conf` (smtpd.conf(5)). */
export const openSmtpd: MailServer = {
  oldest: [6, 6],
  manyKeys: false,
  count: `grep -h 'smtp tls ciphers=' /var/log/mail.log* | grep -cvE 'TLSv1\\.[23]:(ECDHE|TLS)[^:]*(GCM|CHACHA20)'`,
  apply: 'smtpd -n && systemctl restart opensmtpd',
  parts: ({ tls, host, certificates, version, listen = ['0.0.0.0', '::'] }) => {
    const suites = openSslSuites(tls);
    const own = isFrom(version, 7, 0);
    return [
      {
        place: 'Receiving: /etc/smtpd.conf, in place of its line "listen on" for port 25',
        settings: [
          ...(isFrom(version, 7, 3)
            ? []
            : [
                {
                  why: 'Before 7.3 no handshake comes about with OpenSSL 3, as in Debian 12 (OpenSMTPD issue 1171): take a newer one first.',
                  lines: [],
                },
              ]),
          {
            why: 'The certificate with its chain, and its key.',
            lines: certificates.flatMap(({ chain, key }) => [
              `pki ${host} cert "${chain}"`,
              `pki ${host} key "${key}"`,
            ]),
          },
          {
            why: `TLS 1.2${own ? ' and 1.3' : ' and what comes after it by the library'}, forward secrecy and AEAD, so no RC4, no 3DES, no CBC. Senders with nothing newer fall back to clear text, so count them first. "tls" offers TLS; "tls-require" would lose the mail of whoever has none (RFC 3207 §4).`,
            lines: [
              ...(own ? [] : [`smtp ciphers "${suites}"`]),
              ...listen.map(
                (address) =>
                  `listen on ${address} port 25 hostname ${host} tls pki ${host}${own ? ` protocols "TLSv1.2,TLSv1.3" ciphers "${suites}"` : ''}`,
              ),
            ],
          },
        ],
      },
      {
        place: 'Sending: /etc/smtpd.conf',
        settings: [
          {
            why: 'Nothing to set: "action NAME relay" takes TLS where it is offered. Leave "tls" away from it, which would hold back mail to whoever has none. OpenSMTPD knows neither DANE nor MTA-STS.',
            lines: [],
          },
        ],
      },
    ];
  },
};
