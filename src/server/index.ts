/**
 * The daemon: one process for all work that runs permanently.
 *
 * A protected domain needs several services at once: an HTTPS host for the MTA-STS policy
 * (RFC 8461 §3.3), rollovers of TLSA records and certificates, and an inbox for TLS
 * reports (RFC 8460). A sending server also needs a socketmap with the requirements of
 * each recipient domain. All these services use the same resolver, trust store, policy
 * cache and database, so they run in one process.
 *
 * Each service is a job (`jobs/`): a section of `hermetic.yaml`, a zod schema and a start
 * function that returns sites, ports and metrics. The daemon supplies the rest:
 *
 * - `config/`: parses the sections. The error for an unknown key names the closest known
 *   key, since a typo must never disable a protection.
 * - `listeners/`: the only code that opens ports. Limits apply to every port:
 *   connections, idle time, header and body size. The web port serves many names, which
 *   SNI and Host select.
 * - `daemon/`: start, reload and stop. A reload opens new listeners before it closes old
 *   ones. If a configuration cannot start, the old one stays in force.
 * - `control/`: the local socket for `hermetic status` and `hermetic reload`.
 *
 * Jobs open no sockets and parse no configuration. They connect the parts that implement
 * the protocols (`publish`, `send`, `tls-rpt-receive`, `tls-rpt-send`).
 *
 * @example
 * ```ts
 * const config = parseConfig('metrics: {listen: 9461}');
 * const write = (line: string) => process.stdout.write(line);
 * const log = createLog({ format: 'plain', write, now: Date.now });
 * if (config.ok) await startDaemon(config.value, log);
 * ```
 */
export { startDaemon, type Daemon, type DaemonOptions } from './daemon/daemon.js';
export type {
  ControlAnswer,
  ControlRequest,
  DaemonStatus,
  ReloadProblem,
  ReloadResult,
} from './control/control-port.js';
export { customerDomains } from './jobs/customer-domains.js';
export { openJobContext, type OpenJobContext } from './daemon/job-context.js';
export {
  checkStart,
  openReadOnlyContext,
  openPublishing,
  openSenderSite,
  publishSettings,
  senderTestSettings,
} from './daemon/on-demand.js';
export type { AccountBinding, Publishing } from './publisher.js';
export { configJsonSchema, parseConfig, parseConfigFiles, type Config } from './config/config.js';
export type { ConfigProblem, ConfigSource } from './config/merged-files.js';
export { parseListenAddress, formatListenAddress, type ListenAddress } from './listen-address.js';
export { obtainMailboxSecret, type MailboxSecretSource } from './mailbox-secret.js';
export { createLog, type Log, type Level } from './log.js';
export type { Metric, Sample } from './metrics.js';
export type {
  JobContext,
  Job,
  JobCode,
  PortLimits,
  Service,
  SharedPortSite,
  StreamPort,
  WebHandler,
} from './service.js';
