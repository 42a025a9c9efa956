import assert from 'node:assert/strict';
import test from 'node:test';
import { suiteName } from '../../tls/index.js';
import { grade } from '../grade/grade.js';
import { plantedEvidence, plantedPolicy } from '../../../test/support/check/planted-evidence.js';
import { bcp195Of2022, bcp195Of2026 } from './bcp195.js';
import { bsiOf2023, bsiOf2026 } from './bsi.js';
import { findProfile, profileNames, profiles } from './index.js';
import { parseProfile } from './parse-profile.js';
import type { Profile } from './profile.js';

const phasedOut = ({ tls }: Profile): readonly string[] =>
  tls.sets.flatMap((set) =>
    set.finding === 'tls-phase-out-suite' && 'suites' in set ? set.suites.map(suiteName) : [],
  );

test('a name without a date selects one edition', () => {
  assert.equal(findProfile('bcp195'), bcp195Of2026);
  assert.equal(findProfile('bcp195-2022-11'), bcp195Of2022);
  assert.equal(findProfile('bsi-tr-03108'), bsiOf2023);
  assert.equal(findProfile('bsi-tr-03108-2026-01'), bsiOf2026);
  assert.equal(findProfile('bcp195-2023'), undefined);
  assert.equal(new Set(profileNames).size, profileNames.length);
  for (const { name, date } of profiles)
    if (/-\d{4}-\d\d$/.test(name)) assert.ok(name.endsWith(date), name);
});

test('a profile extends an edition by its name with or without the date', () => {
  for (const [base, suite] of [
    ['bcp195', true],
    ['bcp195-2022-11', false],
  ] as const) {
    const parsed = parseProfile({ name: 'ours', source: 'ours', date: '2026', extends: base });
    assert.ok(parsed.ok);
    const named = phasedOut(parsed.value).includes('TLS_DHE_RSA_WITH_AES_128_GCM_SHA256');
    assert.equal(named, suite);
  }
});

// [10015-2-3, 10015-3-2, 10015-4-2]
test('BCP 195 of 2026 warns of the key exchanges of RFC 10015', () => {
  const [before, now] = [phasedOut(bcp195Of2022), phasedOut(bcp195Of2026)];
  for (const [suite, in2022, in2026] of [
    ['TLS_RSA_WITH_AES_128_GCM_SHA256', true, true],
    ['TLS_DHE_RSA_WITH_AES_256_GCM_SHA384', false, true],
    ['TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256', false, true],
    ['TLS_DH_anon_WITH_AES_128_CBC_SHA', false, true],
    ['TLS_DH_RSA_WITH_AES_128_CBC_SHA256', false, true],
    ['TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256', false, true],
    ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', false, false],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', false, false],
  ] as const)
    assert.deepEqual([before.includes(suite), now.includes(suite)], [in2022, in2026], suite);
  assert.equal(bcp195Of2026.rules['tls-phase-out-suite'].severity, 'warn');
});

test('BSI of 2026: an MTA-STS policy in mode enforce replaces DANE', () => {
  const severity = (profile: Profile, mode: 'enforce' | 'testing' | 'none'): string | undefined =>
    grade(plantedEvidence({ mtaSts: plantedPolicy(mode) }), profile).findings.find(
      ({ id }) => id === 'dane-required',
    )?.severity;
  assert.deepEqual(
    (['enforce', 'testing', 'none'] as const).map((mode) => severity(bsiOf2026, mode)),
    ['info', 'fail', 'fail'],
  );
  assert.equal(severity(bsiOf2023, 'enforce'), 'fail');
});
