import { OWN_OPERATOR } from '../family/family-of.js';
import type { DomainGrade } from '../grade/grade-domain.js';
import { statisticDefinitions, type StatisticPage } from './definitions.js';

/** A number with its base. The unknown ones are in neither. */
export interface StatisticCount {
  /** Units with the property. */
  readonly number: number;
  /** Units with or without the property. */
  readonly of: number;
  /** Units whose answer is unknown. */
  readonly unknown: number;
}

/** One number of the statistics, counted in three ways. */
export interface Statistic {
  readonly id: string;
  readonly page: StatisticPage;
  readonly says: string;
  readonly of: string;
  readonly domains: StatisticCount;
  /** A mail host has a property where at least half of its domains with an answer have it. */
  readonly mailHosts: StatisticCount;
  /** The same for the operators of mail hosts. A domain's own hosts are one operator. */
  readonly operators: StatisticCount;
}

/** A domain, or a number of domains at the same hosts with the same grade. */
export interface StatisticRow {
  readonly grade: DomainGrade;
  readonly domain: string;
  readonly hosts: readonly string[];
  /** Operators of the hosts; {@link OWN_OPERATOR} for the domain's own. */
  readonly operators: readonly string[];
  /** Domains that the row stands for. Default 1. */
  readonly domains?: number | undefined;
}

/** Domains of one unit, by shape. */
type ShapeCounts = Map<string, number>;

/**
 * Collects the statistics of a scan. Memory grows with shapes, hosts and operators, and not
 * with domains.
 */
export class StatisticsCollector {
  readonly #grades = new Map<string, DomainGrade>();
  readonly #domains: ShapeCounts = new Map();
  readonly #hosts = new Map<string, ShapeCounts>();
  readonly #operators = new Map<string, ShapeCounts>();

  /** Domains so far. */
  total = 0;

  /** Counts the domains of one row. */
  add({ grade, domain, hosts, operators, domains = 1 }: StatisticRow): void {
    this.#grades.set(grade.shape, grade);
    this.total += domains;
    count(this.#domains, grade.shape, domains);
    for (const host of new Set(hosts)) count(counts(this.#hosts, host), grade.shape, domains);
    for (const operator of new Set(operators)) {
      const unit = operator === OWN_OPERATOR ? `${OWN_OPERATOR} ${domain}` : operator;
      count(counts(this.#operators, unit), grade.shape, domains);
    }
  }

  /** Shapes so far. */
  get shapes(): number {
    return this.#grades.size;
  }

  /** Returns every statistic in the order of its definition. */
  statistics(): readonly Statistic[] {
    return statisticDefinitions.map(({ id, page, says, of, answer }) => {
      const answers = new Map(
        [...this.#grades].map(([shape, grade]) => [shape, answer(grade)] as const),
      );
      const tally = (shapes: ShapeCounts): StatisticCount => {
        const sum = { yes: 0, no: 0, unknown: 0, outside: 0 };
        for (const [shape, number] of shapes) sum[answers.get(shape) ?? 'outside'] += number;
        return { number: sum.yes, of: sum.yes + sum.no, unknown: sum.unknown };
      };
      return {
        id,
        page,
        says,
        of,
        domains: tally(this.#domains),
        mailHosts: tallyUnits(this.#hosts.values(), tally),
        operators: tallyUnits(this.#operators.values(), tally),
      };
    });
  }

  /**
   * Returns the operators with the most domains, and their share. A domain with hosts of
   * two operators counts for both.
   */
  operators(limit: number): readonly { readonly operator: string; readonly domains: number }[] {
    const sums = new Map<string, number>();
    for (const [unit, shapes] of this.#operators) {
      const operator = unit.startsWith(`${OWN_OPERATOR} `) ? OWN_OPERATOR : unit;
      const domains = [...shapes.values()].reduce((sum, number) => sum + number, 0);
      sums.set(operator, (sums.get(operator) ?? 0) + domains);
    }
    return [...sums]
      .map(([operator, domains]) => ({ operator, domains }))
      .sort((left, right) => right.domains - left.domains || order(left.operator, right.operator))
      .slice(0, limit);
  }
}

const order = (left: string, right: string): number => (left < right ? -1 : 1);

/** Each unit answers by the majority of its domains with an answer. */
function tallyUnits(
  units: Iterable<ShapeCounts>,
  tally: (shapes: ShapeCounts) => StatisticCount,
): StatisticCount {
  const sum = { number: 0, of: 0, unknown: 0 };
  for (const shapes of units) {
    const { number, of, unknown } = tally(shapes);
    if (of > 0) {
      sum.of++;
      if (2 * number >= of) sum.number++;
    } else if (unknown > 0) sum.unknown++;
  }
  return sum;
}

function counts(units: Map<string, ShapeCounts>, unit: string): ShapeCounts {
  const known = units.get(unit);
  if (known) return known;
  const created: ShapeCounts = new Map();
  units.set(unit, created);
  return created;
}

function count(shapes: ShapeCounts, shape: string, by: number): void {
  shapes.set(shape, (shapes.get(shape) ?? 0) + by);
}
