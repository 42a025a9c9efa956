import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { createCa, createIntermediate, issue, selfSigned, type Issued } from '../pki/index.js';
import { parseCertificate, type Certificate } from '../x509/index.js';
import { parseTlsa, verifyDane } from './index.js';

const root = createCa({ name: 'Root' });
const upper = createIntermediate(root, { name: 'Upper' });
const lower = createIntermediate(upper, { name: 'Lower' });
const leaf = issue(lower, { names: ['mx.example'] });
const junk = createCa({ name: 'Junk' });
const expired = createCa({ name: 'Expired', notAfter: Date.now() - 86_400_000 });
const below = createIntermediate(expired, { name: 'Below' });
const leafBelow = issue(below, { names: ['mx.example'] });
const alone = selfSigned({ names: ['mx.example'] });
const wild = issue(root, { names: ['*.mail.example'] });

function read({ der }: Issued): Certificate {
  const parsed = parseCertificate(der);
  assert.ok(parsed.ok);
  return parsed.value;
}

/**
 * Returns the TLSA record of a certificate (selector 0) or its key (1), whole (0) or as a
 * digest.
 */
function tlsa(usage: 2 | 3, selector: 0 | 1, matching: 0 | 1 | 2, issued: Issued): string {
  const { der, spki } = read(issued);
  const data = selector === 0 ? der : spki;
  const value =
    matching === 0
      ? Buffer.from(data)
      : createHash(matching === 1 ? 'sha256' : 'sha512')
          .update(data)
          .digest();
  return `${usage} ${selector} ${matching} ${value.toString('hex')}`;
}

function judge(records: readonly string[], chain: readonly Issued[], name = 'mx.example'): string {
  const { verdict, records: each } = verifyDane({
    records: records.flatMap((text) => parseTlsa(text) ?? []),
    chain: chain.map(read),
    names: [name],
    validationTime: Date.now(),
  });
  return [verdict, ...each.flatMap(({ reason }) => reason ?? [])].join(' ');
}

const whole = [leaf, lower, upper, root];

const anchors: readonly (readonly [
  what: string,
  record: string,
  chain: readonly Issued[],
  verdict: string,
])[] = [
  ['the root, sent', tlsa(2, 0, 1, root), whole, 'match'],
  ['the root as a digest, not sent', tlsa(2, 0, 1, root), [leaf, lower, upper], 'mismatch path'],
  ['the root whole, not sent', tlsa(2, 0, 0, root), [leaf, lower, upper], 'match'],
  ['a key whole, its certificate not sent', tlsa(2, 1, 0, upper), [leaf, lower], 'match'],
  ['the lowest issuer, nothing above it sent', tlsa(2, 1, 1, lower), [leaf, lower], 'match'],
  [
    'an issuer in the middle, the chain in reverse',
    tlsa(2, 1, 1, upper),
    [leaf, root, upper, lower],
    'match',
  ],
  [
    'an issuer in the middle, among junk and repeats',
    tlsa(2, 1, 1, upper),
    [leaf, junk, lower, lower, junk, upper],
    'match',
  ],
  [
    'an issuer to which a link is missing',
    tlsa(2, 1, 1, upper),
    [leaf, upper, root],
    'mismatch path',
  ],
  [
    'a CA that was sent and has nothing to do with it',
    tlsa(2, 1, 1, junk),
    [...whole, junk],
    'mismatch path',
  ],
  [
    'an issuer below a root that has expired',
    tlsa(2, 1, 1, below),
    [leafBelow, below, expired],
    'match',
  ],
  ['a root that has expired', tlsa(2, 1, 1, expired), [leafBelow, below, expired], 'mismatch date'],
  ['the server’s own certificate, self-signed', tlsa(2, 0, 1, alone), [alone], 'mismatch path'],
  ['the server’s own certificate, issued', tlsa(2, 1, 1, leaf), whole, 'mismatch path'],
];

for (const [what, record, chain, verdict] of anchors)
  test(`usage 2 names ${what}: ${verdict}`, () => assert.equal(judge([record], chain), verdict));

test('usage 2: a wildcard certificate covers one label of the reference identifier', () => {
  assert.equal(judge([tlsa(2, 1, 1, root)], [wild, root], 'mx.mail.example'), 'match');
  assert.equal(judge([tlsa(2, 1, 1, root)], [wild, root], 'a.mx.mail.example'), 'mismatch name');
});

test('usage 3 checks the first certificate only', () => {
  for (const record of [
    tlsa(3, 1, 0, leaf),
    tlsa(3, 0, 0, leaf),
    tlsa(3, 0, 2, leaf),
    tlsa(3, 1, 2, leaf),
  ])
    assert.equal(judge([record], [leaf, junk]), 'match');
  assert.equal(judge([tlsa(3, 1, 1, leaf)], [lower, leaf]), 'mismatch');
});

test('unusable records next to a usable one change nothing', () => {
  const unusable = [
    `1 1 1 ${'00'.repeat(32)}`,
    `3 1 3 ${'00'.repeat(32)}`,
    `3 1 1 ${'00'.repeat(31)}`,
    `255 255 255 ${'00'.repeat(32)}`,
  ];
  assert.equal(judge([...unusable, tlsa(3, 1, 1, leaf)], [leaf]), 'match');
  assert.equal(judge([...unusable, `3 1 1 ${'00'.repeat(32)}`], [leaf]), 'mismatch');
  assert.equal(judge(unusable, [leaf]), 'unverifiable');
});
