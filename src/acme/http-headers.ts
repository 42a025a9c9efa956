/**
 * Longest accepted wait, milliseconds. The limit prevents a CA from stopping renewals
 * permanently. A saved time further in the future was saved while the clock was ahead.
 */
export const MAX_WAIT = 7 * 86_400_000;

/**
 * Parses a `Retry-After` field: seconds, or a date (RFC 9110 §10.2.3). Returns
 * milliseconds since 1970, at least `now` and at most one week after `now`; undefined if
 * the field is missing or invalid.
 */
export function parseRetryAfter(headerValue: string | undefined, now: number): number | undefined {
  if (headerValue === undefined) return undefined;
  const retryAt = /^\d{1,9}$/.test(headerValue.trim())
    ? now + Number(headerValue) * 1000
    : Date.parse(headerValue);
  return Number.isNaN(retryAt) ? undefined : Math.min(Math.max(retryAt, now), now + MAX_WAIT);
}

/** Maximum number of links. A CA sends fewer links for chains and list pages. */
const MAX_LINKS = 10;

/**
 * Returns the targets of the links with the given relation (RFC 8288 §3), as absolute
 * `https:` URLs, at most ten. `base` is the URL of the request.
 */
export function parseLinks(
  headerValue: string | undefined,
  relation: string,
  base: string,
): readonly string[] {
  return [...(headerValue ?? '').matchAll(/<([^<>\s]{1,2048})>([^<>]*)/g)]
    .filter(([, , parameters = '']) => relations(parameters).includes(relation))
    .flatMap(([, target = '']) => (URL.canParse(target, base) ? [new URL(target, base)] : []))
    .filter(({ protocol }) => protocol === 'https:')
    .slice(0, MAX_LINKS)
    .map(String);
}

function relations(parameters: string): readonly string[] {
  const [, quoted, token] = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters) ?? [];
  return (quoted ?? token ?? '').toLowerCase().split(/\s+/);
}

/**
 * Returns whether two URLs name the same resource. For example,
 * `https://CA.example:443/dir` and `https://ca.example/dir` do.
 */
export function sameUrl(left: string, right: string): boolean {
  return new URL(left).href === new URL(right).href;
}
