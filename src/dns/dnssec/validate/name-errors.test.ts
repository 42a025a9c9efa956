/**
 * Tests of proofs that a name does not exist: NSEC3 with and without opt-out, and a DNAME
 * that makes a name too long.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import {
  SignedWorld,
  nsec3,
  record,
  type Nsec3Shape,
  type Responses,
} from '../../../../test/support/signed-zones.js';

const world = new SignedWorld(['example', 'a.example']);
const question = 'mx.gone.a.example A';

const span = (name: string, shape: Nsec3Shape = {}): ResourceRecord[] =>
  world.signed('a.example', [nsec3('a.example', name, shape)]);
const encloser = span('a.example', { matches: true, types: 'SOA NS A RRSIG' });
const nextCloser = (optOut: boolean): ResourceRecord[] => span('gone.a.example', { optOut });
const wildcard = span('*.a.example');

async function outcome(asked: string, response: Responses[string]): Promise<string> {
  const otherwise = (name: Name): Responses[string] => ({
    authorities: span(name.toString(), { matches: true, types: 'A RRSIG' }),
  });
  const { status, dnssec } = await world.ask(asked, { [asked]: response }, { otherwise });
  return `${status} ${dnssec}`;
}

for (const [says, authorities, wanted] of [
  [
    'closest encloser, next closer and wildcard',
    [...encloser, ...nextCloser(false), ...wildcard],
    'nxdomain secure',
  ],
  ['opt-out with all three', [...encloser, ...nextCloser(true), ...wildcard], 'nxdomain insecure'],
  ['opt-out without the wildcard', [...encloser, ...nextCloser(true)], 'failed bogus'],
  ['no wildcard', [...encloser, ...nextCloser(false)], 'failed bogus'],
  ['no next closer', [...encloser, ...wildcard], 'failed bogus'],
  ['no closest encloser', [...nextCloser(true), ...wildcard], 'failed bogus'],
  [
    'a wildcard that exists',
    [...encloser, ...nextCloser(true), ...span('*.a.example', { matches: true, types: 'A RRSIG' })],
    'failed bogus',
  ],
  [
    'a closest encloser that is a delegation',
    [...span('a.example', { matches: true, types: 'NS' }), ...nextCloser(true), ...wildcard],
    'failed bogus',
  ],
  [
    'a closest encloser that is a DNAME',
    [
      ...span('a.example', { matches: true, types: 'SOA NS DNAME' }),
      ...nextCloser(true),
      ...wildcard,
    ],
    'failed bogus',
  ],
  [
    'the wildcard of a farther ancestor',
    [...encloser, ...nextCloser(true), ...span('*.example')],
    'failed bogus',
  ],
] as const)
  test(`RFC 5155 §8.4 [5155-8.4-1]: NXDOMAIN with ${says}: ${wanted}`, async () => {
    assert.equal(await outcome(question, { rcode: 3, authorities }), wanted);
  });

test('an empty non-terminal under NXDOMAIN is still proved by its own NSEC3', async () => {
  const authorities = span('mx.gone.a.example', { matches: true });
  assert.equal(await outcome(question, { rcode: 3, authorities }), 'nodata secure');
});

test('RFC 5155 §8.6: NODATA for an unsigned delegation in an opt-out span is insecure', async () => {
  const authorities = [...encloser, ...nextCloser(true)];
  assert.equal(await outcome('gone.a.example DS', { authorities }), 'nodata insecure');
  assert.equal(
    await outcome('gone.a.example DS', { authorities: [...encloser, ...nextCloser(false)] }),
    'failed bogus',
  );
});

const long = Array.from({ length: 3 }, () => 'l'.repeat(63)).join('.');
const tooLong = `${'m'.repeat(50)}.d.a.example`;

test('RFC 6672 §2.2 [6672-2.2-1]: a name that a DNAME makes too long does not exist', async () => {
  const dname = world.by('a.example', `d.a.example. DNAME ${long}.${'n'.repeat(40)}.example.`);
  for (const rcode of [6, 0]) {
    const answer = await world.ask(`${tooLong} MX`, {
      [`${tooLong} MX`]: { rcode, answers: dname },
    });
    assert.deepEqual(
      [answer.status, answer.dnssec, answer.aliases.length, answer.failure],
      ['nxdomain', 'secure', 0, undefined],
    );
  }
});

test('RFC 6672 §2.2: too long names behind an alias or another DNAME', async () => {
  const dname = world.by('a.example', `d.a.example. DNAME ${long}.${'n'.repeat(40)}.example.`);
  const alias = world.by('a.example', `www.a.example. CNAME ${tooLong}.`);
  assert.equal(
    await outcome('www.a.example A', { rcode: 6, answers: [...alias, ...dname] }),
    'nxdomain secure',
  );
  const first = world.by('a.example', 'e.a.example. DNAME d.a.example.');
  const owner = `${'m'.repeat(50)}.e.a.example A`;
  assert.equal(
    await outcome(owner, { rcode: 6, answers: [...first, ...dname] }),
    'nxdomain secure',
  );
});

test('YXDOMAIN proves nothing without a signed DNAME that explains it', async () => {
  const fits = world.by('a.example', 'd.a.example. DNAME other.a.example.');
  for (const answers of [
    [],
    fits,
    [record(`d.a.example. DNAME ${long}.${'n'.repeat(40)}.example.`)],
  ]) {
    const { status } = await world.ask(
      `${tooLong} MX`,
      { [`${tooLong} MX`]: { rcode: 6, answers } },
      { otherwise: (name: Name) => ({ authorities: name.labels.length > 2 ? encloser : [] }) },
    );
    assert.equal(status, 'failed');
  }
});
