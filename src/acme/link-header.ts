/** No CA has more chains, and none needs as many pages. */
const MAX_LINKS = 10;

/**
 * The targets of a `Link` field with a relation (RFC 8288 §3), absolute `https:` URLs.
 * `base` is the URL of the request.
 */
export function linksOf(
  field: string | undefined,
  relation: string,
  base: string,
): readonly string[] {
  return [...(field ?? '').matchAll(/<([^<>\s]{1,2048})>([^<>]*)/g)]
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
