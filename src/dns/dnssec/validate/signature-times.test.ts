/**
 * Tests of the validity period of a signature: serial number arithmetic, and the
 * tolerance for clock differences.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readRrsig } from '../../wire/rdata.js';
import { record, SignedWorld } from '../../../../test/support/signed-zones.js';
import { defaultLimits } from './types.js';
import { timeOf } from './verify-rrset.js';

const world = new SignedWorld(['example']);
const data = record('mx.example. A 192.0.2.1');
const noDs = world.by('example', 'mx.example. NSEC example. A NSEC RRSIG');
const HOUR = 3_600_000;
const TURN = 2 ** 32 * 1000;

/**
 * Returns the states of a signature with these dates at the given times, all in
 * milliseconds since 1970.
 */
function states(
  [inception, expiration]: readonly [number, number],
  times: readonly number[],
  clockSkew = 0,
): readonly string[] {
  const [, signature] = world.signed('example', [data], { inception, expiration });
  assert.ok(signature);
  const read = readRrsig(signature);
  assert.ok(read.ok);
  return times.map((now) => timeOf(read.value, { now, limits: { ...defaultLimits, clockSkew } }));
}

/**
 * Returns the status of an answer whose only signature expired, or becomes valid, a
 * number of seconds from now.
 */
async function answered(
  seconds: { readonly since?: number; readonly until?: number },
  clockSkew?: number,
): Promise<string> {
  const { since = -86_400, until = 86_400 } = seconds;
  const during = { inception: world.now + since * 1000, expiration: world.now + until * 1000 };
  const { status, dnssec, ttl } = await world.ask(
    'mx.example A',
    { 'mx.example A': { answers: world.signed('example', [data], during) } },
    {
      otherwise: () => ({ authorities: noDs }),
      ...(clockSkew === undefined ? {} : { limits: { clockSkew } }),
    },
  );
  return `${status} ${dnssec} ${ttl}`;
}

test('RFC 4034 §3.1.5: dates use serial arithmetic, also when 32 bits wrap', () => {
  assert.deepEqual(
    states(
      [TURN - 24 * HOUR, TURN + 24 * HOUR],
      [-48 * HOUR, -1000, 1000, 48 * HOUR].map((t) => TURN + t),
    ),
    ['early', 'valid', 'valid', 'expired'],
  );
});

test('a signature whose expiration precedes its inception never counts', () => {
  const dates = [TURN + HOUR, TURN - HOUR] as const;
  const times = [-2 * HOUR, 0, 2 * HOUR].map((t) => TURN + t);
  for (const skew of [0, 3600])
    assert.deepEqual(states(dates, times, skew), ['expired', 'expired', 'expired']);
});

test('[4035-5.3.1-1] the tolerance for clock skew is 300 seconds on either side', async () => {
  assert.equal(await answered({ until: -299 }), 'found secure 0');
  assert.match(await answered({ until: -301 }), /^failed bogus/);
  assert.match(await answered({ until: -3600 }), /^failed bogus/);
  assert.match(await answered({ since: 299 }), /^found secure/);
  assert.match(await answered({ since: 301 }), /^failed bogus/);
});

test('a tolerance of 0 applies the dates to the second', async () => {
  assert.equal(await answered({ until: 0 }, 0), 'found secure 0');
  assert.match(await answered({ until: -1 }, 0), /^failed bogus/);
  assert.match(await answered({ since: 0 }, 0), /^found secure/);
  assert.match(await answered({ since: 1 }, 0), /^failed bogus/);
  assert.match(await answered({ until: -3000 }, 3600), /^found secure/);
});
