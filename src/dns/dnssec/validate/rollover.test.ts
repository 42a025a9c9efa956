import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Name, toHex } from '../../../base/index.js';
import type { DnsAnswer, ResourceRecord } from '../../types.js';
import type { Message } from '../../wire/message.js';
import { parseRecord } from '../../wire/presentation.js';
import { readDnskey } from '../../wire/rdata.js';
import { RRType } from '../../wire/types-registry.js';
import { dsDigest } from '../algorithms.js';
import { canonicalName, keyTag } from '../canonical.js';
import { dnskeyRecord, generateZoneKey, signRrset, type ZoneSigningKey } from '../sign/index.js';
import { parseTrustAnchors, rootAnchors } from './anchors.js';
import type { TrustAnchor } from './types.js';
import { validate } from './validate.js';

const DAY = 86_400_000;
const REVOKE = 0x80;

test('the built-in anchors are the digests of KSK-2017 and KSK-2024', () => {
  const keys = parseTrustAnchors(readFileSync('test/vectors/root/root.key', 'utf8'));
  assert.ok(keys.ok);
  const told = readFileSync('test/vectors/root/root.key', 'utf8').trim().split('\n');
  const records = told.map((line) => {
    const parsed = parseRecord(line.replace(' IN ', ' 3600 IN '));
    assert.ok(parsed.ok);
    return parsed.value;
  });
  assert.deepEqual(
    records.map(
      (rr) =>
        `${keyTag(rr.rdata)} ${toHex(dsDigest('sha256', canonicalName(Name.root), rr.rdata))}`,
    ),
    rootAnchors[0]?.ds.map((ds) => `${ds.keyTag} ${toHex(ds.digest)}`),
  );
  assert.deepEqual(
    rootAnchors[0]?.ds.map((ds) => ds.keyTag),
    [20326, 38696],
  );
});

const [old, next, zsk] = [generateZoneKey(8), generateZoneKey(8), generateZoneKey(13, 256)];

function anchorsOf(...keys: readonly ZoneSigningKey[]): readonly TrustAnchor[] {
  const read = keys.map((key) => {
    const dnskey = readDnskey(dnskeyRecord(Name.root, key));
    assert.ok(dnskey.ok);
    return dnskey.value;
  });
  return [{ zone: Name.root, ds: [], keys: read }];
}

/**
 * Returns the key in revoked form, with different flags and a different tag
 * (RFC 5011 §2.1).
 */
function revoked(key: ZoneSigningKey): ZoneSigningKey {
  const rdata = Uint8Array.from(key.rdata);
  rdata[1] = (rdata[1] ?? 0) | REVOKE;
  return { ...key, rdata, tag: keyTag(rdata) };
}

/**
 * Returns the root keys and their signers at a date: the old key signs until 2026-10-11,
 * then the new one. The old key is revoked from 2027-01-11 to 2027-03-22.
 */
function rootAt(now: number): {
  readonly set: readonly ZoneSigningKey[];
  readonly signers: readonly ZoneSigningKey[];
} {
  if (now < Date.UTC(2026, 9, 11)) return { set: [old, next, zsk], signers: [old] };
  if (now < Date.UTC(2027, 0, 11)) return { set: [old, next, zsk], signers: [next] };
  if (now < Date.UTC(2027, 2, 22))
    return { set: [revoked(old), next, zsk], signers: [revoked(old), next] };
  return { set: [next, zsk], signers: [next] };
}

async function ask(at: number, anchors: readonly TrustAnchor[], clock = at): Promise<DnsAnswer> {
  const { set, signers } = rootAt(at);
  const window = { inception: at - DAY, expiration: at + 14 * DAY };
  const keys = set.map((key) => dnskeyRecord(Name.root, key));
  const text = parseRecord('. 300 IN TXT "root"');
  assert.ok(text.ok);
  const answers = new Map<number, readonly ResourceRecord[]>([
    [RRType.DNSKEY, [...keys, ...signers.map((key) => signRrset(keys, key, Name.root, window))]],
    [RRType.TXT, [text.value, signRrset([text.value], zsk, Name.root, window)]],
  ]);
  return validate({
    name: Name.root,
    type: RRType.TXT,
    anchors,
    now: clock,
    fetch: (name, type) =>
      Promise.resolve({
        ok: true,
        message: {
          rcode: 0,
          questions: [{ name, type, class: 1 }],
          answers: answers.get(type) ?? [],
          authorities: [],
          additionals: [],
        } as unknown as Message,
      }),
  });
}

const dates = {
  'the day before KSK-2024 signs': Date.UTC(2026, 9, 10),
  'the day KSK-2024 signs': Date.UTC(2026, 9, 11),
  'the day before KSK-2017 is revoked': Date.UTC(2027, 0, 10),
  'the day KSK-2017 is revoked': Date.UTC(2027, 0, 11),
  'after KSK-2017 is gone': Date.UTC(2027, 2, 23),
} as const;

for (const [what, at] of Object.entries(dates)) {
  test(`${what}: secure with both anchors`, async () => {
    assert.equal((await ask(at, anchorsOf(old, next))).dnssec, 'secure');
  });
}

test('with only the old anchor validation fails, and the anchor is reported as stale', async () => {
  assert.equal(
    (await ask(dates['the day before KSK-2024 signs'], anchorsOf(old))).dnssec,
    'secure',
  );
  for (const at of Object.values(dates).slice(1)) {
    const answer = await ask(at, anchorsOf(old));
    assert.deepEqual(
      [answer.status, answer.dnssec, answer.failure?.code],
      ['failed', 'bogus', 'dnssec-anchor-stale'],
    );
  }
});

test('the new anchor alone validates only after it signs', async () => {
  assert.equal(
    (await ask(dates['the day before KSK-2024 signs'], anchorsOf(next))).failure?.code,
    'dnssec-anchor-stale',
  );
  for (const at of Object.values(dates).slice(1))
    assert.equal((await ask(at, anchorsOf(next))).dnssec, 'secure');
});

test('a clock wrong by years makes validation fail with that reason', async () => {
  for (const clock of [Date.UTC(2020, 0, 1), Date.UTC(2035, 0, 1)]) {
    const answer = await ask(dates['the day KSK-2024 signs'], anchorsOf(old, next), clock);
    assert.deepEqual(
      [answer.status, answer.dnssec, answer.failure?.code],
      ['failed', 'bogus', 'dnssec-clock'],
    );
  }
});
