import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import type { TlsaData } from '../dns/index.js';
import { createCa, createIntermediate, generateKey, issue } from '../pki/index.js';
import { parseCertificate, type Certificate } from '../x509/index.js';
import { formatTlsa, isUsable, parseTlsa, usableRecords, verifyDane } from './index.js';

const now = Date.UTC(2026, 10, 23);
const day = 86_400_000;
const dates = { notBefore: new Date(now - day), notAfter: new Date(now + 30 * day) };
const root = createCa({
  name: 'Root',
  notBefore: new Date(now - 100 * day),
  notAfter: new Date(now + 1000 * day),
});
const middle = createIntermediate(root, {
  name: 'Middle',
  notBefore: new Date(now - 100 * day),
  notAfter: new Date(now + 1000 * day),
});
const server = issue(middle, { names: ['mx.example.com'], ...dates });
const read = (der: Uint8Array): Certificate => {
  const parsed = parseCertificate(der);
  assert.ok(parsed.ok);
  return parsed.value;
};
const chain = [...server.chain.map(read), read(root.der)];
const [leaf, intermediate, anchor] = chain as [Certificate, Certificate, Certificate];

function record(usage: number, selector: number, matchingType: number, of: Certificate): TlsaData {
  const data = selector === 0 ? of.der : of.spki;
  return {
    usage,
    selector,
    matchingType,
    data:
      matchingType === 0
        ? data
        : createHash(matchingType === 1 ? 'sha256' : 'sha512')
            .update(data)
            .digest(),
  };
}

function verdict(
  records: TlsaData[],
  changes: { chain?: Certificate[]; names?: string[]; validationTime?: number } = {},
): string {
  return verifyDane({ records, chain, names: ['mx.example.com'], validationTime: now, ...changes })
    .verdict;
}

// [7672-3.1.1-1, 7672-3.1.1-2, 7672-3.2.1-1, 7671-2-1, 7671-2-2, 7671-4.2-1, 7671-5.1-1]
test('RFC 7672 §3.1.1: usage 3 compares only the key and ignores names and dates', () => {
  for (const selector of [0, 1])
    for (const matching of [0, 1, 2])
      assert.equal(
        verdict([record(3, selector, matching, leaf)]),
        'match',
        `3 ${selector} ${matching}`,
      );
  assert.equal(
    verdict([record(3, 1, 1, leaf)], { names: ['other.example'], validationTime: now + 900 * day }),
    'match',
  );
  assert.equal(verdict([record(3, 1, 1, intermediate)]), 'mismatch');
});

// [7672-3.2.2-1, 7671-10.2-1]
test('RFC 7671 §5.2: usage 2 needs the anchor, a path, a name and a date', () => {
  for (const selector of [0, 1])
    for (const matching of [0, 1, 2]) {
      assert.equal(
        verdict([record(2, selector, matching, intermediate)]),
        'match',
        `2 ${selector} ${matching}`,
      );
      assert.equal(verdict([record(2, selector, matching, anchor)]), 'match');
    }
  const ta = record(2, 1, 1, anchor);
  assert.equal(verdict([ta], { names: ['other.example'] }), 'mismatch');
  assert.equal(verdict([ta], { validationTime: now + 900 * day }), 'mismatch');
  assert.equal(
    verdict([ta], { chain: [leaf, intermediate] }),
    'mismatch',
    'the anchor was not sent',
  );
  assert.equal(verdict([ta], { chain: [leaf, anchor] }), 'mismatch', 'a link is missing');
  assert.equal(
    verdict([record(2, 1, 1, leaf)]),
    'mismatch',
    'the server’s own certificate is no anchor',
  );
});

// [7672-3.1.2-1]
test('RFC 7672 §3.1.2: a path length of 0 in the anchor forbids intermediates', () => {
  const strict = createCa({
    name: 'Strict',
    pathLength: 0,
    notBefore: now - day,
    notAfter: now + 90 * day,
  });
  const between = createIntermediate(strict, {
    name: 'Between',
    notBefore: now - day,
    notAfter: now + 90 * day,
  });
  const long = [
    ...issue(between, { names: ['mx.example.com'], ...dates }).chain.map(read),
    read(strict.der),
  ];
  assert.equal(verdict([record(2, 0, 1, read(strict.der))], { chain: long }), 'mismatch');
  const short = [
    ...issue(strict, { names: ['mx.example.com'], ...dates }).chain.map(read),
    read(strict.der),
  ];
  assert.equal(verdict([record(2, 0, 1, read(strict.der))], { chain: short }), 'match');
});

// [7671-5.2.2-1, 7671-5.2.3-1]
test('RFC 7671 §5.2.2, §5.2.3: a server may omit an anchor that the record contains', () => {
  assert.equal(verdict([record(2, 0, 0, anchor)], { chain: [leaf, intermediate] }), 'match');
  assert.equal(verdict([record(2, 1, 0, anchor)], { chain: [leaf, intermediate] }), 'match');
  const stranger = read(createCa({ name: 'Root', key: generateKey('p256') }).der);
  assert.equal(verdict([record(2, 0, 0, stranger)], { chain: [leaf, intermediate] }), 'mismatch');
});

// [7672-3.1.3-1, 7672-3.2-1, 7671-4-1]
test('RFC 7672 §3.1.3: an unusable record does not authenticate', () => {
  const good = record(3, 1, 1, leaf);
  const unusable: TlsaData[] = [
    { ...good, usage: 0 },
    { ...good, usage: 1 },
    { ...good, usage: 255 },
    { ...good, selector: 2 },
    { ...good, matchingType: 3 },
    { ...good, data: good.data.subarray(1) },
    { ...good, matchingType: 2 },
    { ...good, matchingType: 0, data: new Uint8Array(0) },
  ];
  for (const bad of unusable) assert.equal(isUsable(bad), false, formatTlsa(bad));
  assert.equal(verdict(unusable), 'unverifiable');
  assert.equal(verdict([...unusable, good]), 'match');
  assert.equal(verdict([good], { chain: [] }), 'unverifiable');
});

// [7671-9-1, 7672-5-1]
test('RFC 7671 §9: of two digests for one usage and selector the stronger decides', () => {
  const stale = { ...record(3, 1, 2, intermediate) };
  assert.equal(verdict([record(3, 1, 1, leaf), stale]), 'mismatch');
  assert.equal(
    verdict([record(3, 1, 1, leaf), record(3, 0, 2, intermediate)]),
    'match',
    'another selector is another matter',
  );
  assert.equal(verdict([record(3, 1, 0, leaf), stale]), 'match', 'full data always counts');
  assert.equal(
    usableRecords([record(3, 1, 1, leaf), { ...stale, data: stale.data.subarray(1) }]).length,
    1,
    'malformed ones are left out first',
  );
});

test('property: records survive formatting and parsing', () => {
  fc.assert(
    fc.property(
      fc.nat(255),
      fc.nat(255),
      fc.nat(255),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      (usage, selector, matchingType, data) => {
        const again = parseTlsa(formatTlsa({ usage, selector, matchingType, data }));
        assert.deepEqual(again && { ...again, data: [...again.data] }, {
          usage,
          selector,
          matchingType,
          data: [...data],
        });
      },
    ),
  );
});

test('a thousand records that match nothing do not hide the one that matches', () => {
  const stale = Array.from({ length: 1000 }, (_, n) => ({
    usage: 2,
    selector: n % 2,
    matchingType: 1,
    data: createHash('sha256').update(`${n}`).digest(),
  }));
  for (const last of [record(2, 1, 1, intermediate), record(3, 1, 1, leaf)])
    assert.equal(verdict([...stale, last]), 'match');
  assert.equal(verdict(stale), 'mismatch');
});

test('the cost of a chain with many paths does not grow with the TLSA records', () => {
  const nameConstraints = { excluded: Array.from({ length: 60 }, (_, i) => `n${i}.example.net`) };
  const levels: ReturnType<typeof createCa>[][] = [[root]];
  for (const name of ['A', 'B', 'C', 'D', 'E']) {
    const [above] = levels.at(-1) as [ReturnType<typeof createCa>];
    const key = generateKey();
    levels.push([1, 2].map(() => createIntermediate(above, { name, key, nameConstraints })));
  }
  const [issuer] = levels.at(-1) as [ReturnType<typeof createCa>];
  const many = issue(issuer, {
    names: Array.from({ length: 1500 }, (_, i) => `n${i}.example.com`),
  });
  const above = levels.slice(1).map((level) => level.map(({ der }) => read(der)));
  const sent = [read(many.der), ...above.toReversed().flat()];
  const records = above
    .flat()
    .flatMap((c) => [record(2, 0, 0, c), record(2, 0, 1, c), record(2, 1, 1, c)]);
  const began = process.cpuUsage();
  assert.equal(
    verdict(records, { chain: sent, names: ['other.example'], validationTime: now + 9000 * day }),
    'mismatch',
  );
  assert.ok(process.cpuUsage(began).user < 500_000);
  assert.equal(
    verdict(records, { chain: sent, names: ['n7.example.com'], validationTime: Date.now() }),
    'match',
  );
});
