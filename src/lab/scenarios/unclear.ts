import { everySender, exposure, rows, stsOnly } from './exposure-rows.js';
import type { HostTraits, Row, Scenario } from './scenario.js';

/** The outcome without an attack is unknown; under attack, the attacker decides it. */
const unknownToday: Row = ['unknown', 'cleartext', 'to-attacker', 'to-attacker', 'cleartext'];
const unreachable: Row = ['deferred', 'cleartext', 'to-attacker', 'to-attacker', 'cleartext'];

const unclear = (domain: string, says: string, host: HostTraits): Scenario => ({
  domain,
  says,
  hosts: [host],
  expect: {
    verdict: 'inconclusive',
    warn: ['no-enforcement'],
    exposure: everySender(unknownToday),
  },
});

/** Servers and zones that a check cannot judge or reach. */
export const unclearDomains: readonly Scenario[] = [
  unclear('rate-limited.example', 'refuses connections with 421', { habit: 'busy' }),
  {
    domain: 'banning.example',
    says: 'answers 421 after three connections in a minute',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee'], admits: { connections: 3, within: 60_000, then: 'busy' } }],
    expect: {
      verdict: 'inconclusive',
      exposure: exposure(rows.open, {
        dane: rows.sealed,
        bothFirst: rows.sealed,
        bothCached: rows.sealed,
      }),
    },
  },
  unclear('tls-deferred.example', 'answers STARTTLS with 454', { habit: 'defers-tls' }),
  unclear('deferred-inside.example', 'answers EHLO inside TLS with 451', {
    habit: 'defers-inside',
  }),
  unclear('hangs-up-inside.example', 'closes the connection after the TLS handshake', {
    habit: 'hangs-up-inside',
  }),
  unclear('refusing.example', 'greets with 554', { habit: 'closed' }),
  {
    domain: 'refused-inside.example',
    says: 'DANE and MTA-STS enforced, but EHLO inside TLS is answered with 550',
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee'], habit: 'refuses-inside' }],
    sts: { mode: 'enforce' },
    expect: {
      verdict: 'fail',
      fail: ['tls-session-refused'],
      exposure: exposure(rows.waits, {
        opportunistic: unreachable,
        mtaStsFirst: rows.waitsFirst,
      }),
    },
  },
  {
    domain: 'takes-no-mail.example',
    says: 'the only MX host greets with 521',
    hosts: [{ habit: 'takes-no-mail' }],
    expect: {
      verdict: 'fail',
      fail: ['mx-takes-no-mail'],
      warn: ['no-enforcement'],
      exposure: everySender(unreachable),
    },
  },
  {
    domain: 'one-takes-no-mail.example',
    says: 'the first MX host greets with 521, the second accepts mail',
    hosts: [{ name: 'mx1', habit: 'takes-no-mail' }, { name: 'mx2' }],
    sts: { mode: 'enforce' },
    expect: { verdict: 'warn', warn: ['mx-takes-no-mail'], exposure: stsOnly },
  },
  unclear('greylisting.example', 'answers strangers with 450', { habit: 'greylists' }),
  unclear('tarpit.example', 'delays its greeting', { habit: 'tarpit' }),
  unclear('blocked-25.example', 'every connection to port 25 times out', { dial: 'drop' }),
  {
    domain: 'dead-mx.example',
    says: 'the only MX host refuses connections',
    hosts: [{ dial: 'refuse' }],
    expect: {
      verdict: 'fail',
      fail: ['mx-unreachable'],
      warn: ['no-enforcement'],
      exposure: everySender(unreachable),
    },
  },
  {
    domain: 'bogus.example',
    says: 'signatures of the zone have expired',
    zone: { signed: {}, fault: 'expired' },
    hosts: [{ tlsa: ['ee'] }],
    expect: {
      verdict: 'fail',
      fail: ['dnssec-bogus'],
      exposure: exposure(['unknown', 'unknown', 'unknown', 'unknown', 'unknown'], {
        dane: ['deferred', 'deferred', 'deferred', 'deferred', 'deferred'],
        bothFirst: ['deferred', 'deferred', 'deferred', 'deferred', 'deferred'],
        bothCached: ['deferred', 'deferred', 'deferred', 'deferred', 'deferred'],
      }),
    },
  },
];
