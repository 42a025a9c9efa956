import { daneAndSts, daneOnly, exposure, rows, stsOnly, unprotected } from './exposure-rows.js';
import type { Row, Scenario } from './scenario.js';

const { open, waits, waitsFirst } = rows;

/** An on-path attacker can also block the only address that offers TLS. */
const uneven: Row = ['cleartext', 'cleartext', 'cleartext', 'to-attacker', 'cleartext'];

/** Domains with a valid policy: DANE, MTA-STS or both. */
export const protectedDomains: readonly Scenario[] = [
  {
    domain: 'good.example',
    says: 'signed, DANE and MTA-STS enforced, TLS reports requested',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee'] }],
    sts: { mode: 'enforce' },
    expect: { verdict: 'pass', exposure: daneAndSts },
  },
  {
    domain: 'sts-only.example',
    says: 'MTA-STS enforced, DNS unsigned',
    sts: { mode: 'enforce' },
    expect: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'dane-only.example',
    says: 'DANE-EE with a self-signed certificate, no MTA-STS',
    zone: { signed: {} },
    hosts: [{ certificate: 'self-signed', tlsa: ['ee'] }],
    expect: { verdict: 'pass', exposure: daneOnly },
  },
  {
    domain: 'dane-ta.example',
    says: 'DANE-TA: the CA of the server is in TLSA',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ta'] }],
    expect: { verdict: 'pass', exposure: daneOnly },
  },
  {
    domain: 'rollover.example',
    says: 'TLSA for the key of today and the key of tomorrow',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee', 'next'] }],
    expect: { verdict: 'pass', exposure: daneOnly },
  },
  {
    domain: 'leftover.example',
    says: 'TLSA for the key in use, for its certificate, and for an issuer that is not used',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee', 'ee-certificate', 'unrelated'] }],
    expect: { verdict: 'pass', exposure: daneOnly },
  },
  {
    domain: 'two-keys.example',
    says: 'two addresses with a key each, TLSA for the first only',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee'], beside: { certificate: 'trusted' } }],
    expect: { verdict: 'fail', fail: ['dane-mismatch'], exposure: daneOnly },
  },
  {
    domain: 'uneven.example',
    says: 'MTA-STS enforced; the host offers STARTTLS over IPv4 only',
    hosts: [
      {
        beside: {
          family: 6,
          habit: 'no-starttls',
          greeting: '220 gateway.elsewhere.example ESMTP',
        },
      },
    ],
    sts: { mode: 'enforce' },
    expect: {
      verdict: 'fail',
      fail: ['starttls-absent', 'starttls-promised'],
      warn: ['starttls-differs'],
      exposure: { ...stsOnly, opportunistic: uneven, dane: uneven },
    },
  },
  {
    domain: 'tlsa-cname.example',
    says: 'TLSA behind a CNAME, both signed',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee'], tlsaAt: 'keys' }],
    expect: { verdict: 'pass', exposure: daneOnly },
  },
  {
    domain: 'nsec3-optout.example',
    says: 'DANE in a zone signed with NSEC3 and opt-out',
    zone: { signed: { denial: 'nsec3-optout' } },
    hosts: [{ tlsa: ['ee'] }],
    expect: { verdict: 'pass', exposure: daneOnly },
  },
  {
    domain: 'no-ipv6.example',
    says: 'the host has an IPv6 address that cannot be tried from here',
    hosts: [{ v6: true }],
    sts: { mode: 'enforce' },
    expect: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'many-mx.example',
    says: 'twelve MX hosts: ten are checked',
    hosts: Array.from({ length: 12 }, (_, index) => ({ name: `mx${index + 1}` })),
    sts: { mode: 'enforce', mx: ['*.many-mx.example'] },
    expect: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'bücher.example',
    says: 'an internationalised domain with MTA-STS',
    sts: { mode: 'enforce' },
    expect: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'near-expiry.example',
    says: 'the certificate expires in five days',
    hosts: [{ certificate: 'near-expiry' }],
    sts: { mode: 'enforce' },
    expect: { verdict: 'warn', warn: ['cert-near-expiry'], exposure: stsOnly },
  },
  {
    domain: 'weak-rsa.example',
    says: 'an RSA key of 1024 bits',
    hosts: [{ certificate: 'rsa-1024' }],
    sts: { mode: 'enforce' },
    expect: { verdict: 'warn', warn: ['cert-weak-key'], exposure: stsOnly },
  },
  {
    domain: 'injectable.example',
    says: 'executes plaintext commands inside TLS (found with --intrusive)',
    hosts: [{ habit: 'injectable' }],
    sts: { mode: 'enforce' },
    expect: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'expired-enforced.example',
    says: 'MTA-STS enforced with a certificate that has expired',
    hosts: [{ certificate: 'expired' }],
    sts: { mode: 'enforce' },
    expect: {
      verdict: 'fail',
      fail: ['cert-expired'],
      exposure: exposure(open, {
        mtaStsFirst: waitsFirst,
        mtaStsCached: waits,
        bothFirst: waitsFirst,
        bothCached: waits,
      }),
    },
  },
  {
    domain: 'sts-enforce-self-signed-dane.example',
    says: 'MTA-STS enforced, but the certificate is self-signed: good for DANE, not for MTA-STS',
    zone: { signed: {} },
    hosts: [{ certificate: 'self-signed', tlsa: ['ee'] }],
    sts: { mode: 'enforce' },
    expect: {
      verdict: 'fail',
      fail: ['cert-self-signed'],
      exposure: exposure(waits, {
        opportunistic: open,
        mtaStsFirst: waitsFirst,
        dane: rows.sealed,
      }),
    },
  },
  {
    domain: 'dane-mismatch.example',
    says: 'the key was renewed, TLSA was not',
    zone: { signed: {} },
    hosts: [{ tlsa: ['stale'] }],
    expect: {
      verdict: 'fail',
      fail: ['dane-mismatch'],
      exposure: exposure(open, { dane: waits, bothFirst: waits, bothCached: waits }),
    },
  },
  {
    domain: 'two-certs.example',
    says: 'an RSA and an ECDSA certificate, TLSA for the RSA key only',
    zone: { signed: {} },
    hosts: [{ certificate: 'rsa-and-ecdsa', tlsa: ['ee'] }],
    expect: {
      verdict: 'fail',
      fail: ['dane-mismatch'],
      exposure: exposure(open, { dane: waits, bothFirst: waits, bothCached: waits }),
    },
  },
  {
    domain: 'sni-required.example',
    says: 'MTA-STS enforced; a handshake without SNI is refused',
    hosts: [{ withoutSni: 'refused' }],
    sts: { mode: 'enforce' },
    expect: { verdict: 'fail', fail: ['tls-sni-required'], exposure: stsOnly },
  },
  {
    domain: 'default-certificate.example',
    says: 'DANE for the key that SNI selects; without SNI there is another certificate',
    zone: { signed: {} },
    hosts: [{ withoutSni: 'other-name', tlsa: ['ee'] }],
    expect: { verdict: 'warn', warn: ['cert-depends-on-sni'], exposure: daneOnly },
  },
  {
    domain: 'default-certificate-sts.example',
    says: 'MTA-STS enforced; without SNI there is a certificate for another name',
    hosts: [{ withoutSni: 'other-name' }],
    sts: { mode: 'enforce' },
    expect: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'hoster.example',
    says: 'a mail hoster with DANE',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee'] }],
    expect: { verdict: 'pass', exposure: daneOnly },
  },
  {
    domain: 'unsigned-hoster.example',
    says: 'a mail hoster without DNSSEC',
    expect: { verdict: 'warn', warn: ['no-enforcement'], exposure: unprotected },
  },
];
