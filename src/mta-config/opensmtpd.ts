import { logLines } from '../base/index.js';
import { openSslSuites } from './library-names.js';
import { isAtLeast, type MailServerKind } from './types.js';

/**
 * Settings for OpenSMTPD, `smtpd.conf` (smtpd.conf(5)). OpenSMTPD supports neither DANE
 * nor MTA-STS when it sends.
 */
export const openSmtpd: MailServerKind = {
  oldest: [6, 6],
  manyKeys: false,
  count: `${logLines('smtp tls ciphers=')} | grep -cvE 'TLSv1\\.[23]:(ECDHE|TLS)[^:]*(GCM|CHACHA20)'`,
  apply: 'smtpd -n && systemctl restart opensmtpd',
  parts: ({ tls, host: hostName, certificates, version, listen = ['0.0.0.0', '::'] }) => {
    const suites = openSslSuites(tls);
    const own = isAtLeast(version, 7, 0);
    return [
      {
        place: 'Receiving: /etc/smtpd.conf, instead of its line "listen on" for port 25',
        settings: [
          ...(isAtLeast(version, 7, 3)
            ? []
            : [
                {
                  why: 'Before 7.3 handshakes fail with OpenSSL 3, as in Debian 12 (OpenSMTPD issue 1171): install a newer version first.',
                  lines: [],
                },
              ]),
          {
            why: 'The certificate with its chain, and its key.',
            lines: certificates.flatMap(({ chain, key }) => [
              `pki ${hostName} cert "${chain}"`,
              `pki ${hostName} key "${key}"`,
            ]),
          },
          {
            why: 'OpenSMTPD has no setting for the groups of the key exchange. The packages 7.6 and 7.9 of Debian offer no post-quantum group.',
            lines: [],
          },
          {
            why: `TLS 1.2${own ? ' and 1.3' : ' and later versions of the library'}, with forward secrecy and AEAD; no RC4, 3DES or CBC. Older senders fall back to plaintext, so count them first. "tls" offers TLS. With "tls-require", senders without TLS cannot deliver (RFC 3207 §4).`,
            lines: [
              ...(own ? [] : [`smtp ciphers "${suites}"`]),
              ...listen.map(
                (address) =>
                  `listen on ${address} port 25 hostname ${hostName} tls pki ${hostName}${own ? ` protocols "TLSv1.2,TLSv1.3" ciphers "${suites}"` : ''}`,
              ),
            ],
          },
        ],
      },
      {
        place: 'Sending: /etc/smtpd.conf',
        settings: [
          {
            why: 'No setting is necessary: "action NAME relay" uses TLS if the server offers it. Do not add "tls" to this action: OpenSMTPD would defer mail to servers without TLS. OpenSMTPD supports neither DANE nor MTA-STS.',
            lines: [],
          },
        ],
      },
    ];
  },
};
