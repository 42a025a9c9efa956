import { z } from 'zod';

export const dnssec = z.enum(['secure', 'insecure', 'bogus', 'indeterminate']);
export const depth = z.enum(['triage', 'verdict', 'inventory']);

/** An object with exactly these keys, all of one shape. */
export function keyed<const K extends string, V extends z.ZodType>(
  keys: readonly K[],
  value: V,
): z.ZodObject<Record<K, V>, z.core.$strict> {
  return z.strictObject(Object.fromEntries(keys.map((key) => [key, value])) as Record<K, V>);
}
