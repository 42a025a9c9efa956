import assert from 'node:assert/strict';
import test from 'node:test';
import { evidenceDigest, type Evidence } from '../../evidence/index.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import { profiles } from '../profiles/index.js';
import { grade } from './grade.js';

const passedIds = (evidence: Evidence): readonly string[] =>
  (grade(evidence).passed ?? []).map(({ id }) => id);

test('a test with a finding is not among the passed tests, under every profile', () => {
  const hosts = [plantedHost({ addresses: [plantedAddress({ starttls: 'absent' })] })];
  for (const profile of profiles)
    for (const evidence of [plantedEvidence(), plantedEvidence({ hosts })]) {
      const { passed = [], findings, notLookedAt } = grade(evidence, profile);
      for (const { id } of passed) {
        assert.ok(!findings.some((f) => f.id === id), `${profile.name}: ${id}`);
        assert.ok(!notLookedAt.includes(id), `${profile.name}: ${id}`);
      }
    }
});

test('without STARTTLS no test of sessions, suites or certificates has passed', () => {
  const hosts = [plantedHost({ addresses: [plantedAddress({ starttls: 'absent' })] })];
  const ids = passedIds(plantedEvidence({ hosts }));
  assert.ok(ids.includes('mx-nonexistent'));
  for (const id of ids) assert.doesNotMatch(id, /^(cert-|tls-|starttls-|dane-)/);
});

test('only a policy that was found has passed tests', () => {
  const stsTests = (evidence: Evidence): readonly string[] =>
    passedIds(evidence).filter((id) => id.startsWith('sts-'));
  assert.deepEqual(stsTests(plantedEvidence()), []);
  assert.ok(
    stsTests(plantedEvidence({ mtaSts: plantedPolicy('enforce') })).includes('sts-policy-invalid'),
  );
});

test('an address that could not be tried leaves its tests open', () => {
  const skipped = { ...plantedAddress(), status: 'skipped' as const, connections: [] };
  const hosts = [plantedHost({ addresses: [plantedAddress(), skipped] })];
  for (const id of passedIds(plantedEvidence({ hosts })))
    assert.doesNotMatch(id, /^(cert-|tls-|starttls-|mx-unreachable)/);
});

test('the digest of the evidence survives saving, reading and another order of fields', () => {
  const evidence = plantedEvidence();
  const digest = grade(evidence).provenance?.evidenceSha256;
  assert.match(digest ?? '', /^[0-9a-f]{64}$/);
  const read = JSON.parse(JSON.stringify(evidence, null, 2)) as Evidence;
  assert.equal(evidenceDigest(read), digest);
  const turned = Object.fromEntries(Object.entries(read).reverse()) as unknown as Evidence;
  assert.equal(evidenceDigest(turned), digest);
  assert.notEqual(evidenceDigest({ ...read, helo: 'other.example' }), digest);
});

test('printed commands repeat the options of the check', () => {
  const hosts = [plantedHost({ addresses: [plantedAddress({ starttls: 'absent' })] })];
  const options = { network: ' --lab', check: " --profile 'my own.json'" };
  const { findings } = grade(plantedEvidence({ hosts }), undefined, { options });
  const commands = findings
    .flatMap(({ steps }) => steps)
    .flatMap(({ code = '' }) => (code.startsWith('hermetic check') ? [code] : []));
  assert.ok(commands.length > 0);
  for (const command of commands)
    assert.match(command, /^hermetic check planted\.example --lab --profile 'my own\.json'/);
});
