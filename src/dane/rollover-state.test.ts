import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { createCa, issue } from '../pki/index.js';
import { parseCertificate, spkiSha256, type Certificate } from '../x509/index.js';
import type { TlsaData } from '../dns/index.js';
import { rolloverState } from './rollover-state.js';
import { parseTlsa } from './tlsa-text.js';

const ca = createCa({ name: 'CA' });
const chainOf = (name: string): Certificate[] =>
  [issue(ca, { names: [name] }).der, ca.der].map((der) => {
    const parsed = parseCertificate(der);
    assert.ok(parsed.ok);
    return parsed.value;
  });
const [one, two] = [chainOf('mx.example'), chainOf('mx.example')];
const leaf = (chain: Certificate[]): Certificate => chain[0] as Certificate;
const record = (text: string): TlsaData => parseTlsa(text) as TlsaData;
const key = (chain: Certificate[]): TlsaData => record(`3 1 1 ${spkiSha256(leaf(chain))}`);
const whole = (chain: Certificate[]): TlsaData =>
  record(`3 0 1 ${createHash('sha256').update(leaf(chain).der).digest('hex')}`);
const issuer = record(`2 1 1 ${spkiSha256(one[1] as Certificate)}`);
const [nextKey, otherIssuer, unusable] = [
  record(`3 1 1 ${'5e'.repeat(32)}`),
  record(`2 1 1 ${'5e'.repeat(32)}`),
  record('1 1 1 00'),
];

const cases: readonly [
  string,
  Parameters<typeof rolloverState>[0],
  ReturnType<typeof rolloverState>,
][] = [
  [
    'one record for the key in use',
    { records: [key(one)], chains: [one] },
    { state: 'single', roles: ['current'] },
  ],
  [
    'a record for the next key',
    { records: [key(one), nextKey], chains: [one] },
    { state: 'ready', roles: ['current', 'next'] },
  ],
  [
    'key and issuer',
    { records: [key(one), issuer], chains: [one] },
    { state: 'ready', roles: ['current', 'current'] },
  ],
  [
    'the same certificate said twice is no second record',
    { records: [key(one), whole(one)], chains: [one] },
    { state: 'single', roles: ['current', 'duplicate'] },
  ],
  [
    'the digest of an unrelated issuer is not a second record',
    { records: [key(one), otherIssuer], chains: [one] },
    { state: 'single', roles: ['current', 'unrelated'] },
  ],
  [
    'nothing matches',
    { records: [nextKey], chains: [one] },
    { state: 'mismatch', roles: ['stale'] },
  ],
  [
    'one of two keys has a record',
    { records: [key(one)], chains: [one, two] },
    { state: 'partial', roles: ['current'] },
  ],
  [
    'a record of each of two keys is not a duplicate',
    { records: [key(one), key(two)], chains: [one, two] },
    { state: 'single', roles: ['current', 'current'] },
  ],
  [
    'a key that is gone is stale, not next',
    { records: [key(two), key(one)], chains: [two], gone: [one] },
    { state: 'single', roles: ['current', 'stale'] },
  ],
  [
    'an unassigned usage',
    { records: [key(one), unusable], chains: [one] },
    { state: 'single', roles: ['current', 'unusable'] },
  ],
  [
    'no certificate was seen',
    { records: [key(one)], chains: [] },
    { state: 'unknown', roles: ['unknown'] },
  ],
];

for (const [name, question, answer] of cases) {
  test(`TLSA rollover: ${name}`, () => {
    assert.deepEqual(rolloverState(question), answer);
  });
}

test('TLSA rollover: the order of the records changes no state', () => {
  for (const [, question, answer] of cases)
    assert.equal(
      rolloverState({ ...question, records: [...question.records].reverse() }).state,
      answer.state,
    );
});
