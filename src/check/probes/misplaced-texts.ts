import { lookupTexts } from '../../dns/index.js';
import type { ProbeContext } from './context.js';

/** The owner label of a record, its version tag, and the common mistakes in the label. */
const kinds = {
  '_mta-sts': { tag: /^\s*"?v\s*=\s*STSv1/i, mistakes: ['mta-sts', '_mta_sts', '_mta-sts._tcp'] },
  '_smtp._tls': {
    tag: /^\s*"?v\s*=\s*TLSRPTv1/i,
    mistakes: ['_tls', 'smtp._tls', '_smtp_tls', '_smtp-tls', '_tlsrpt', '_smtp._tls._tcp'],
  },
} as const;

/** Maximum number of records shown for one name. */
const MAX_RECORDS = 3;

/**
 * Looks up records of MTA-STS or TLS-RPT at names that no sender queries: under a similar
 * label, at the domain itself, and below the doubled domain that results from a missing
 * final dot. Sends at most eight queries, and returns `owner TXT "text"` lines.
 */
export async function lookupMisplacedTexts(
  { resolver, domain, signal }: ProbeContext,
  label: keyof typeof kinds,
): Promise<readonly string[] | undefined> {
  const { tag, mistakes } = kinds[label];
  const places = [
    ...mistakes.map((mistake) => domain.prepend(mistake)),
    domain.prepend(`${label}.${domain.toLower()}`),
    { ok: true, value: domain } as const,
  ];
  const found = await Promise.all(
    places.map(async (place) => {
      if (!place.ok) return [];
      const { texts } = await lookupTexts(resolver, place.value, { signal });
      return texts
        .filter((text) => tag.test(text))
        .slice(0, MAX_RECORDS)
        .map((text) => `${place.value.toLower()} TXT "${text}"`);
    }),
  );
  const lines = found.flat();
  return lines.length > 0 ? lines : undefined;
}
