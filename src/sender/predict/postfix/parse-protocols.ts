import { ascendingTlsVersions, type TlsVersionName } from '../sender-model.js';

/** Hexadecimal protocol numbers (postconf(5), smtp_tls_mandatory_protocols). */
const numbers: Readonly<Record<string, TlsVersionName>> = {
  '301': 'TLSv1',
  '302': 'TLSv1.1',
  '303': 'TLSv1.2',
  '304': 'TLSv1.3',
};

/**
 * Returns the versions that a protocol list allows; undefined if a word of it is not
 * known. `>=TLSv1.2` and `<=TLSv1.3` need Postfix 3.6. With exclusions, Postfix turns off
 * every version above the first excluded version that follows an enabled version.
 */
export function parseProtocols(text: string): readonly TlsVersionName[] | undefined {
  const words = text.split(/[\s,:]+/).filter((word) => word !== '');
  let [lowest, highest] = [0, ascendingTlsVersions.length - 1];
  const excluded = new Set<string>();
  const included = new Set<string>();
  for (const word of words) {
    const bound = /^(>=|<=)(.+)$/.exec(word);
    const name = (bound?.[2] ?? word).replace(/^!/, '');
    const version = versionOf(name);
    if (version === undefined) return undefined;
    if (bound) {
      if (bound[1] === '>=') lowest = Math.max(lowest, rank(version));
      else highest = Math.min(highest, rank(version));
    } else if (word.startsWith('!')) excluded.add(version);
    else included.add(version);
  }
  const enabled = ascendingTlsVersions.filter(
    (version, index) =>
      index >= lowest &&
      index <= highest &&
      !excluded.has(version) &&
      (included.size === 0 || included.has(version)),
  );
  return contiguous(enabled);
}

function versionOf(name: string): TlsVersionName | 'SSL' | undefined {
  if (/^SSLv[23]$/i.test(name)) return 'SSL';
  const digits = /^(?:0x)?0?(30[0-4])$/i.exec(name)?.[1];
  if (digits !== undefined) return numbers[digits] ?? 'SSL';
  return ascendingTlsVersions.find((version) => version.toLowerCase() === name.toLowerCase());
}

/** Returns the position of a version; SSL precedes the TLS versions. */
function rank(version: TlsVersionName | 'SSL'): number {
  return version === 'SSL' ? -1 : ascendingTlsVersions.indexOf(version);
}

/** Returns the versions from the lowest enabled one up to the first gap. */
function contiguous(enabled: readonly TlsVersionName[]): readonly TlsVersionName[] {
  const [first] = enabled;
  if (first === undefined) return [];
  const start = ascendingTlsVersions.indexOf(first);
  return enabled.filter(
    (version, index) => ascendingTlsVersions.indexOf(version) === start + index,
  );
}
