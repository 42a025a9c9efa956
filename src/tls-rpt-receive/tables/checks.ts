import { checkResultSchema, type CheckResult } from '../../evidence/index.js';
import type { Store } from '../../store/index.js';

const MAX_CHECKS = 400;

/**
 * Stores a result of `hermetic check`, which later helps to explain failures in reports.
 */
export function storeCheck(stateStore: Store, checkResult: CheckResult): void {
  stateStore
    .prepare(
      'INSERT INTO report_check (domain, checked_at, result) VALUES (?, ?, ?) ON CONFLICT (domain, checked_at) DO NOTHING',
    )
    .run(checkResult.domain, Date.parse(checkResult.checkedAt), JSON.stringify(checkResult));
}

/**
 * Returns the stored results for a domain, oldest first. Omits results of older versions
 * that this version cannot read.
 */
export function readChecks(
  stateStore: Store,
  domainName: string,
  since: number,
): readonly CheckResult[] {
  return stateStore
    .prepare<{ result: string }>(
      'SELECT result FROM report_check WHERE domain = ? AND checked_at >= ? ORDER BY checked_at DESC LIMIT ?',
    )
    .all(domainName, since, MAX_CHECKS)
    .reverse()
    .flatMap(({ result }) => {
      const parsed = checkResultSchema.safeParse(JSON.parse(result));
      return parsed.success ? [parsed.data] : [];
    });
}

/**
 * Returns the MX hosts of these domains in lower case, from the newest stored check of
 * each domain.
 */
export function knownHosts(stateStore: Store, domains: readonly string[]): ReadonlySet<string> {
  const newest = stateStore.prepare<{ result: string }>(
    'SELECT result FROM report_check WHERE domain = ? ORDER BY checked_at DESC LIMIT 1',
  );
  return new Set(
    domains.flatMap((domainName) => {
      const row = newest.get(domainName);
      const parsed = row && checkResultSchema.safeParse(JSON.parse(row.result));
      return parsed?.success === true
        ? parsed.data.hosts.map(({ name }) => name.toLowerCase())
        : [];
    }),
  );
}
