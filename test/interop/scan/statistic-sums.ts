import { classIds } from '../../../src/scan/index.js';

/**
 * A statistic of a scan as sums in SQL over one row for each domain, independent of the
 * definitions in the code. The columns are those of the exports, so the same text runs in
 * PostgreSQL and in DuckDB. Lists are text with spaces between the items.
 */
interface Sum {
  readonly key: string;
  /**
   * Domains with the property, domains to which the question applies, and domains without
   * an answer.
   */
  readonly yes: string;
  readonly outside: string;
  readonly unknown: string;
}

const noMail = "mail = 'no'";
const mailUnknown = "mail = 'unknown'";

/** Returns a share of the domains that accept mail, by one column. */
function byColumn(
  key: string,
  column: string,
  values: readonly string[],
  outside: readonly string[] = ['not-applicable'],
): Sum {
  return {
    key,
    yes: `${column} IN (${quoted(values)})`,
    outside: `${noMail} OR (mail = 'yes' AND ${column} IN (${quoted(outside)}))`,
    unknown: `${mailUnknown} OR ${column} = 'unknown'`,
  };
}

function exposure(key: string, sender: string): Sum {
  const column = `exposure_${sender}_strip_starttls`;
  return { ...byColumn(key, column, ['cleartext', 'to-attacker']), outside: noMail };
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(', ');
}

/** Returns the condition that a list column contains the item. */
function has(column: string, item: string): string {
  return `' ' || coalesce(${column}, '') || ' ' LIKE '% ${item} %'`;
}

const absent = ['absent'];
const noTlsa = ['absent', 'not-applicable'];

const sums: readonly Sum[] = [
  { key: 'mail', yes: "mail = 'yes'", outside: 'false', unknown: mailUnknown },
  {
    key: 'enforced',
    yes: "mta_sts = 'enforce' OR dane = 'protected'",
    outside: noMail,
    unknown: `${mailUnknown} OR ((mta_sts IN ('unknown', 'unobtainable') OR dane = 'unknown')
      AND mta_sts <> 'enforce' AND dane <> 'protected')`,
  },
  byColumn('starttls', 'starttls', ['all']),
  byColumn('starttls-none', 'starttls', ['none']),
  byColumn('certificates', 'certificates', ['valid']),
  byColumn('sts-record', 'mta_sts', ['enforce', 'testing', 'none', 'invalid', 'unobtainable']),
  byColumn('sts-enforce', 'mta_sts', ['enforce'], absent),
  byColumn('sts-testing', 'mta_sts', ['testing'], absent),
  byColumn('sts-none', 'mta_sts', ['none'], absent),
  { ...byColumn('sts-defers', 'mta_sts', [], absent), yes: has('classes', 'sts-enforce-fails') },
  byColumn('signed', 'signed', ['yes']),
  byColumn('tlsa', 'dane', ['protected', 'partial', 'mismatch', 'unusable', 'inert']),
  byColumn('dane', 'dane', ['protected'], noTlsa),
  byColumn('tlsa-mismatch', 'dane', ['mismatch'], noTlsa),
  byColumn('tlsa-inert', 'dane', ['inert'], noTlsa),
  byColumn('tlsrpt', 'tls_rpt', ['found', 'invalid']),
  byColumn('tlsrpt-invalid', 'tls_rpt', ['invalid'], noTlsa),
  exposure('exposed-opportunistic', 'opportunistic'),
  exposure('exposed-sts', 'mta_sts_cached'),
  exposure('exposed-dane', 'dane'),
  ...classIds.map((id) => ({
    key: `class-${id}`,
    yes: has('classes', id),
    outside: 'false',
    unknown: id === 'could-not-tell' ? 'false' : "verdict = 'inconclusive'",
  })),
];

/** The statistics that {@link sumsOver} computes. */
export const summedKeys: readonly string[] = sums.map(({ key }) => key);

/** Returns a query for the sums over a table with the columns of the exports. */
export function sumsOver(table: string): string {
  return sums
    .map((sum) => {
      const { n, of, unknown } = countsOf(sum);
      return `SELECT '${sum.key}' AS key, ${n} AS n, ${of} AS "of", ${unknown} AS unknown FROM ${table}`;
    })
    .join(' UNION ALL ');
}

/**
 * Returns a query for the same sums by unit: `units` has a row for each domain and unit,
 * with the column `unit`. A unit has a property if at least half of its domains with an
 * answer have it.
 */
export function unitSumsOver(units: string): string {
  return sums
    .map((sum) => {
      const { n, of, unknown } = countsOf(sum);
      const count = (condition: string): string =>
        `CAST(coalesce(sum(CASE WHEN ${condition} THEN 1 ELSE 0 END), 0) AS int)`;
      return `SELECT '${sum.key}' AS key, ${count('a > 0 AND 2 * n >= a')} AS n,
        ${count('a > 0')} AS "of", ${count('a = 0 AND u > 0')} AS unknown
        FROM (SELECT unit, ${n} AS n, ${of} AS a, ${unknown} AS u FROM ${units} GROUP BY unit)`;
    })
    .join(' UNION ALL ');
}

/**
 * Returns the aggregates of one sum: domains with the property, with an answer, and
 * without one.
 */
function countsOf({ key, yes, outside, unknown }: Sum): {
  readonly n: string;
  readonly of: string;
  readonly unknown: string;
} {
  const [n = '', of = '', without = ''] = [
    `CASE WHEN ${outside} THEN 0 WHEN (${yes}) AND ${mailIs(key)} THEN 1 ELSE 0 END`,
    `CASE WHEN ${outside} THEN 0 WHEN (${yes}) AND ${mailIs(key)} THEN 1
      WHEN ${unknown} THEN 0 ELSE 1 END`,
    `CASE WHEN ${outside} THEN 0 WHEN (${yes}) AND ${mailIs(key)} THEN 0
      WHEN ${unknown} THEN 1 ELSE 0 END`,
  ].map((count) => `CAST(coalesce(sum(${count}), 0) AS int)`);
  return { n, of, unknown: without };
}

/** Shares of domains that accept mail include only domains with a known route. */
function mailIs(key: string): string {
  return key.startsWith('class-') ? 'true' : "mail = 'yes'";
}
