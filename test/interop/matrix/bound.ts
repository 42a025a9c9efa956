import type { Surface, Version } from './surface.js';

/**
 * Returns the minimum number of connections to determine a surface: every positive answer
 * names one suite and at most one group, and a refusal excludes the rest. TLS 1.3: two
 * plus the number of suites or of groups, whichever is greater. TLS 1.2: the same, but
 * suites without a curve reveal no curve. If TLS 1.3 does not reveal the finite-field
 * groups: one connection for each group that the server accepts by name, and one without
 * names, to observe the server's default. Older versions: one connection for each suite,
 * plus one. In addition: one connection for each version whose order is tested, one for
 * all versions below TLS 1.2, and one handshake without SNI.
 */
export function boundOf({ versions, suites, order = {}, groups = [] }: Surface): number {
  const speaks = (version: Version): boolean => versions.includes(version);
  const at = (version: Version): readonly string[] => suites[version] ?? [];
  const curves = groups.filter((name) => !name.startsWith('ffdhe')).length;
  const curved = at('TLSv1.2').filter((name) => name.startsWith('TLS_ECDHE')).length;
  const finite =
    !speaks('TLSv1.3') && at('TLSv1.2').some((name) => name.startsWith('TLS_DHE_'))
      ? groups.length - curves + 1
      : 0;
  const older = (['SSLv3', 'TLSv1', 'TLSv1.1'] as const).filter(speaks);
  return (
    (speaks('TLSv1.3') ? Math.max(at('TLSv1.3').length, groups.length) + 2 : 1) +
    (speaks('TLSv1.2')
      ? at('TLSv1.2').length - curved + Math.max(curved, curves) + 2 + finite
      : 1) +
    older.reduce((n, version) => n + at(version).length + 1, 0) +
    Object.keys(order).length +
    2
  );
}
