import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { grade, nameOf } from '../../src/check/index.js';
import type { CheckResult, Evidence } from '../../src/evidence/index.js';
import { allScenarios, createLab } from '../../src/lab/index.js';
import { checkDomains } from '../../src/cli/check-domains.js';
import { differences } from '../../tools/expectation.js';
import { demo } from '../../tools/demo.js';
import { composeEvidence, DomainGrader, gradeDomain, measuresOf } from '../../src/scan/index.js';
import { guardNetwork } from '../support/guard-network.js';
import { mutatedFacts } from '../support/mutated-facts.js';
import { scannedFrom } from '../support/scanned-domains.js';

const evidence = new Map<string, Evidence>();
const results = new Map<string, CheckResult>();
const calm = new Map<string, CheckResult>();
const guard = guardNetwork();

before(async () => {
  for (const attackers of [true, false]) {
    const lab = await createLab({ attackers });
    const scenarios = attackers ? lab.scenarios : lab.scenarios.filter((s) => s.calm);
    const seen = await Promise.all(
      checkDomains(
        lab,
        scenarios.map(({ domain }) => domain),
      ),
    );
    await lab.close();
    for (const one of seen) {
      (attackers ? results : calm).set(one.domain, grade(one));
      if (attackers) evidence.set(one.domain, one);
    }
  }
  guard.restore();
});

after(() => {
  evidence.clear();
});

test('a check of the whole lab uses no socket outside src/net', () => {
  assert.deepEqual(guard.leaks, []);
  assert.ok(guard.passed() > 300, `${guard.passed()} uses`);
});

// The domains of the lab include policies behind redirects, of another media type, and of
// another host [8461-3.1-1].
test('the lab has the expected domains', () => {
  assert.ok(allScenarios.length >= 50, `${allScenarios.length} scenarios`);
  assert.equal(new Set(allScenarios.map((s) => s.domain)).size, allScenarios.length);
});

for (const scenario of allScenarios) {
  const domain = nameOf(scenario.domain).toLower();
  test(`${scenario.domain}: ${scenario.says} - ${scenario.expect.verdict} and every cell`, () => {
    assert.deepEqual(differences(results.get(domain) as CheckResult, scenario.expect), []);
  });
  if (scenario.calm) {
    const expected = scenario.calm;
    test(`${scenario.domain} without the attacker: ${expected.verdict}`, () => {
      assert.deepEqual(differences(calm.get(domain) as CheckResult, expected), []);
      assert.notEqual(calm.get(domain)?.verdict, results.get(domain)?.verdict);
    });
  }
}

test('the demo fails when one expectation is edited', async () => {
  const [good] = allScenarios;
  assert.ok(good);
  const rows = good.expect.exposure;
  const edits = [
    { ...good.expect, verdict: 'warn' as const },
    { ...good.expect, warn: ['tlsrpt-absent'] },
    {
      ...good.expect,
      exposure: {
        ...rows,
        dane: [...rows.dane.slice(0, 4), 'verified'] as unknown as typeof rows.dane,
      },
    },
  ];
  assert.deepEqual(await demo([good], () => undefined), []);
  for (const expect of edits)
    assert.equal((await demo([{ ...good, expect }], () => undefined)).length, 1);
});

const ajv = new Ajv2020({ allErrors: true, strict: false });
addFormats.default(ajv);
ajv.addFormat('base64', /^[A-Za-z0-9+\/]*={0,2}$/);
const schema = (name: string) =>
  ajv.compile(JSON.parse(readFileSync(`schemas/${name}`, 'utf8')) as object);

/**
 * Returns a value as its JSON text represents it, which is the contract: without
 * undefined fields.
 */
const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

test('results and evidence of the lab are valid by their published schemas', () => {
  const check = schema('hermetic.check-1.json');
  const seen = schema('hermetic.evidence-1.json');
  for (const result of results.values())
    assert.ok(check(asJson(result)), `${result.domain}: ${ajv.errorsText(check.errors)}`);
  for (const one of evidence.values())
    assert.ok(seen(asJson(one)), `${one.domain}: ${ajv.errorsText(seen.errors)}`);
});

test('a mutated result is rejected by the schema', () => {
  const check = schema('hermetic.check-1.json');
  let rejected = 0;
  for (const mutate of mutations(asJson(results.get('good.example') as CheckResult))) {
    assert.ok(!check(mutate.value), mutate.what);
    rejected++;
  }
  assert.ok(rejected > 100, `${rejected} mutations`);
});

test('shapes of a scan are equal exactly if grades are equal', () => {
  const rows = [...evidence.values()].map((one) => {
    const facts = scannedFrom(one);
    const triage = grade(composeEvidence(facts, { port25Open: false }));
    return { shape: gradeDomain(facts, { port25Open: false }).shape, grade: rowOf(triage) };
  });
  assert.ok(new Set(rows.map(({ shape }) => shape)).size > 30);
  for (const left of rows)
    for (const right of rows) assert.equal(left.shape === right.shape, left.grade === right.grade);
});

test('a grade found by its facts is the grade of those facts', () => {
  const all = [...evidence.values()].map(scannedFrom);
  const grader = new DomainGrader();
  for (const facts of all) assert.deepEqual(grader.grade(facts), gradeDomain(facts));
  let compared = 0;
  for (const { facts, path } of mutatedFacts(all, 12)) {
    assert.deepEqual(grader.grade(facts), gradeDomain(facts), path);
    compared++;
  }
  assert.ok(compared > 200, `${compared} mutations`);
});

/** Returns the parts of a result that determine its shape, in a fixed order. */
function rowOf(result: CheckResult): string {
  const findings = result.findings.map(({ id, severity }) => `${severity} ${id}`);
  const { verdict, exposure } = result;
  return JSON.stringify([verdict, [...new Set(findings)].sort(), exposure, measuresOf(result)]);
}

/**
 * Returns mutations of a result: each value with another type, and each object with an
 * unknown field and with each field missing.
 */
function* mutations(root: CheckResult): Generator<{ what: string; value: unknown }> {
  const copy = (): Record<string, unknown> =>
    JSON.parse(JSON.stringify(root)) as Record<string, unknown>;
  const optional =
    /(^|\.)(reason|id|mode|maxAge|mx|roles|rollover|daneRecord|provenance|collector|instruction|code|withoutSni|largeHello|decryptedLater|senders|trustPath|issuersNotAfter)$|\.(exposure|mtaSts)$|^(passed|signatures|undecided)$|^mtaSts\.addresses$|^mtaSts\.addresses\.\d+\.(notAfter|problem)$|findings\.\d+\.topic$/;
  const walk = function* (
    value: unknown,
    path: readonly (string | number)[],
  ): Generator<{ what: string; value: unknown }> {
    const at = (whole: Record<string, unknown>): Record<string, unknown> =>
      path.reduce<unknown>(
        (v, key) => (v as Record<string | number, unknown>)[key],
        whole,
      ) as Record<string, unknown>;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const extra = copy();
      at(extra)['surprise'] = 1;
      // tls.order is a map by version, so it has no unknown keys.
      if (path.at(-1) !== 'order') yield { what: `${path.join('.')}: a field more`, value: extra };
      for (const [key, inner] of Object.entries(value)) {
        const missing = copy();
        Reflect.deleteProperty(at(missing), key);
        if (!optional.test([...path, key].join('.')))
          yield { what: `${[...path, key].join('.')} missing`, value: missing };
        const wrong = copy();
        at(wrong)[key] = typeof inner === 'number' ? 'x' : 7;
        yield { what: `${[...path, key].join('.')} of another type`, value: wrong };
        yield* walk(inner, [...path, key]);
      }
    } else if (Array.isArray(value))
      for (const [i, inner] of value.entries()) yield* walk(inner, [...path, i]);
  };
  yield* walk(root, []);
}
