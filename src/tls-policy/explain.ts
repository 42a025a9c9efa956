import type { Reason } from './decide-host.js';

/** Every ground of a decision in words, with its clause. */
export const reasonTable: Readonly<
  Record<Reason, { readonly says: string; readonly clause: string }>
> = {
  'dane-usable': {
    says: 'Secure TLSA records require TLS and a server that matches one of them.',
    clause: 'RFC 7672 §2.2',
  },
  'dane-unusable': {
    says: 'None of the secure TLSA records is usable: senders must use TLS, but cannot authenticate the server.',
    clause: 'RFC 7672 §2.2',
  },
  'dane-absent': { says: 'No TLSA records.', clause: 'RFC 7672 §2.2' },
  'dane-insecure': {
    says: 'TLSA records in an unsigned zone have no effect.',
    clause: 'RFC 7672 §2.2',
  },
  'dane-insecure-mx': {
    says: 'An unsigned MX record names a host with secure TLSA records: senders authenticate the host, but not the MX record.',
    clause: 'RFC 7672 §2.2.1',
  },
  'dane-bogus': {
    says: 'The TLSA answer fails validation, so senders must not use the host.',
    clause: 'RFC 7672 §2.1.2',
  },
  'dane-tempfail': {
    says: 'The TLSA lookup failed, so senders must not use the host.',
    clause: 'RFC 7672 §2.1.2',
  },
  'dane-not-told': {
    says: 'The DNSSEC status is unknown here, so senders must not use the host.',
    clause: 'RFC 7672 §2.1.1',
  },
  'dane-not-used': { says: 'This sender does not use DANE.', clause: 'RFC 7672 §2.1' },
  'dane-suffices': {
    says: 'MTA-STS requires PKIX as well; with the option daneSuffices, DANE alone is enough.',
    clause: 'RFC 8461 §2',
  },
  'dane-skipped-insecure-mx': {
    says: 'An unsigned MX record names the host, so this sender does not apply DANE.',
    clause: 'RFC 7672 §2.2.1',
  },
  'address-bogus': {
    says: 'The host or its addresses fail DNSSEC validation.',
    clause: 'RFC 7672 §2.1.2',
  },
  'sts-enforce': {
    says: 'The MTA-STS policy in mode enforce requires TLS and a certificate from a public CA.',
    clause: 'RFC 8461 §4',
  },
  'sts-testing': {
    says: 'The MTA-STS policy is in mode testing: senders report failures and deliver the mail.',
    clause: 'RFC 8461 §5',
  },
  'sts-none': { says: 'MTA-STS is withdrawn: mode none.', clause: 'RFC 8461 §5' },
  'sts-no-policy': { says: 'No MTA-STS policy.', clause: 'RFC 8461 §3.3' },
  'sts-not-used': { says: 'This sender does not use MTA-STS.', clause: 'RFC 8461 §2' },
  'sts-mx-mismatch': {
    says: 'The MTA-STS policy does not list this host, so senders must not use it.',
    clause: 'RFC 8461 §4.1',
  },
  'require-tls': { says: 'This sender requires TLS for this domain.', clause: 'RFC 3207 §6' },
  'require-dane': { says: 'This sender requires DANE for this domain.', clause: 'RFC 7672 §6' },
  'require-dane-missing': {
    says: 'This sender requires DANE for this domain, but DANE does not apply, so it must not use the host.',
    clause: 'RFC 7672 §6',
  },
  'require-verified': { says: 'REQUIRETLS: an authenticated server.', clause: 'RFC 8689 §4.2.1' },
  'require-verified-mx': {
    says: 'With REQUIRETLS, senders must not use this host: neither DNSSEC nor MTA-STS secures its name.',
    clause: 'RFC 8689 §4.2.1',
  },
};
