import { attacks, outcomes, senders } from '../../tls-policy/index.js';
import type { DomainGrade } from '../grade/grade-domain.js';
import { measureValues } from '../grade/measures.js';

/** The exported result of one domain in a scan. */
export interface ScanResultRow extends DomainGrade {
  readonly domain: string;
  /** Position in the list, from 1. */
  readonly rank?: number | undefined;
  /** Host names of the MX records. */
  readonly mailHosts?: readonly string[] | undefined;
  /** Operators of the mail hosts: organisational domains, or `own`. */
  readonly operators?: readonly string[] | undefined;
}

/** A value of a flat column; undefined if the result does not contain it. */
export type ColumnValue = string | number | boolean | undefined;

/** A column of the CSV and Parquet exports. */
export interface ExportColumn {
  readonly name: string;
  /** Lists are text with spaces between the items. */
  readonly type: 'text' | 'integer' | 'boolean' | 'list';
  /** The meaning of the column, for the data dictionary. */
  readonly says: string;
  /** All possible values of the column, if their number is small. */
  readonly values?: readonly string[] | undefined;
  value(row: ScanResultRow): ColumnValue;
}

const list = (items: readonly string[] | undefined): string | undefined => items?.join(' ');

function findings(severity: string): Pick<ExportColumn, 'type' | 'value'> {
  return {
    type: 'list',
    value: (row) =>
      list(row.findings.filter((found) => found.severity === severity).map(({ id }) => id)),
  };
}

/** Returns a column with the value of one measure. */
function measure(name: string, key: keyof typeof measureValues, says: string): ExportColumn {
  return {
    name,
    type: 'text',
    says,
    values: measureValues[key],
    value: ({ measures }) => measures[key],
  };
}

/** Returns a name in snake case: `mta_sts_cached` for `mtaStsCached`. */
const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Every column, in order. Columns are added, never renamed or removed. */
export const exportColumns: readonly ExportColumn[] = [
  { name: 'domain', type: 'text', says: 'The domain, as A-label.', value: ({ domain }) => domain },
  {
    name: 'rank',
    type: 'integer',
    says: 'Position in the list, from 1.',
    value: ({ rank }) => rank,
  },
  {
    name: 'tld',
    type: 'text',
    says: 'The last label of the domain.',
    value: ({ domain }) => domain.slice(domain.lastIndexOf('.') + 1),
  },
  {
    name: 'mail_hosts',
    type: 'list',
    says: 'Host names of the MX records.',
    value: ({ mailHosts }) => list(mailHosts),
  },
  {
    name: 'operators',
    type: 'list',
    says: 'Organisational domains of the mail hosts; "own" for hosts of the domain itself.',
    value: ({ operators }) => list(operators),
  },
  {
    name: 'profile',
    type: 'text',
    says: 'The profile that graded the domain.',
    value: ({ profile }) => profile,
  },
  {
    name: 'verdict',
    type: 'text',
    says: 'The grade; inconclusive if the observations do not decide.',
    values: ['pass', 'warn', 'fail', 'inconclusive', 'not-applicable'],
    value: ({ verdict }) => verdict,
  },
  measure('mail', 'mail', 'Whether the domain accepts mail.'),
  measure('signed', 'signed', 'Whether DNSSEC signs the mail route.'),
  measure('starttls', 'starttls', 'Servers that offer STARTTLS, of those that answered.'),
  {
    name: 'tls_versions',
    type: 'list',
    says: 'The highest TLS versions of the visited servers, without repetitions.',
    value: ({ measures }) => list(measures.tls),
  },
  measure(
    'certificates',
    'certificates',
    'Result of the validation by the Web PKI, for the names of the hosts.',
  ),
  measure('mta_sts', 'mtaSts', 'The policy mode, or the reason why there is no policy.'),
  measure('mta_sts_hosts', 'mtaStsHosts', 'Mail hosts that the policy names.'),
  measure('dane', 'dane', 'DANE: protected at every host of a signed route, or the gap.'),
  measure('tls_rpt', 'tlsRpt', 'The TLS-RPT record.'),
  {
    name: 'inferred',
    type: 'boolean',
    says: 'Whether a fact was inferred from another host name of the same provider.',
    value: ({ measures }) => measures.inferred,
  },
  {
    name: 'classes',
    type: 'list',
    says: 'Classes of misconfiguration, in the order of their bits.',
    value: ({ classes }) => list(classes),
  },
  { name: 'fail', says: 'Findings of severity fail.', ...findings('fail') },
  { name: 'warn', says: 'Findings of severity warn.', ...findings('warn') },
  { name: 'info', says: 'Findings of severity info.', ...findings('info') },
  ...senders.flatMap((sender) =>
    attacks.map((attack): ExportColumn => ({
      name: `exposure_${snake(sender)}_${snake(attack)}`,
      type: 'text',
      says: `The outcome for mail from senders of the class ${sender} under the attack ${attack}.`,
      values: outcomes,
      value: ({ exposure }) => exposure[sender][attack],
    })),
  ),
  {
    name: 'shape',
    type: 'text',
    says: 'SHA-256 of the grade in hex, which is equal for equal grades.',
    value: ({ shape }) => shape,
  },
];

/** Returns the data dictionary as a table in Markdown. */
export function dataDictionary(): string {
  const rows = exportColumns.map(({ name, type, says, values = [] }) => {
    const shown = values.map((value) => `\`${value}\``).join(', ');
    return `| \`${name}\` | ${type} | ${says} | ${shown} |`;
  });
  return ['| column | type | meaning | values |', '|---|---|---|---|', ...rows, ''].join('\n');
}
