/**
 * One daemon for every job that has to be there all the time: configuration, listeners
 * with limits, the web port shared by SNI and Host, secrets, reload, metrics, logs. Jobs
 * export handlers; only this part listens. What a job plugs in is in `service.ts`.
 *
 * @example const config = parseConfig('metrics: {listen: 9461}'); if (config.ok) await
 * startDaemon(config.value, createLog({ format: 'plain', write: (line) =>
 * process.stdout.write(line), now: Date.now }));
 */
export { startDaemon, type Daemon, type DaemonOptions } from './daemon/daemon.js';
export type {
  ControlAnswer,
  ControlRequest,
  DaemonStatus,
  ReloadProblem,
  ReloadResult,
} from './control/control-port.js';
export { openHouse, type OpenJobContext } from './daemon/job-context.js';
export { checkStart } from './daemon/check-start.js';
export { openHouseToRead } from './daemon/read-only-context.js';
export { openPublishing, publishSettings, type Publishing } from './publisher.js';
export { parseConfig, parseConfigFiles, type Config } from './config/config.js';
export type { ConfigProblem, ConfigSource } from './config/merged-files.js';
export { parseListenAddress, formatListenAddress, type ListenAddress } from './listen-address.js';
export { createLog, type Log, type Level } from './log.js';
export type { Metric, Sample } from './metrics.js';
export type {
  JobContext,
  Job,
  PortLimits,
  Service,
  Site,
  StreamPort,
  WebHandler,
} from './service.js';
export { keepHeapSmall } from './keep-heap-small.js';
