import { OWN_OPERATOR } from '../family/family-of.js';
import type { DomainGrade } from '../grade/grade-domain.js';
import { statisticDefinitions, type StatisticPage } from './definitions.js';
import { UnitCounts } from './unit-counts.js';

/**
 * A number of units, and the total of which it is a part. Neither includes units with an
 * unknown answer.
 */
export interface StatisticCount {
  /** Number of units with the property. */
  readonly number: number;
  /** Number of units with or without the property. */
  readonly of: number;
  /** Number of units whose answer is unknown. */
  readonly unknown: number;
}

/** One number of the statistics, counted in three ways. */
export interface Statistic {
  readonly id: string;
  readonly page: StatisticPage;
  readonly says: string;
  readonly of: string;
  readonly domains: StatisticCount;
  /** A mail host has a property if at least half of its domains with an answer have it. */
  readonly mailHosts: StatisticCount;
  /**
   * The count by operators of mail hosts, by the same majority. All own hosts of a domain
   * together count as one operator.
   */
  readonly operators: StatisticCount;
}

/** A domain, or a number of domains at the same hosts with the same grade. */
export interface StatisticRow {
  readonly grade: DomainGrade;
  readonly domain: string;
  readonly hosts: readonly string[];
  /** Operators of the hosts; {@link OWN_OPERATOR} for the domain's own. */
  readonly operators: readonly string[];
  /** Number of domains that the row represents. Default 1. */
  readonly domains?: number | undefined;
}

/** Number of domains by shape. */
type ShapeCounts = ReadonlyMap<number, number>;

/**
 * Maximum number of operators whose names are in memory. The operators with the fewest
 * domains are removed first.
 */
const MAX_NAMES = 50_000;
/** The shape number under which the sum over all shapes of a unit is stored. */
const ALL_SHAPES = 0;

/**
 * Collects the statistics of a scan. Memory grows with shapes, and by a few octets for each
 * host and foreign operator.
 */
export class StatisticsCollector {
  readonly #grades = new Map<string, { readonly index: number; readonly grade: DomainGrade }>();
  readonly #domains = new Map<number, number>();
  readonly #hosts = new UnitCounts();
  readonly #operators = new UnitCounts();
  /** Domains with hosts of their own: each is an operator with one domain. */
  readonly #own = new Map<number, number>();
  #ownDomains = 0;
  #names = new Set<string>();

  /** Number of domains added so far. */
  total = 0;

  /** Counts the domains of one row. A scan has one row for each domain with own hosts. */
  add({ grade, hosts, operators, domains = 1 }: StatisticRow): void {
    const shape = this.#shapeOf(grade);
    this.total += domains;
    count(this.#domains, shape, domains);
    for (const host of new Set(hosts)) this.#hosts.add(host, shape, domains);
    for (const operator of new Set(operators))
      if (operator === OWN_OPERATOR) {
        count(this.#own, shape, 1);
        this.#ownDomains += domains;
      } else {
        this.#operators.add(operator, shape, domains);
        this.#operators.add(operator, ALL_SHAPES, domains);
        this.#names.add(operator);
      }
    if (this.#names.size > MAX_NAMES) this.#names = new Set(this.#largest(MAX_NAMES / 2));
  }

  /** Number of different shapes so far. */
  get shapes(): number {
    return this.#grades.size;
  }

  /** Returns every statistic in the order of its definition. */
  statistics(): readonly Statistic[] {
    const definitions = statisticDefinitions.map(({ answer, ...definition }) => ({
      definition,
      answers: new Map(
        [...this.#grades.values()].map(({ index, grade }) => [index, answer(grade)]),
      ),
    }));
    const tallies = definitions.map(({ answers }) => (shapes: ShapeCounts): StatisticCount => {
      const sum = { yes: 0, no: 0, unknown: 0, outside: 0 };
      for (const [shape, number] of shapes) sum[answers.get(shape) ?? 'outside'] += number;
      return { number: sum.yes, of: sum.yes + sum.no, unknown: sum.unknown };
    });
    const hosts = tallyUnits(this.#hosts, tallies);
    const operators = tallyUnits(this.#operators, tallies);
    return definitions.map(({ definition: { id, page, says, of } }, index) => {
      const tally = tallies[index] as Tally;
      const own = tally(this.#own);
      const foreign = operators[index] as StatisticCount;
      return {
        ...{ id, page, says, of },
        domains: tally(this.#domains),
        mailHosts: hosts[index] as StatisticCount,
        operators: {
          number: foreign.number + own.number,
          of: foreign.of + own.of,
          unknown: foreign.unknown + own.unknown,
        },
      };
    });
  }

  /**
   * Returns the operators with the most domains, and the share of the domains that they
   * serve. A domain with hosts of two operators counts for both.
   */
  operators(limit: number): readonly { readonly operator: string; readonly domains: number }[] {
    const foreign = this.#largest(limit).map((operator) => ({
      operator,
      domains: this.#operators.get(operator, ALL_SHAPES),
    }));
    const own = { operator: OWN_OPERATOR, domains: this.#ownDomains };
    return [...foreign, ...(own.domains > 0 ? [own] : [])]
      .sort((left, right) => right.domains - left.domains || order(left.operator, right.operator))
      .slice(0, limit);
  }

  #shapeOf(grade: DomainGrade): number {
    const known = this.#grades.get(grade.shape);
    if (known) return known.index;
    const index = ALL_SHAPES + 1 + this.#grades.size;
    this.#grades.set(grade.shape, { index, grade });
    return index;
  }

  /**
   * Returns the names with the most domains. A removed name had fewer domains than half
   * of the limit, and its next domain adds it again, so it is never among the largest at
   * the end.
   */
  #largest(limit: number): readonly string[] {
    return [...this.#names]
      .map((operator) => ({ operator, domains: this.#operators.get(operator, ALL_SHAPES) }))
      .sort((left, right) => right.domains - left.domains || order(left.operator, right.operator))
      .slice(0, limit)
      .map(({ operator }) => operator);
  }
}

const order = (left: string, right: string): number => (left < right ? -1 : 1);

type Tally = (shapes: ShapeCounts) => StatisticCount;

/**
 * Returns the answer of a unit: the answer of most of its domains that have an answer.
 */
function tallyUnits(units: UnitCounts, tallies: readonly Tally[]): readonly StatisticCount[] {
  const sums = tallies.map(() => ({ number: 0, of: 0, unknown: 0 }));
  for (const shapes of units.units())
    for (const [index, tally] of tallies.entries()) {
      const sum = sums[index] as (typeof sums)[number];
      const { number, of, unknown } = tally(shapes);
      if (of > 0) {
        sum.of++;
        if (2 * number >= of) sum.number++;
      } else if (unknown > 0) sum.unknown++;
    }
  return sums;
}

function count(shapes: Map<number, number>, shape: number, by: number): void {
  shapes.set(shape, (shapes.get(shape) ?? 0) + by);
}
