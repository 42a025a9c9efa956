import { statisticDefinitions, statisticPages, type ScanStatistic } from '../../scan/index.js';
import { percent } from './render-progress.js';

/**
 * Returns the statistics of a scan as lines: each share with its base, the share that is
 * unknown, and three units: domains, mail hosts and operators. Classes without a domain are
 * left out.
 */
export function renderStatistics(statistics: readonly ScanStatistic[]): readonly string[] {
  const found = new Map(statistics.map((one) => [`${one.key} ${one.counted}`, one]));
  const lines = statisticPages.flatMap((page) => {
    const rows = statisticDefinitions
      .filter((definition) => definition.page === page)
      .flatMap(({ id, says, of }) => {
        const domains = found.get(`${id} domains`);
        if (!domains || (page === 'classes' && domains.n === 0)) return [];
        const units = (['mailHosts', 'operators'] as const).map((counted) => {
          const { n = 0, of: all = 0 } = found.get(`${id} ${counted}`) ?? {};
          return percent(n, all).padStart(8);
        });
        const share = percent(domains.n, domains.of).padStart(8);
        const unknown = percent(domains.unknown, domains.of + domains.unknown).padStart(8);
        return [
          `${share}${units.join('')}${unknown}  ${says} (${domains.n} of ${domains.of} ${of})`,
        ];
      });
    return rows.length === 0 ? [] : ['', page, ...rows];
  });
  if (lines.length === 0) return [];
  const operators = statistics
    .filter(({ page }) => page === 'operators')
    .sort((a, b) => b.n - a.n)
    .slice(0, 10)
    .map(({ key, n, of }) => `${percent(n, of).padStart(8)}  ${key} (${n})`);
  return [
    '',
    ' domains   hosts   opers unknown',
    ...lines.slice(1),
    '',
    'operators of mail hosts',
    ...operators,
  ];
}
