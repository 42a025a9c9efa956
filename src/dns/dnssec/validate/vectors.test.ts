import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseRpl, type Entry } from '../../../../tools/replay/parse-rpl.js';
import { legacyAlgorithms } from '../../../../tools/replay/legacy-algorithms.js';
import { Name, equalBytes } from '../../../base/index.js';
import { readDnskey, readDs, readNsec3 } from '../../wire/rdata.js';
import { toBase32hex } from '../../wire/base32hex.js';
import { RRType } from '../../wire/types-registry.js';
import type { ResourceRecord } from '../../types.js';
import { dsDigest, standardAlgorithms, type AlgorithmRegistry } from '../algorithms.js';
import { canonicalName, keyTag } from '../canonical.js';
import { nsec3Hash } from '../nsec3-hash.js';
import { rrsetsOf } from './rrset.js';
import { defaultLimits, type ZoneKey } from './types.js';
import { verifyRrset } from './verify-rrset.js';

const DAY = 86_400_000;
const entriesOf = (file: string): readonly Entry[] => {
  const { ranges, unread } = parseRpl(readFileSync(`test/vectors/unbound/${file}`, 'latin1'));
  assert.deepEqual(unread, []);
  return ranges.flatMap((r) => r.entries);
};

/** Returns the zone keys that are not revoked (RFC 4034 §2.1.1, RFC 5011 §2.1). */
function zoneKeys(records: readonly ResourceRecord[], algorithms: AlgorithmRegistry): ZoneKey[] {
  return records.flatMap((rr) => {
    const read = readDnskey(rr);
    if (rr.type !== RRType.DNSKEY || !read.ok || (read.value.flags & 0x0180) !== 0x0100) return [];
    const { algorithm, publicKey } = read.value;
    return [
      {
        tag: keyTag(rr.rdata),
        algorithm,
        key: () => algorithms.signatures.get(algorithm)?.importKey(publicKey),
      },
    ];
  });
}

function verdicts(
  file: string,
  algorithms: AlgorithmRegistry,
): { name: string; wanted: boolean; ok: boolean }[] {
  const [first, ...rest] = entriesOf(file);
  assert.ok(first);
  const keys = zoneKeys(first.answer, algorithms);
  const zone = first.answer[0]?.name ?? Name.root;
  return rest.flatMap((entry) => {
    const sets = rrsetsOf({
      answers: entry.answer,
      authorities: entry.authority,
      additionals: entry.additional,
    } as never);
    return sets
      .filter((set) => set.signatures.length > 0)
      .map((set) => {
        const now = (set.signatures[0]?.rrsig.inception ?? 0) * 1000 + DAY;
        const allowance = { checks: 16, question: { failed: 16 } };
        const { ok } = verifyRrset(
          set,
          { zone, keys },
          { algorithms, limits: defaultLimits, now },
          allowance,
        );
        return {
          name: set.name.toString(),
          wanted: !(entry.question?.name ?? '').includes('bogus'),
          ok,
        };
      });
  });
}

for (const [file, sets] of [
  ['test_signatures.1', 247],
  ['test_signatures.3', 2],
  ['test_signatures.5', 2],
  ['test_sigs.rsasha256', 1],
  ['test_sigs.ecdsa_p256', 1],
  ['test_sigs.ed25519', 1],
] as const) {
  test(`${file}: exactly the valid signatures verify`, () => {
    const found = verdicts(file, legacyAlgorithms);
    assert.equal(found.length, sets);
    for (const { name, wanted, ok } of found) assert.equal(ok, wanted, name);
  });
}

test('test_sigs.revoked: signatures by a revoked key do not count (RFC 5011 §2.1)', () => {
  const found = verdicts('test_sigs.revoked', legacyAlgorithms);
  assert.equal(found.length, 3);
  // A key that revokes itself affects only validators that follow RFC 5011; this
  // validator has configured anchors.
  for (const { ok } of found) assert.equal(ok, false);
});

test('DSA, RSA/MD5 and SHA-1 verify only in the test registry', () => {
  for (const file of ['test_signatures.1', 'test_signatures.3', 'test_signatures.5'])
    for (const { name, ok } of verdicts(file, standardAlgorithms)) assert.equal(ok, false, name);
  assert.deepEqual(
    [...standardAlgorithms.signatures.keys()].sort((a, b) => a - b),
    [8, 10, 13, 14, 15, 16],
  );
});

test('test_ds.sha1: a DS record matches only its own key', () => {
  const entries = entriesOf('test_ds.sha1');
  assert.equal(entries.length, 3);
  for (const { question, answer } of entries) {
    const [dsRecord, keyRecord] = [
      answer.find((rr) => rr.type === RRType.DS),
      answer.find((rr) => rr.type === RRType.DNSKEY),
    ];
    const ds = dsRecord && readDs(dsRecord);
    assert.ok(ds?.ok && keyRecord);
    const digest = dsDigest('sha1', canonicalName(keyRecord.name), keyRecord.rdata);
    assert.equal(equalBytes(digest, ds.value.digest), question?.name.startsWith('yes'));
  }
});

test('test_nsec3_hash.1: names hash to the owners of their records', () => {
  const entries = entriesOf('test_nsec3_hash.1');
  assert.ok(entries.length >= 10, `${entries.length} entries`);
  for (const { question, answer, authority } of entries) {
    const nsec3 = authority[0] && readNsec3(authority[0]);
    assert.ok(question && nsec3?.ok);
    const { salt, iterations } = nsec3.value;
    const hash = toBase32hex(nsec3Hash(Name.of(question.name), salt, iterations)).toLowerCase();
    assert.equal(
      hash,
      Buffer.from(answer[0]?.name.labels[0] ?? [])
        .toString()
        .toLowerCase(),
      question.name,
    );
  }
});
