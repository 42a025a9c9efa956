import { z } from 'zod';
import { checkResultSchema } from './check-result-schema.js';
import { evidenceSchema } from './evidence-schema.js';

/** The published JSON Schemas (draft 2020-12) by file name. */
export function jsonSchemas(): Readonly<Record<string, object>> {
  return {
    'hermetic.check-1.json': z.toJSONSchema(checkResultSchema, { target: 'draft-2020-12' }),
    'hermetic.evidence-1.json': z.toJSONSchema(evidenceSchema, { target: 'draft-2020-12' }),
  };
}
