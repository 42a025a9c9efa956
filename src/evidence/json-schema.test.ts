import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { z } from 'zod';
import type { CheckResult } from './check-result.js';
import type { checkResultSchema } from './check-result-schema.js';
import type { Comparison } from './comparison.js';
import type { comparisonSchema } from './comparison-schema.js';
import type { DeliveryOutcome } from './delivery-outcome.js';
import type { deliveryOutcomeSchema } from './delivery-outcome-schema.js';
import type { domainDecisionSchema } from './domain-decision-schema.js';
import type { Evidence } from './evidence.js';
import type { evidenceSchema } from './evidence-schema.js';
import { jsonSchemas } from './json-schema.js';
import type { DomainDecision } from '../tls-policy/index.js';

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

test('the schemas accept exactly the values of the types', () => {
  // Compile-time: fails to build when a field exists on one side only.
  const result = (value: CheckResult): Frozen<z.infer<typeof checkResultSchema>> => value;
  const evidence = (value: Evidence): Frozen<z.infer<typeof evidenceSchema>> => value;
  const outcome = (value: DeliveryOutcome): Frozen<z.infer<typeof deliveryOutcomeSchema>> => value;
  const decision = (value: DomainDecision): Frozen<z.infer<typeof domainDecisionSchema>> => value;
  const comparison = (value: Comparison): Frozen<z.infer<typeof comparisonSchema>> => value;
  for (const check of [result, evidence, outcome, decision, comparison])
    assert.equal(typeof check, 'function');
});

test('the published schemas equal those of the code', () => {
  const all = Object.entries(jsonSchemas());
  assert.equal(all.length, 5);
  for (const [file, schema] of all) {
    assert.deepEqual(
      JSON.parse(readFileSync(`schemas/${file}`, 'utf8')),
      JSON.parse(JSON.stringify(schema)),
      `${file}: run npm run schemas`,
    );
  }
});

test('no object of the published schemas takes additional properties', () => {
  let objects = 0;
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, additionalProperties, propertyNames } = node as Record<string, unknown>;
    if (type === 'object') {
      objects++;
      assert.ok(
        additionalProperties === false || propertyNames !== undefined,
        JSON.stringify(node).slice(0, 200),
      );
    }
    Object.values(node).forEach(walk);
  };
  walk(jsonSchemas());
  assert.ok(objects > 20);
});
