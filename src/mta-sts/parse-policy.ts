import { fail, ok, trimBlanks, type Result } from '../base/index.js';
import { stsFailures } from './failures.js';

export type StsMode = 'enforce' | 'testing' | 'none';

export interface StsPolicy {
  readonly mode: StsMode;
  /** Seconds, at most a year. */
  readonly maxAge: number;
  /** Patterns in lower case: a host name, or `*.` and a host name. */
  readonly mx: readonly string[];
}

const MAX_AGE = 31_557_600;
const MAX_MX = 1000;
const hostPattern =
  /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * Reads a policy body (RFC 8461 §3.2). Lines end in LF or CRLF; unknown fields are ignored; of a repeated field other than `mx` the first counts; a larger
 * `max_age` than a year is cut to a year. Empty lines are accepted: the grammar's slip allows them, and refusing would lose real policies.
 *
 * [8461-3.2-3, 8461-3.2-4, 8461-3.2-5, 8461-3.2-6, 8461-3.2-7, 8461-3.2-8, 8461-3.2-10, 8461-3.2-11]
 */
export function parsePolicy(body: Uint8Array | string): Result<StsPolicy> {
  const invalid = (detail: string): Result<StsPolicy> =>
    fail(stsFailures.make('sts-policy-invalid', detail));
  const text =
    typeof body === 'string'
      ? body
      : Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8');
  const first = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (trimBlanks(line) === '') continue;
    const parts = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:(.*)$/.exec(line);
    if (!parts) return invalid(`line ${line.slice(0, 80)}`);
    const [key, value] = [parts[1] as string, trimBlanks(parts[2] as string)];
    if (key === 'mx') mx.push(value.toLowerCase());
    else if (!first.has(key)) first.set(key, value);
  }
  if (first.get('version') !== 'STSv1')
    return invalid(`version ${first.get('version')?.slice(0, 40) ?? 'missing'}`);
  const mode = first.get('mode');
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none')
    return invalid(`mode ${mode?.slice(0, 40) ?? 'missing'}`);
  const age = first.get('max_age');
  if (age === undefined || !/^\d{1,10}$/.test(age))
    return invalid(`max_age ${age?.slice(0, 40) ?? 'missing'}`);
  if (mx.length > MAX_MX) return invalid(`${mx.length} mx lines`);
  const odd = mx.find((pattern) => pattern.length > 255 || !hostPattern.test(pattern));
  if (odd !== undefined) return invalid(`mx ${odd.slice(0, 80)}`);
  if (mode !== 'none' && mx.length === 0) return invalid('no mx');
  return ok({ mode, maxAge: Math.min(Number(age), MAX_AGE), mx });
}

/** Writes a policy in the form every reader takes. [8461-3.2-13] */
export function formatPolicy({ mode, maxAge, mx }: StsPolicy): string {
  return [
    'version: STSv1',
    `mode: ${mode}`,
    ...mx.map((pattern) => `mx: ${pattern}`),
    `max_age: ${maxAge}`,
    '',
  ].join('\r\n');
}
