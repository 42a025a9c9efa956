import { z } from 'zod';
import { domainViewSchema, overviewSchema } from '../explain/view-schema.js';
import { reportRecordSchema } from '../read/report-record.js';

/**
 * Returns the published JSON Schemas of reports (draft 2020-12) by file name. The JSON
 * Schemas are generated from the schemas that validate the output, so the two cannot
 * differ. The meaning of a published name never changes.
 */
export function reportSchemas(): Readonly<Record<string, object>> {
  return {
    'hermetic.report-1.json': z.toJSONSchema(reportRecordSchema, { target: 'draft-2020-12' }),
    'hermetic.report-view-1.json': z.toJSONSchema(domainViewSchema, { target: 'draft-2020-12' }),
    'hermetic.report-overview-1.json': z.toJSONSchema(overviewSchema, { target: 'draft-2020-12' }),
  };
}
