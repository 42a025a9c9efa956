import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { collect, collectOptions, grade, nameOf } from '../../src/check/index.js';
import { evidenceSchema, type Evidence } from '../../src/evidence/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createLab, scenariosFor, type Lab } from '../../src/lab/index.js';
import {
  classBits,
  classesOfBits,
  composeEvidence,
  DomainGrader,
  domainObservationSchema,
  gradeDomain,
  hostObservationSchema,
  stsObservationSchema,
  summariseGrade,
  visitObservationSchema,
  type DomainGrade,
  type ScannedDomain,
} from '../../src/scan/index.js';
import { fewAtATime } from '../support/few-at-a-time.js';
import { observeAll } from '../support/scanned-domains.js';

/** The observations of a scenario by a scan, and by a check at depth triage. */
interface Observed {
  readonly facts: ScannedDomain;
  readonly evidence: Evidence;
}

/** Scenarios that answer every connection identically and without a timeout. */
const names = [
  'good.example',
  'opportunistic.example',
  'dane-mismatch.example',
  'dane-ta.example',
  'tlsa-cname.example',
  'sts-mx-mismatch.example',
  'many-mx.example',
  'plaintext.example',
  'bogus.example',
  'implicit-mx.example',
  'cname-mx.example',
  'address-mx.example',
  'no-final-dot.example',
  'null-mx.example',
  'no-mail.example',
];

let lab: Lab;
let observed: readonly Observed[];

before(async () => {
  lab = await createLab({ scenarios: scenariosFor(names) });
  const options = collectOptions({ ...labOptions(lab), depth: 'triage' });
  const all: Observed[] = [];
  await fewAtATime(lab.scenarios, async ({ domain }) => {
    const evidence = await collect(nameOf(domain), { ...options, misplaced: false });
    all.push({ facts: await observeAll(domain, options), evidence });
  });
  observed = all;
});
after(() => lab.close());

const gradeOfCheck = (evidence: Evidence): DomainGrade => summariseGrade(grade(evidence));

test('observations of a scan give the grade of a check', () => {
  for (const { facts, evidence } of observed) {
    const { shape: _, ...row } = gradeDomain(facts, { port25Open: false });
    const { shape: __, ...expected } = gradeOfCheck(evidence);
    assert.deepEqual(row, expected, facts.domain.domain);
  }
});

test('domains with equal facts are graded once', () => {
  const { facts } = scenario('dane-mismatch.example');
  const shared = scenario('opportunistic.example').facts;
  const grader = new DomainGrader();
  const grades = Array.from({ length: 50 }, (_, index) =>
    grader.grade({ ...shared, domain: { ...shared.domain, domain: `d${index}.example.net` } }),
  );
  assert.equal(grader.graded, 1);
  assert.equal(new Set(grades).size, 1);
  assert.notEqual(grader.grade(facts).shape, grades[0]?.shape);
});

test('host names at one server share a grade unless the certificate contains one', () => {
  const { facts } = scenario('opportunistic.example');
  const grader = new DomainGrader();
  const named = (host: string): ScannedDomain => ({
    domain: { ...facts.domain, mx: facts.domain.mx.map((mx) => ({ ...mx, name: host })) },
    hosts: facts.hosts.map(({ host: of, visits }) => ({
      host: { ...of, name: host, serverName: host, tlsa: { ...of.tlsa, base: host } },
      visits,
    })),
  });
  const [own, first, second] = ['mx.opportunistic.example', 'mail.one.test', 'mail.two.test'].map(
    (host) => grader.grade(named(host)),
  );
  assert.equal(grader.graded, 2);
  assert.equal(first, second);
  assert.ok(first?.classes.includes('cert-wrong-name'));
  assert.ok(!own?.classes.includes('cert-wrong-name'));
});

test('a grade changes when a certificate expires', () => {
  const { facts } = scenario('opportunistic.example');
  const classes = (at: string): readonly string[] => gradeDomain(facts, { at }).classes;
  const grader = new DomainGrader({ at: '2019-01-01T00:00:00Z' });
  assert.ok(!classes(facts.domain.observedAt).includes('cert-expired'));
  assert.deepEqual(grader.grade(facts).classes, classes('2019-01-01T00:00:00Z'));
  assert.ok(grader.grade(facts).classes.includes('cert-expired'));
});

test('observations and their evidence satisfy their schemas', () => {
  const json = <T>(value: T): unknown => JSON.parse(JSON.stringify(value));
  for (const { facts } of observed) {
    domainObservationSchema.parse(json(facts.domain));
    if (facts.policy) stsObservationSchema.parse(json(facts.policy));
    for (const { host, visits } of facts.hosts) {
      hostObservationSchema.parse(json(host));
      for (const visit of visits) visitObservationSchema.parse(json(visit));
    }
    evidenceSchema.parse(json(composeEvidence(facts)));
  }
});

test('classes survive as bits, and later bits are ignored', () => {
  for (const { facts } of observed) {
    const { classes } = gradeDomain(facts);
    assert.deepEqual(classesOfBits(classBits(classes) | (1n << 63n)), classes);
  }
});

function scenario(name: string): Observed {
  const found = observed.find(({ facts }) => facts.domain.domain === name);
  assert.ok(found, name);
  return found;
}
