import { everySender, exposure, rows } from './exposure-rows.js';
import type { HostTraits, Row, Scenario } from './scenario.js';

/** Nothing is known of today; under attack the attacker decides. */
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

/** Servers and zones that cannot be judged, or not be reached. */
export const unclearDomains: readonly Scenario[] = [
  unclear('rate-limited.example', 'turns us away with 421', { habit: 'busy' }),
  {
    domain: 'banning.example',
    says: 'turns away with 421 whoever connects more than three times a minute',
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
  unclear('greylisting.example', 'answers strangers with 450', { habit: 'greylists' }),
  unclear('tarpit.example', 'keeps us waiting for its greeting', { habit: 'tarpit' }),
  unclear('blocked-25.example', 'every connection to port 25 times out', { dial: 'drop' }),
  {
    domain: 'dead-mx.example',
    says: 'nobody listens at the only MX host',
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
