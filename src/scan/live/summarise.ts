import type { GradedDomain, ScanStatistic } from '../engine/index.js';
import { operatorOf } from '../family/family-of.js';
import type { DomainGrade } from '../grade/grade-domain.js';
import { StatisticsCollector } from '../statistics/collect-statistics.js';

/** Maximum number of operators that the statistics name. */
const MAX_OPERATORS = 50;

/**
 * Computes every statistic of a scan, counted by domains, mail hosts and operators, and the
 * operators with the most domains.
 */
export async function summariseScan(
  domains: AsyncIterable<GradedDomain>,
): Promise<readonly ScanStatistic[]> {
  const collector = new StatisticsCollector();
  for await (const { domain, hosts, grade } of domains)
    collector.add({
      domain,
      hosts,
      operators: hosts.map((host) => operatorOf(host, domain)),
      grade: grade as DomainGrade,
    });
  const numbers = collector.statistics().flatMap(({ id, page, ...counts }) =>
    (['domains', 'mailHosts', 'operators'] as const).map((counted): ScanStatistic => {
      const { number, of, unknown } = counts[counted];
      return { page, key: id, counted, n: number, of, unknown };
    }),
  );
  const operators = collector.operators(MAX_OPERATORS).map(({ operator, domains: n }) => ({
    ...{ page: 'operators', key: operator, counted: 'domains' },
    ...{ n, of: collector.total, unknown: 0 },
  }));
  return [...numbers, ...operators];
}
