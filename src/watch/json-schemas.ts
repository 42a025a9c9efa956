import { z } from 'zod';
import { watchStateSchema } from './types.js';

const alarmSchema = z.strictObject({
  /** Identifier of the alarm, the same each time that the alarm is sent. */
  id: z.string(),
  kind: z.enum(['added', 'worse', 'ended']),
  /** The domain; `this machine` for an outage of the observer. */
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

/** `hermetic.watch-digest/1`: a digest. Chat services show `text`. */
export const watchDigestSchema = z.strictObject({
  schema: z.literal('hermetic.watch-digest/1'),
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  /** The planned time of the next digest. */
  next: z.iso.datetime(),
  domains: z.array(
    z.strictObject({
      domain: z.string(),
      /** `unknown`: no certain result of a check. */
      status: z.enum(['attention', 'unknown', 'good']),
      verdict: z.string().optional(),
      checkedAt: z.iso.datetime().optional(),
      /** The faults whose alarms are open. */
      faults: z.array(z.string()),
      changes: z.int().min(0),
      /** Sessions in authenticated TLS reports. Absent without such reports. */
      sessions: z.strictObject({ successful: z.number(), failed: z.number() }).optional(),
      /** The failures in TLS reports, in one sentence. */
      reports: z.string().optional(),
    }),
  ),
  changes: z.array(alarmSchema),
  /** Number of changes that `changes` omits. */
  moreChanges: z.int().min(0),
  upcoming: z.array(
    z.strictObject({
      at: z.iso.datetime(),
      domain: z.string(),
      kind: z.enum(['certificate', 'signature']),
      says: z.string(),
    }),
  ),
  text: z.string(),
});

/** Returns the published JSON Schemas of the watch (draft 2020-12) by file name. */
export function watchSchemas(): Readonly<Record<string, object>> {
  return {
    'hermetic.watch-1.json': z.toJSONSchema(watchOutputSchema, { target: 'draft-2020-12' }),
    'hermetic.watch-alarm-1.json': z.toJSONSchema(watchMessageSchema, { target: 'draft-2020-12' }),
    'hermetic.watch-digest-1.json': z.toJSONSchema(watchDigestSchema, { target: 'draft-2020-12' }),
    'hermetic.watch-state-1.json': z.toJSONSchema(watchStateSchema, { target: 'draft-2020-12' }),
  };
}
