import assert from 'node:assert/strict';
import test from 'node:test';
import { grade } from '../grade/grade.js';
import { plantedEvidence } from '../../../test/support/check/planted-evidence.js';
import { goalsOf } from './goals.js';
import { baseline } from './baseline.js';
import { parseProfile } from './parse-profile.js';

const ours = {
  name: 'ours',
  source: 'Mail policy of the house, §4',
  date: '2026-11',
  rules: { 'no-enforcement': { severity: 'fail', clause: 'house §4.1' } },
  tls: {
    required: ['TLSv1.3'],
    sets: [{ finding: 'tls-weak-group', groups: ['secp256k1'], version: 'TLSv1.2' }],
    dheBits: 4096,
  },
};

test('a custom profile inherits missing values from the profile it extends', () => {
  const parsed = parseProfile(ours);
  assert.ok(parsed.ok);
  const profile = parsed.value;
  assert.deepEqual(
    [profile.name, profile.tls.required, profile.tls.dheBits],
    ['ours', ['TLSv1.3'], 4096],
  );
  assert.deepEqual(profile.tls.sets, [
    { finding: 'tls-weak-group', groups: [22], version: 'TLSv1.2' },
  ]);
  assert.deepEqual(profile.tls.versions, baseline.tls.versions);
  assert.equal(profile.rules['cert-expired'], baseline.rules['cert-expired']);
  const result = grade(plantedEvidence(), profile);
  assert.deepEqual(
    [
      result.profile,
      result.verdict,
      result.findings.find((f) => f.id === 'no-enforcement')?.reference,
    ],
    ['ours', 'fail', 'house §4.1'],
  );
  assert.ok(goalsOf(profile, 'verdict')?.asks.some((ask) => ask.kind === 'groups'));
});

test('a profile inherits the limits of the profile it extends', () => {
  const parsed = parseProfile({ ...ours, extends: 'ncsc-nl-2025-05', rules: {}, tls: {} });
  assert.ok(parsed.ok);
  assert.equal(parsed.value.tls.dheBits, 3072);
});

test('unknown suites, groups, findings, profiles and fields are refused by name', () => {
  for (const [changes, named] of [
    [{ tls: { sets: [{ finding: 'tls-weak-suite', suites: ['TLS_NONE'] }] } }, 'tls.sets'],
    [{ tls: { versions: { SSLv2: 'no-such-finding' } } }, 'no-such-finding'],
    [{ rules: { 'no-such-finding': { severity: 'fail', clause: 'x' } } }, 'no-such-finding'],
    [{ rules: { 'cert-expired': { severity: 'bad', clause: 'x' } } }, 'rules.cert-expired'],
    [{ rules: { 'cert-expired': { severity: 'fail' } } }, 'clause'],
    [{ extends: 'nobody' }, 'nobody'],
    [{ colour: 'red' }, 'colour'],
    [{ name: 'A b' }, 'name'],
  ] as const) {
    const parsed = parseProfile({ ...ours, ...changes });
    assert.ok(!parsed.ok);
    assert.equal(parsed.failure.code, 'profile-malformed');
    assert.ok(parsed.failure.detail.includes(named), `${parsed.failure.detail} names ${named}`);
  }
  assert.equal(parseProfile([]).ok, false);
  assert.equal(parseProfile(undefined).ok, false);
});
