import { z } from 'zod';
import { watchStateSchema } from './types.js';

const alarmSchema = z.strictObject({
  /** The same each time that the alarm is sent. */
  id: z.string(),
  kind: z.enum(['added', 'worse', 'ended']),
  /** `this machine` for an outage of the observer. */
  domain: z.string(),
  rule: z.string(),
  /** Absent in version 0.1.0. */
  rules: z.array(z.string()).optional(),
  says: z.string(),
  also: z.array(z.string()),
  since: z.iso.datetime(),
  todo: z.array(z.string()),
});

/** `hermetic.watch-alarm/1`: the body of a webhook. Chat services show `text`. */
export const watchMessageSchema = z.strictObject({
  schema: z.literal('hermetic.watch-alarm/1'),
  text: z.string(),
  alarms: z.array(alarmSchema),
});

/** `hermetic.watch/1`: the output of `hermetic watch --json`. */
export const watchOutputSchema = z.strictObject({
  schema: z.literal('hermetic.watch/1'),
  alarms: z.array(alarmSchema),
  /** The resolver or the network of this machine fails. */
  cannotSee: z.boolean(),
  domains: z.array(
    z.strictObject({
      domain: z.string(),
      verdict: z.string().optional(),
      certainAt: z.iso.datetime().optional(),
      alarmsOpen: z.int().min(0),
    }),
  ),
});

/** Returns the published JSON Schemas of the watch (draft 2020-12) by file name. */
export function watchSchemas(): Readonly<Record<string, object>> {
  return {
    'hermetic.watch-1.json': z.toJSONSchema(watchOutputSchema, { target: 'draft-2020-12' }),
    'hermetic.watch-alarm-1.json': z.toJSONSchema(watchMessageSchema, { target: 'draft-2020-12' }),
    'hermetic.watch-state-1.json': z.toJSONSchema(watchStateSchema, { target: 'draft-2020-12' }),
  };
}
