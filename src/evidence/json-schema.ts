import { z } from 'zod';
import { checkResultSchema } from './check-result-schema.js';
import { comparisonSchema } from './comparison-schema.js';
import { deliveryOutcomeSchema } from './delivery-outcome-schema.js';
import { domainDecisionSchema } from './domain-decision-schema.js';
import { evidenceSchema } from './evidence-schema.js';

/** Returns the published JSON Schemas (draft 2020-12) by file name. */
export function jsonSchemas(): Readonly<Record<string, object>> {
  return {
    'hermetic.check-1.json': z.toJSONSchema(checkResultSchema, { target: 'draft-2020-12' }),
    'hermetic.diff-1.json': z.toJSONSchema(comparisonSchema, { target: 'draft-2020-12' }),
    'hermetic.outcome-1.json': z.toJSONSchema(deliveryOutcomeSchema, { target: 'draft-2020-12' }),
    'hermetic.policy-1.json': z.toJSONSchema(domainDecisionSchema, { target: 'draft-2020-12' }),
    'hermetic.evidence-1.json': z.toJSONSchema(evidenceSchema, { target: 'draft-2020-12' }),
  };
}
