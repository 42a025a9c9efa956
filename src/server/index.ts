/**
 * One daemon for every job that has to be there all the time: configuration, listeners
 * with limits, the web port shared by SNI and Host, secrets, reload, metrics, logs. Jobs
 * export handlers; only this part listens. What a job plugs in is in `service.ts`.
 *
 * @example const config = parseConfig('metrics: {listen: 9461}'); if (config.ok) await
 * startDaemon(config.value, createLog({ format: 'plain', write: (line) =>
 * process.stdout.write(line), now: Date.now }));
 */
export { startDaemon, type Daemon } from './daemon.js';
export { openHouse, type OpenJobContext } from './job-context.js';
export { checkStart } from './check-start.js';
export { openHouseToRead } from './house-to-read.js';
export { openPublishing, publishSettings, type Publishing } from './publishing.js';
export { parseConfig, type Config } from './config/config.js';
export type { ConfigProblem } from './config/load-config.js';
export {
  parseListenAddress,
  formatListenAddress,
  type ListenAddress,
} from './config/listen-address.js';
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
