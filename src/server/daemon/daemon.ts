import type { SecureContext } from 'node:tls';
import { systemClock } from '../../base/index.js';
import type { Config } from '../config/config.js';
import { formatListenAddress, type ListenAddress } from '../listen-address.js';
import { openHouse, type OpenJobContext } from './job-context.js';
import { jobs } from '../jobs/all-jobs.js';
import { keepHeapSmall } from '../keep-heap-small.js';
import { ListenerSet, wanted, type Wanted } from '../listeners/listener-set.js';
import { listenStream } from '../listeners/stream-listener.js';
import { listenWeb, type WebSettings } from '../listeners/web-listener.js';
import type { Log } from '../log.js';
import { formatMetrics, labelled, single, type Metric } from '../metrics.js';
import { loadCertificate, type ServerCertificate } from '../secrets.js';
import type { Service, Site } from '../service.js';
import { SharedResolver } from '../shared-resolver.js';
import { SharedStore } from '../shared-store.js';

/** A running daemon. */
export interface Daemon {
  readonly listening: readonly { readonly what: string; readonly at: ListenAddress }[];
  /**
   * Takes a new configuration while the ports stay open; what cannot be started leaves
   * the old one in force and rejects.
   */
  reload(config: Config): Promise<void>;
  /** Lets running work end, then stops. */
  stop(): Promise<void>;
}

/** What one configuration has set up. Listeners live longer: a reload hands them over. */
interface Generation {
  readonly house: OpenJobContext;
  readonly services: readonly Service[];
}

/**
 * Starts every job that has a section. Rejects with HermeticError, having stopped what it
 * had started, when something cannot be had.
 */
export async function startDaemon(config: Config, log: Log): Promise<Daemon> {
  keepHeapSmall();
  const startedAt = performance.now();
  const listeners = new ListenerSet(log);
  const stores = new SharedStore(systemClock, log);
  const resolvers = new SharedResolver();
  const listening = (): Daemon['listening'] =>
    listeners.all.map(({ what, listener }) => ({ what, at: listener.at }));
  const scrape = (): readonly Metric[] => [
    single(
      'uptime_seconds',
      'gauge',
      'Seconds since the daemon started.',
      Math.round((performance.now() - startedAt) / 1000),
    ),
    ...portMetrics(listeners),
    ...stores.metrics(),
    ...generation.services.flatMap((s) => s.metrics?.() ?? []),
  ];
  const health = (): string =>
    stores.failing.length === 0
      ? 'ok\n'
      : stores.failing.map(({ job, code }) => `degraded: ${job} ${code}\n`).join('');
  const enter = async (settings: Config): Promise<Generation> => {
    const next = await startJobs(settings, log, { stores, resolvers });
    try {
      await listeners.arrange(wantedBy(settings, next.services, { scrape, health }, log));
      return next;
    } catch (error) {
      await stopJobs(next);
      throw error;
    }
  };
  let generation = await enter(config);
  stores.serving();
  for (const { what, at } of listening())
    log.info('listening', { what, at: formatListenAddress(at) });
  if (listening().length === 0)
    log.warn('nothing-listens', {
      fix: 'add a section such as postfix, metrics or web to the configuration',
    });
  return {
    get listening() {
      return listening();
    },
    async reload(next) {
      const before = generation;
      generation = await enter(next);
      await stopJobs(before);
      log.info('reloaded');
    },
    async stop() {
      log.info('stopping');
      await listeners.closeAll();
      await stopJobs(generation);
      log.info('stopped');
    },
  };
}

async function startJobs(
  config: Config,
  log: Log,
  { stores, resolvers }: { readonly stores: SharedStore; readonly resolvers: SharedResolver },
): Promise<Generation> {
  const house = await openHouse(config, log, stores, resolvers);
  const services: Service[] = [];
  try {
    for (const job of jobs) {
      const settings = config.jobs[job.section];
      if (settings !== undefined) services.push(await job.start(settings, house));
    }
    return { house, services };
  } catch (error) {
    await stopJobs({ house, services });
    throw error;
  }
}

async function stopJobs({ house, services }: Generation): Promise<void> {
  await Promise.all(services.map(async (s) => s.stop?.()));
  await house.close();
}

/** A CA looks from a few places at once. */
const PLAIN_CONNECTIONS = 100;
/** A monitor sends its short request at once: slow clients must not crowd it out. */
const METRICS_LIMITS = { connections: 32, patienceMs: 1000 };

function wantedBy(
  { web, metrics }: Config,
  services: readonly Service[],
  state: DaemonState,
  log: Log,
): readonly Wanted[] {
  const sites = services.flatMap((s) => s.sites ?? []);
  const loaded = (web?.certificates ?? []).map(loadCertificate);
  const secure = web && {
    sites,
    log,
    limits: { connections: web.connections },
    certificateFor: certificates(loaded, sites),
    fallback: loaded[0]?.pem,
    challengeFor: challenges(sites),
  };
  const plain = {
    sites: services.flatMap((s) => s.plainSites ?? []),
    log,
    limits: { connections: PLAIN_CONNECTIONS },
  };
  const scraped = { sites: [metricsSite(state)], log, limits: METRICS_LIMITS };
  return [
    ...services
      .flatMap((s) => s.ports ?? [])
      .flatMap(({ what, listen, ...settings }) =>
        listen.map((at) => wanted(what, at, settings, listenStream)),
      ),
    ...(web && secure ? web.listen.map((at) => wanted('web', at, secure, listenWeb)) : []),
    ...(web?.http ?? []).map((at) => wanted('http', at, plain, listenWeb)),
    ...(metrics?.listen ?? []).map((at) => wanted('metrics', at, scraped, listenWeb)),
  ];
}

function certificates(
  loaded: readonly ServerCertificate[],
  sites: readonly Site[],
): (name: string) => SecureContext | undefined {
  return (name) => {
    const own = sites.map((s) => s.certificateFor?.(name)).find((context) => context !== undefined);
    if (own === 'refuse') return loaded.find((c) => c.covers(name))?.context;
    return own ?? (loaded.find((c) => c.covers(name)) ?? loaded[0])?.context;
  };
}

/** Undefined while no site has a challenge to answer. */
function challenges(sites: readonly Site[]): NonNullable<WebSettings['challengeFor']> {
  return () => {
    const open = sites.flatMap((site) => site.challengeFor?.() ?? []);
    return open.length === 0
      ? undefined
      : (name) => open.map((answer) => answer(name)).find((context) => context !== undefined);
  };
}

/** What the metrics port shows. */
interface DaemonState {
  scrape(): readonly Metric[];
  /** `ok`, or a line for each job that is degraded. */
  health(): string;
}

function metricsSite({ scrape, health }: DaemonState): Site {
  return {
    serves: (_host, path) => path === '/metrics' || path === '/health',
    handle: (request) =>
      new URL(request.url).pathname === '/health'
        ? new Response(health())
        : new Response(formatMetrics(scrape()), {
            headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
          }),
  };
}

function portMetrics({ all }: ListenerSet): readonly Metric[] {
  return [
    labelled(
      'connections_open',
      'gauge',
      'Connections open now.',
      'port',
      all.map(({ what, listener }) => [what, listener.open]),
    ),
    labelled(
      'connections_total',
      'counter',
      'Connections taken.',
      'port',
      all.map(({ what, listener }) => [what, listener.accepted]),
    ),
    labelled(
      'connections_refused_total',
      'counter',
      'Refused over the limit.',
      'port',
      all.map(({ what, listener }) => [what, listener.refused]),
    ),
  ];
}
