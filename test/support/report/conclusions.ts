import {
  renderDomain,
  runAlerts,
  showDomain,
  showOverview,
  type ReportAlert,
} from '../../../src/tls-rpt-receive/index.js';
import type { Store } from '../../../src/store/index.js';

/**
 * Returns the pages, the overview and the alerts for the operator, without the parts
 * about reports that do not count.
 */
export async function conclusions(
  store: Store,
  now: number,
  domains: readonly string[],
): Promise<unknown> {
  const views = domains.map((domain) => {
    const rest = { ...showDomain(store, domain, { now }), unauthenticated: [], doubtful: [] };
    return [rest, renderDomain(rest)];
  });
  const { unauthenticated, uncounted, refused, ...overview } = showOverview(store, { now });
  if (unauthenticated + uncounted.length + refused.length < 0) throw new Error('impossible');
  const sent: ReportAlert[] = [];
  await runAlerts({
    store,
    now,
    domains: domains.slice(0, 1),
    channels: { mail: async (alerts) => (sent.push(...alerts), true) },
    onError: ({ error }) => {
      throw error;
    },
  });
  return { views, overview, sent };
}
