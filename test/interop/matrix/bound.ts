import type { Surface, Version } from './surface.js';

/**
 * The fewest connections that can show such a surface: every positive answer names one suite and one group, a refusal ends a version.
 * TLS 1.3 and 1.2: as many as suites or groups, whichever are more, and two; older versions: one a suite, and one; one for whose order counts at each
 * version; one for everything below TLS 1.2.
 */
export function boundOf({ versions, suites, order = {}, groups = [] }: Surface): number {
  const curves = groups.filter((name) => !name.startsWith('ffdhe'));
  const of = (version: Version): number => suites[version]?.length ?? 0;
  const newer = (version: 'TLSv1.2' | 'TLSv1.3', shown: readonly string[]): number =>
    versions.includes(version) ? Math.max(of(version), shown.length) + 2 : 1;
  const older = (['SSLv3', 'TLSv1', 'TLSv1.1'] as const).filter((v) => versions.includes(v));
  return newer('TLSv1.3', groups) + newer('TLSv1.2', curves) + older.reduce((n, v) => n + of(v) + 1, 0) + Object.keys(order).length + 1;
}
