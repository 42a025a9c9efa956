import { z } from 'zod';
import { senderResultSchema } from './verdict.js';

/** Returns the published JSON Schemas (draft 2020-12) by file name. */
export function senderSchemas(): Readonly<Record<string, object>> {
  return {
    'hermetic.sender-1.json': z.toJSONSchema(senderResultSchema, { target: 'draft-2020-12' }),
  };
}
