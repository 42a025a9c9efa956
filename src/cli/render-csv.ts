import { csvTable } from '../base/index.js';
import type { CheckResult, MailAddress, MailHost } from '../evidence/index.js';

/** The columns of the table, in order, each with the value of a domain. */
const columns: readonly (readonly [name: string, value: (checkResult: CheckResult) => string])[] = [
  ['domain', ({ domain }) => domain],
  ['verdict', ({ verdict }) => verdict],
  ['checked_at', ({ checkedAt }) => checkedAt],
  ['profile', ({ profile }) => profile],
  ['dnssec', ({ route }) => route.dnssec],
  ['mx', ({ hosts }) => hosts.map(({ name }) => name).join(' ')],
  ['starttls', (checkResult) => distinct(addressesOf(checkResult).map(({ starttls }) => starttls))],
  ['dane', ({ hosts }) => distinct(hosts.map(({ tlsa }) => tlsa.status))],
  ['mta_sts', ({ mtaSts }) => mtaSts.mode ?? mtaSts.status],
  ['tls_rpt', ({ tlsRpt }) => tlsRpt.status],
  ['certificate_expires', (checkResult) => firstExpiry(checkResult)],
  ['fail', (checkResult) => findingsOf(checkResult, 'fail')],
  ['warn', (checkResult) => findingsOf(checkResult, 'warn')],
];

/**
 * Renders a table of results as CSV (RFC 4180): a header, then a row for each domain.
 * Spaces separate several values in one column.
 */
export function renderCsv(results: readonly CheckResult[]): string {
  const rows = results.map((checkResult) => columns.map(([, value]) => value(checkResult)));
  return csvTable(
    columns.map(([name]) => name),
    rows,
  );
}

/** Returns the addresses of all hosts. */
function addressesOf({ hosts }: { readonly hosts: readonly MailHost[] }): readonly MailAddress[] {
  return hosts.flatMap(({ addresses }) => addresses);
}

/** Returns the values without duplicates, separated by spaces. */
function distinct(values: readonly string[]): string {
  return [...new Set(values)].join(' ');
}

/** Returns the ids of the findings of one severity. */
function findingsOf({ findings }: CheckResult, severity: string): string {
  return distinct(findings.filter((finding) => finding.severity === severity).map(({ id }) => id));
}

/** Returns the day on which the first leaf certificate expires. */
function firstExpiry(checkResult: CheckResult): string {
  const [first = ''] = addressesOf(checkResult)
    .flatMap(({ certificates }) => certificates.map(({ notAfter }) => notAfter))
    .sort();
  return first.slice(0, 10);
}
