import assert from 'node:assert/strict';
import test from 'node:test';
import { profiles } from '../src/check/index.js';
import { gradesOf, keptEvidence } from '../tools/kept-evidence.js';

const kept = keptEvidence().map((set) => ({ ...set, now: gradesOf(set.evidence) }));

test('the saved evidence covers every profile', () => {
  assert.ok(kept.length >= 1);
  for (const { name, evidence, grades } of kept) {
    assert.ok(evidence.length >= 10, `${name}: ${evidence.length}`);
    for (const { name: profile, date } of profiles)
      assert.ok(`${profile} of ${date}` in grades, `${name}: nothing of ${profile} of ${date}`);
  }
});

for (const { name, grades, now } of kept)
  test(`${name}: old evidence keeps its grade under every profile of that date`, () => {
    for (const [profile, said] of Object.entries(grades))
      if (profile in now) assert.deepEqual(now[profile], said, profile);
  });

test('the profiles differ, and each of them has findings', () => {
  const all = profiles.map((): string[] => []);
  for (const { now } of kept)
    Object.values(now).forEach((said, i) => {
      assert.match(JSON.stringify(said), /fail /);
      all[i]?.push(JSON.stringify(said));
    });
  assert.equal(new Set(all.map((said) => said.join())).size, profiles.length);
});
