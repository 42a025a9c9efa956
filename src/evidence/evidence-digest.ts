import { createHash } from 'node:crypto';
import type { Evidence } from './evidence.js';

/**
 * Returns the SHA-256 of evidence in lower-case hex. The evidence is written as canonical
 * JSON (RFC 8785), so the digest is the same for the object, for the file that
 * `--evidence` wrote, and for that file read back with its fields in another order.
 */
export function evidenceDigest(evidence: Evidence): string {
  return createHash('sha256').update(canonicalJson(evidence)).digest('hex');
}

/**
 * Returns a value as canonical JSON: keys in the order of their UTF-16 code units, no
 * spaces, no undefined members.
 */
function canonicalJson(jsonValue: unknown): string {
  if (Array.isArray(jsonValue))
    return `[${jsonValue.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof jsonValue !== 'object' || jsonValue === null) return JSON.stringify(jsonValue);
  const fields = Object.entries(jsonValue)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}
