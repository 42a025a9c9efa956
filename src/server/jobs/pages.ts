import { z } from 'zod';
import { parseIp, withinPrefix } from '../../base/index.js';
import { openPages, pagesSection, readOptOut } from '../../web/index.js';
import { listenAddresses, type ListenAddress } from '../listen-address.js';
import { labelled, single } from '../metrics.js';
import type { Job, Service } from '../service.js';

const schema = pagesSection.extend({
  /** Plain HTTP for the public pages, behind a reverse proxy. */
  listen: listenAddresses.default([]),
  /** Plain HTTP on loopback, with the operator pages. Never behind a reverse proxy. */
  operatorPort: listenAddresses
    .refine(
      (all) => all.every(isLoopback),
      'is not a loopback address: write a port such as 8080, or 127.0.0.1:8080',
    )
    .default([]),
  /** Connections to each port at one time. Half of them may be live pages. */
  connections: z.int().min(2).max(100_000).default(500),
});

/** The check page, its API, and the pages of the operator. */
export const pagesJob: Job<ReturnType<typeof schema.parse>> = {
  section: 'pages',
  schema,
  listens: ({ listen, operatorPort }) => [...listen, ...operatorPort],
  check({ optOut }) {
    if (optOut !== undefined) readOptOut(optOut);
  },
  async start({ listen, operatorPort, connections, ...settings }, jobContext): Promise<Service> {
    const { examples } = jobContext;
    const hasOperatorPages = operatorPort.length > 0;
    const pages = await openPages(settings, jobContext, { examples, hasOperatorPages });
    const site = (serves: (hostName: string) => boolean, isOperator: boolean) => ({
      serves,
      handle: pages.handler(isOperator),
    });
    const { host } = settings;
    const everyName = (): boolean => true;
    const limits = { connections };
    return {
      sites: host === undefined ? [] : [site((hostName) => hostName === host, false)],
      httpPorts: [
        { what: 'pages', listen, limits, sites: [site(everyName, false)] },
        { what: 'operator-pages', listen: operatorPort, limits, sites: [site(everyName, true)] },
      ],
      metrics: () => [
        single('checks_running', 'gauge', 'Checks that run now.', pages.checks.running),
        single('checks_waiting', 'gauge', 'Checks that wait for a place.', pages.checks.waiting),
        labelled('checks_total', 'counter', 'Checks that ended, by state.', {
          label: 'state',
          values: pages.checks.finished,
        }),
      ],
      stop: () => pages.stop(),
    };
  },
};

/** The operator pages have no sign-in, so other machines must not reach them. */
function isLoopback(listenAddress: ListenAddress): boolean {
  if (!('port' in listenAddress)) return false;
  const ipAddress = parseIp(listenAddress.address);
  if (!ipAddress) return false;
  return ipAddress.family === 4
    ? withinPrefix(ipAddress, '127.0.0.0', 8)
    : withinPrefix(ipAddress, '::1', 128);
}
