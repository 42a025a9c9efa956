import type { SecureContext } from 'node:tls';
import { collectGarbage, keepStartSmall, systemClock } from '../../base/index.js';
import type { Config } from '../config/config.js';
import {
  controlPort,
  controlSocket,
  type ControlHandlers,
  type DaemonStatus,
  type ReloadResult,
} from '../control/control-port.js';
import { formatListenAddress, type ListenAddress } from '../listen-address.js';
import {
  openJobContext,
  type JobContextOptions,
  type OpenJobContext,
  type ReplacedContext,
} from './job-context.js';
import { jobs } from '../jobs/all-jobs.js';
import { listenDatagrams } from '../listeners/datagram-listener.js';
import { ListenerSet, wanted, type Wanted } from '../listeners/listener-set.js';
import { listenStream } from '../listeners/stream-listener.js';
import { listenWeb, type WebSettings } from '../listeners/web-listener.js';
import type { Log } from '../log.js';
import { labelled, single, type Metric } from '../metrics.js';
import { loadCertificate, type ServerCertificate } from '../secrets.js';
import type { Degraded, PlainAnswer, Service, SharedPortSite, StreamPort } from '../service.js';
import { migrateWhenFree } from '../../store/index.js';
import { SharedResolver } from '../shared-resolver.js';
import { SharedStore } from '../shared-store.js';

/** A running daemon. */
export interface Daemon {
  readonly listening: readonly { readonly what: string; readonly at: ListenAddress }[];
  /**
   * Applies a new configuration while the ports stay open. If the new configuration
   * cannot start, the old one stays in force and the promise rejects.
   */
  reload(config: Config): Promise<void>;
  /** Waits until running work has ended, then stops. */
  stop(): Promise<void>;
}

/**
 * The jobs of one configuration. Listeners outlive a configuration: a reload passes them
 * to the next configuration.
 */
interface Generation {
  readonly jobContext: OpenJobContext;
  readonly services: readonly Service[];
}

/**
 * The version and functions that the caller supplies, for the control socket and the
 * start log.
 */
export interface DaemonOptions {
  /** The version of the program. Default: `unknown`. */
  readonly version?: string;
  /**
   * Reads and applies the configuration again. Without this function the control socket
   * refuses a reload.
   */
  reload?(): Promise<ReloadResult>;
  /**
   * The network, resolver and roots of a simulated internet that replace the real ones.
   */
  readonly replaced?: ReplacedContext;
}

/**
 * Starts every job that has a section. If a job or port cannot start, stops the others
 * and rejects with HermeticError.
 */
export async function startDaemon(
  config: Config,
  logger: Log,
  options: DaemonOptions = {},
): Promise<Daemon> {
  keepStartSmall();
  const began = Date.now();
  const startedAt = performance.now();
  const { version = 'unknown' } = options;
  let active = config;
  let ready = false;
  let lastReload: ReloadResult | undefined;
  const listeners = new ListenerSet(logger);
  const stores = new SharedStore(systemClock, logger);
  const resolvers = new SharedResolver();
  const listening = (): Daemon['listening'] =>
    listeners.all.map(({ what, listener }) => ({ what, at: listener.at }));
  const scrape = (): readonly Metric[] => [
    {
      name: 'build_info',
      type: 'gauge',
      help: 'Always 1; the labels are the versions of Hermetic and of Node.js.',
      samples: [{ labels: { version, node: process.versions.node }, value: 1 }],
    },
    single('uptime_seconds', 'gauge', 'Seconds since the daemon started.', uptime()),
    ...portMetrics(listeners),
    ...stores.metrics(),
    ...(generation?.services ?? []).flatMap((service) => service.metrics?.() ?? []),
  ];
  const degraded = (): readonly Degraded[] => [
    ...stores.failing,
    ...(generation?.services ?? []).flatMap((service) => service.degraded?.() ?? []),
  ];
  const health = (): string =>
    degraded()
      .map(({ job, code, subject }) => `degraded: ${[job, code, subject].join(' ').trimEnd()}\n`)
      .join('') || 'ok\n';
  const uptime = (): number => Math.round((performance.now() - startedAt) / 1000);
  const status = (): DaemonStatus => ({
    schema: 'hermetic.status/1',
    version,
    node: process.versions.node,
    pid: process.pid,
    startedAt: new Date(began).toISOString(),
    uptimeSeconds: uptime(),
    ready,
    degraded: degraded(),
    jobs: enabledJobs(active),
    listening: listening().map(({ what, at }) => ({ what, at: formatListenAddress(at) })),
    lastReload,
  });
  const controls: ControlHandlers = {
    status,
    async reload() {
      lastReload = await (options.reload?.() ?? unsupportedReload());
      return lastReload;
    },
  };
  const enter = async (settings: Config): Promise<Generation> => {
    const next = await startJobs(settings, logger, {
      stores,
      resolvers,
      replaced: options.replaced,
    });
    try {
      const ports = portsOf(settings, next.services, controls, logger);
      const state = { scrape, health, ready: () => ready };
      await listeners.arrange(wantedBy(settings, { ...next, ports }, state, logger));
      return next;
    } catch (error) {
      await stopJobs(next);
      throw error;
    }
  };
  // The metrics port may accept requests before all ports are open.
  let generation: Generation | undefined;
  generation = await enter(config);
  ready = true;
  collectGarbage();
  stores.serving();
  logger.info('started', {
    version,
    node: process.versions.node,
    pid: process.pid,
    jobs: enabledJobs(config).join(','),
    store: config.store.file,
    observe: config.policy.observe,
    milliseconds: Math.round(performance.now() - startedAt),
  });
  for (const { what, at } of listening())
    logger.info('listening', { what, at: formatListenAddress(at) });
  if (listening().length === 0)
    logger.warn('nothing-listens', {
      fix: 'add a section such as postfix, metrics or web to the configuration',
    });
  return {
    get listening() {
      return listening();
    },
    async reload(next) {
      const before = generation;
      generation = await enter(next);
      active = next;
      if (before) await stopJobs(before);
      logger.info('reloaded', { version, jobs: enabledJobs(next).join(',') });
    },
    async stop() {
      logger.info('stopping');
      ready = false;
      await listeners.closeAll();
      if (generation) await stopJobs(generation);
      logger.info('stopped');
    },
  };
}

function enabledJobs(config: Config): readonly string[] {
  return jobs
    .map(({ section }) => section)
    .filter((sectionName) => config.jobs[sectionName] !== undefined);
}

function unsupportedReload(): Promise<ReloadResult> {
  const problem = {
    code: 'reload-unsupported',
    message: 'this daemon has no configuration file',
    fix: 'Restart it.',
  };
  return Promise.resolve({ at: new Date().toISOString(), problems: [problem] });
}

/** Returns the ports of the jobs, and the control socket. */
function portsOf(
  config: Config,
  services: readonly Service[],
  controls: ControlHandlers,
  logger: Log,
): readonly StreamPort[] {
  const socket = controlSocket(config);
  return [
    ...services.flatMap((service) => service.ports ?? []),
    ...(socket === undefined ? [] : [controlPort(socket, controls, logger)]),
  ];
}

async function startJobs(
  config: Config,
  logger: Log,
  { stores, ...options }: JobContextOptions & { readonly stores: SharedStore },
): Promise<Generation> {
  const jobContext = await openJobContext(config, logger, stores, options);
  const services: Service[] = [];
  try {
    for (const job of jobs) {
      const settings = config.jobs[job.section];
      if (settings === undefined) continue;
      const code = await job.load();
      for (const tableSet of (await code.tables?.(settings)) ?? [])
        await migrateWhenFree(jobContext.store, tableSet);
      services.push(await code.start(settings, jobContext));
    }
    return { jobContext, services };
  } catch (error) {
    await stopJobs({ jobContext, services });
    throw error;
  }
}

async function stopJobs({ jobContext, services }: Generation): Promise<void> {
  await Promise.all(services.map(async (service) => service.stop?.()));
  await jobContext.close();
}

/**
 * Maximum number of connections to the plain HTTP port: a CA validates from a few
 * addresses at once.
 */
const PLAIN_CONNECTIONS = 100;
/**
 * Limits of the metrics port. A monitor sends its short request at once, so the port may
 * soon close a slow connection to admit it.
 */
const METRICS_LIMITS = { connections: 32, patienceMs: 1000 };

function wantedBy(
  { web, metrics }: Config,
  {
    services,
    ports,
  }: { readonly services: readonly Service[]; readonly ports: readonly StreamPort[] },
  daemonState: DaemonState,
  log: Log,
): readonly Wanted[] {
  const sites = services.flatMap((service) => service.sites ?? []);
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
    sites: services.flatMap((service) => service.plainSites ?? []),
    log,
    limits: { connections: PLAIN_CONNECTIONS },
  };
  const scraped = { sites: [metricsSite(daemonState)], log, limits: METRICS_LIMITS };
  return [
    ...ports.flatMap(({ what, listen, ...settings }) =>
      listen.map((address) => wanted(what, address, settings, listenStream)),
    ),
    ...services
      .flatMap(({ datagramPorts = [] }) => datagramPorts)
      .flatMap(({ what, listen, ...settings }) =>
        listen.map((address) =>
          wanted(what, address, { ...settings, limits: { connections: 1 } }, listenDatagrams),
        ),
      ),
    ...(web && secure
      ? web.listen.map((address) => wanted('web', address, secure, listenWeb))
      : []),
    ...services
      .flatMap(({ httpPorts = [] }) => httpPorts)
      .flatMap(({ what, listen, limits, sites: own }) =>
        listen.map((address) => wanted(what, address, { sites: own, limits, log }, listenWeb)),
      ),
    ...(web?.http ?? []).map((address) => wanted('http', address, plain, listenWeb)),
    ...(metrics?.listen ?? []).map((address) => wanted('metrics', address, scraped, listenWeb)),
  ];
}

function certificates(
  loaded: readonly ServerCertificate[],
  sites: readonly SharedPortSite[],
): (serverName: string) => SecureContext | undefined {
  return (serverName) => {
    const own = sites
      .map((site) => site.certificateFor?.(serverName))
      .find((context) => context !== undefined);
    if (own === 'refuse')
      return loaded.find((certificate) => certificate.covers(serverName))?.context;
    return (
      own ?? (loaded.find((certificate) => certificate.covers(serverName)) ?? loaded[0])?.context
    );
  };
}

/**
 * Returns a getter for the tls-alpn-01 lookup by server name. The getter returns
 * undefined while no site has a pending challenge.
 */
function challenges(sites: readonly SharedPortSite[]): NonNullable<WebSettings['challengeFor']> {
  return () => {
    const open = sites.flatMap((site) => site.challengeFor?.() ?? []);
    return open.length === 0
      ? undefined
      : (serverName) =>
          open.map((answer) => answer(serverName)).find((context) => context !== undefined);
  };
}

/** The functions whose results the metrics port serves. */
interface DaemonState {
  scrape(): readonly Metric[];
  /** Returns `ok`, or a line for each job that is degraded. */
  health(): string;
  /** Returns whether every job has started and every port is open. */
  ready(): boolean;
}

const METRICS_PATHS = ['/metrics', '/health', '/ready'];

function metricsSite({ scrape, health, ready }: DaemonState): SharedPortSite {
  return {
    serves: (_host, path) => METRICS_PATHS.includes(path),
    // The handler returns no `Response`, because the first `Response` loads fetch, which
    // takes 4 MiB.
    async answer(method, _host, path) {
      if (method !== 'GET' && method !== 'HEAD') {
        const refusal = plainText(405, 'method not allowed\n');
        return { ...refusal, headers: { ...refusal.headers, allow: 'GET, HEAD' } };
      }
      switch (path) {
        case '/health':
          return plainText(200, health());
        case '/ready':
          return ready() ? plainText(200, 'ready\n') : plainText(503, 'not ready\n');
        default: {
          const { formatMetrics } = await import('../prometheus.js');
          return plainText(200, await formatMetrics(scrape()), PROMETHEUS_TYPE);
        }
      }
    },
    handle: () => new Response(undefined, { status: 404 }),
  };
}

const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function plainText(status: number, body: string, type = 'text/plain; charset=utf-8'): PlainAnswer {
  return { status, headers: { 'content-type': type }, body };
}

function portMetrics({ all }: ListenerSet): readonly Metric[] {
  return [
    labelled('connections_open', 'gauge', 'Open connections.', {
      label: 'port',
      values: all.map(({ what, listener }) => [what, listener.open]),
    }),
    labelled('connections_total', 'counter', 'Connections taken.', {
      label: 'port',
      values: all.map(({ what, listener }) => [what, listener.accepted]),
    }),
    labelled(
      'connections_refused_total',
      'counter',
      'Connections refused because the limit was reached.',
      {
        label: 'port',
        values: all.map(({ what, listener }) => [what, listener.refused]),
      },
    ),
  ];
}
