import type { ScanNumbers, StatisticsSource } from '../web/index.js';
import type { ScanStatistic, StoredScan } from '../scan/index.js';
import { ScanDatabase } from './scan-database.js';

/** Milliseconds for which the list of scans is reused. */
const LIST_MS = 10_000;
/** Maximum number of finished scans whose numbers stay in memory, about 100 kB each. */
const MAX_SCANS = 50;
/** Maximum number of connections to the database: a page needs one short statement. */
const MAX_CONNECTIONS = 2;

/** A source of statistics with an open connection to the database of scans. */
export interface OpenStatistics extends StatisticsSource {
  close(): Promise<void>;
}

/**
 * Returns a source that reads the statistics of finished scans from the database. The
 * connection is opened with the first request, and again after a failure. The numbers of
 * a finished scan do not change, so they are read once. The code of scans is loaded with
 * the first request.
 */
export function statisticsSource(
  url: string,
  clock: { monotonic(): number },
  onError: (error: Error) => void,
): OpenStatistics {
  const database = new ScanDatabase(url, MAX_CONNECTIONS, onError);
  let listed: { readonly at: number; readonly scans: Promise<readonly StoredScan[]> } | undefined;
  const known = new Map<number, Promise<ScanNumbers | undefined>>();
  const scan = () => import('../scan/index.js');
  const finished = async (): Promise<readonly StoredScan[]> => {
    const now = clock.monotonic();
    if (!listed || now - listed.at > LIST_MS) {
      const { listScans } = await scan();
      const scans = listScans(await database.open());
      listed = { at: now, scans };
      scans.catch(() => (listed = undefined));
    }
    return (await listed.scans).filter(({ state }) => state === 'done');
  };
  const read = async (id: number): Promise<ScanNumbers | undefined> => {
    const stored = (await finished()).find((one) => one.id === id);
    if (!stored) return undefined;
    const { scanStatistics } = await scan();
    return numbersOf(stored, await scanStatistics(await database.open(), id));
  };
  return {
    scans: async () => (await finished()).map(describe),
    numbers(id) {
      const earlier = known.get(id);
      if (earlier) return earlier;
      const reading = read(id);
      known.set(id, reading);
      const [oldest] = known.keys();
      if (known.size > MAX_SCANS && oldest !== undefined) known.delete(oldest);
      const forget = (): void => void known.delete(id);
      // Only successful results stay cached: an unknown scan may finish, and a database
      // may become available again.
      reading.then((numbers) => numbers ?? forget(), forget);
      return reading;
    },
    close: () => database.close(),
  };
}

function describe({ id, list, citedAs, domains, startedAt, finishedAt }: StoredScan) {
  return { id, list, citedAs, domains, startedAt, finishedAt: finishedAt ?? startedAt };
}

/** Joins the stored numbers of a scan with their definitions. */
async function numbersOf(
  stored: StoredScan,
  statistics: readonly ScanStatistic[],
): Promise<ScanNumbers> {
  const { inferenceError, statisticDefinitions, statisticPages } = await import('../scan/index.js');
  const found = new Map(statistics.map((one) => [`${one.page} ${one.key} ${one.counted}`, one]));
  const unit = (page: string, id: string, counted: string) => {
    const { n = 0, of = 0, unknown = 0 } = found.get(`${page} ${id} ${counted}`) ?? {};
    return { n, of, unknown };
  };
  const visits = (key: string): number => unit('method', key, 'visits').n;
  const { n: wrong, of: checked } = unit('method', 'inference-error', 'checks');
  const inferred = visits('inferred');
  return {
    scan: describe(stored),
    pages: statisticPages.map((page) => ({
      name: page,
      numbers: statisticDefinitions
        .filter((one) => one.page === page && found.has(`${page} ${one.id} domains`))
        .map(({ id, says, of }) => ({
          ...{ id, says, of, domains: unit(page, id, 'domains') },
          mailHosts: unit(page, id, 'mailHosts'),
          operators: unit(page, id, 'operators'),
        })),
    })),
    operators: statistics
      .filter(({ page }) => page === 'operators')
      .map(({ key, n }) => ({ name: key, domains: n }))
      .sort((a, b) => b.domains - a.domains),
    method: found.has('method visited visits')
      ? {
          ...{ visited: visits('visited'), inferred, unreached: visits('unreached') },
          ...{ optedOut: visits('opted-out'), checked, wrong },
          errorAtMost: inferenceError([{ inferred, checked, wrong }]).atMost,
        }
      : undefined,
  };
}
