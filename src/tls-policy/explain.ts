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
    says: 'Secure TLSA records, none of them usable: TLS is mandatory, authentication impossible.',
    clause: 'RFC 7672 §2.2',
  },
  'dane-absent': { says: 'No TLSA records.', clause: 'RFC 7672 §2.2' },
  'dane-insecure': {
    says: 'TLSA records in an unsigned zone have no effect.',
    clause: 'RFC 7672 §2.2',
  },
  'dane-insecure-mx': {
    says: 'Secure TLSA records of a host that an unsigned MX names: the host is authenticated; the MX record that names it is not.',
    clause: 'RFC 7672 §2.2.1',
  },
  'dane-bogus': {
    says: 'The TLSA answer fails validation: the host must not be used.',
    clause: 'RFC 7672 §2.1.2',
  },
  'dane-tempfail': {
    says: 'The TLSA records could not be looked up: the host must not be used.',
    clause: 'RFC 7672 §2.1.2',
  },
  'dane-not-told': {
    says: 'The DNSSEC status could not be determined from here: the host must not be used.',
    clause: 'RFC 7672 §2.1.1',
  },
  'dane-not-used': { says: 'This sender does not use DANE.', clause: 'RFC 7672 §2.1' },
  'dane-suffices': {
    says: 'MTA-STS requires PKIX as well; with the option daneSuffices, DANE alone is enough.',
    clause: 'RFC 8461 §2',
  },
  'dane-skipped-insecure-mx': {
    says: 'An unsigned MX names the host; this sender does not apply DANE in that case.',
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
    says: 'The MTA-STS policy is in testing: failures are reported, and mail is delivered.',
    clause: 'RFC 8461 §5',
  },
  'sts-none': { says: 'MTA-STS is withdrawn: mode none.', clause: 'RFC 8461 §5' },
  'sts-no-policy': { says: 'No MTA-STS policy.', clause: 'RFC 8461 §3.3' },
  'sts-not-used': { says: 'This sender does not use MTA-STS.', clause: 'RFC 8461 §2' },
  'sts-mx-mismatch': {
    says: 'The MTA-STS policy does not list this host: it must not be used.',
    clause: 'RFC 8461 §4.1',
  },
  'require-tls': { says: 'This sender requires TLS here.', clause: 'RFC 3207 §6' },
  'require-dane': { says: 'This sender requires DANE here.', clause: 'RFC 7672 §6' },
  'require-dane-missing': {
    says: 'This sender requires DANE here, and DANE does not apply: the host must not be used.',
    clause: 'RFC 7672 §6',
  },
  'require-verified': { says: 'REQUIRETLS: an authenticated server.', clause: 'RFC 8689 §4.2.1' },
  'require-verified-mx': {
    says: 'REQUIRETLS: neither DNSSEC nor MTA-STS secures the name of this host: it must not be used.',
    clause: 'RFC 8689 §4.2.1',
  },
};
