import { z } from 'zod';
import type { Comparison } from './comparison.js';

const text = z.string();

/** Validates an untrusted value as a {@link Comparison}. */
export const comparisonSchema = z
  .strictObject({
    schema: z.literal('hermetic.diff/1'),
    domain: z.string().min(1),
    before: z.iso.datetime(),
    after: z.iso.datetime(),
    changes: z.array(
      z.strictObject({
        direction: z.enum(['worse', 'unclear', 'better', 'changed']),
        subject: text,
        what: text,
        before: text,
        after: text,
      }),
    ),
  })
  .meta({
    id: 'hermetic.diff-1',
    title: 'hermetic.diff/1',
    description: 'The differences between two checks of one domain.',
  });

comparisonSchema satisfies z.ZodType<Comparison>;
