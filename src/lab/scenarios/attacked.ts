import { daneAndSts, everySender, exposure, rows, stsOnly } from './exposure-rows.js';
import type { Scenario } from './scenario.js';

const { clear, open, waits, waitsFirst } = rows;

const protectedByBoth = {
  zone: { signed: {} },
  hosts: [{ tlsa: ['ee'] }],
  sts: { mode: 'enforce' },
} as const;
const calm = { verdict: 'pass', exposure: daneAndSts } as const;
/** STARTTLS is stripped: senders with a policy defer, the others send in plaintext. */
const strippedToday = exposure(waits, { opportunistic: clear, mtaStsFirst: waitsFirst });

/** Domains behind an on-path attacker, as a check through the attacker observes them. */
export const attackedDomains: readonly Scenario[] = [
  {
    domain: 'stripped.example',
    says: 'like good.example, but an on-path attacker overwrites the word STARTTLS',
    ...protectedByBoth,
    attack: { strip: 'mangle' },
    expect: {
      verdict: 'fail',
      fail: ['starttls-mangled', 'starttls-promised'],
      exposure: strippedToday,
    },
    calm,
  },
  {
    domain: 'stripped-by-removal.example',
    says: 'like good.example, but an on-path attacker removes the STARTTLS line',
    ...protectedByBoth,
    attack: { strip: 'remove' },
    expect: {
      verdict: 'fail',
      fail: ['starttls-absent', 'starttls-promised'],
      exposure: strippedToday,
    },
    calm,
  },
  {
    domain: 'swapped-cert.example',
    says: 'like good.example, but an on-path attacker answers with another certificate',
    ...protectedByBoth,
    attack: { swap: true },
    expect: {
      verdict: 'fail',
      fail: ['cert-self-signed', 'dane-mismatch'],
      exposure: exposure(waits, { opportunistic: open, mtaStsFirst: waitsFirst }),
    },
    calm,
  },
  {
    domain: 'spoofed-mx.example',
    says: 'unsigned, MTA-STS enforced; an attacker forges the MX record',
    sts: { mode: 'enforce' },
    attack: {
      faults: {
        'spoofed-mx.example MX': { forge: ['spoofed-mx.example. 60 IN MX 5 mx.attacker.example.'] },
      },
    },
    expect: {
      verdict: 'fail',
      fail: ['sts-no-mx-matches'],
      exposure: exposure(open, {
        mtaStsFirst: waitsFirst,
        mtaStsCached: waits,
        bothFirst: waitsFirst,
        bothCached: waits,
      }),
    },
    calm: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'suppressed.example',
    says: 'unsigned, MTA-STS enforced; an attacker removes STARTTLS and blocks the policy record',
    sts: { mode: 'enforce' },
    attack: {
      strip: 'remove',
      faults: {
        '_mta-sts.suppressed.example TXT': 'nodata',
        'mta-sts.suppressed.example A': 'nodata',
      },
    },
    expect: {
      verdict: 'fail',
      fail: ['starttls-absent'],
      warn: ['no-enforcement'],
      exposure: everySender(clear),
    },
    calm: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'large-hello.example',
    says: 'MTA-STS enforced; a middlebox drops the large ClientHellos of current senders',
    sts: { mode: 'enforce' },
    attack: { largeHellos: 'reset' },
    expect: { verdict: 'warn', warn: ['tls-large-hello'], exposure: stsOnly },
    calm: { verdict: 'pass', exposure: stsOnly },
  },
  {
    domain: 'tlsa-removed.example',
    says: 'signed with DANE; an attacker forges the denial of the TLSA record',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee'] }],
    attack: { faults: { '_25._tcp.mx.tlsa-removed.example TLSA': 'nxdomain' } },
    expect: {
      verdict: 'fail',
      fail: ['dane-bogus'],
      exposure: exposure(open, { dane: waits, bothFirst: waits, bothCached: waits }),
    },
    calm: {
      verdict: 'pass',
      exposure: exposure(open, {
        dane: rows.sealed,
        bothFirst: rows.sealed,
        bothCached: rows.sealed,
      }),
    },
  },
];
