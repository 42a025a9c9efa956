import { formatTime } from '../../base/index.js';
import type { DaemonStatus } from '../../server/index.js';
import { importance, type InstallationFault } from './fault.js';

/** Facts about the machine and the daemon. */
export interface SystemState {
  /** Undefined while no daemon answers; `reason` contains the cause. */
  readonly status: DaemonStatus | undefined;
  readonly unreachable: string | undefined;
  readonly installedVersion: string;
  readonly nodeVersion: string;
  /** Files that only the daemon and root should read, with their mode and owner. */
  readonly secrets: readonly {
    readonly path: string;
    readonly mode: number;
    readonly readable: boolean;
  }[];
  /** Configuration files that the user of the daemon cannot read. */
  readonly unreadable: readonly string[];
  readonly formerConfig: boolean;
  /** Milliseconds since 1970 of the newest configuration file. */
  readonly configChanged: number;
  readonly freeBytes: number | undefined;
  /** Files that can still be created; undefined if the file system has no limit. */
  readonly freeFiles: number | undefined;
  /** False: the system clock is not synchronised; undefined: unknown. */
  readonly clockSynchronised: boolean | undefined;
  /** Seconds by which the clock is behind the newest file of the installation. */
  readonly clockBehind: number;
  readonly certificates: readonly {
    readonly path: string;
    /** Milliseconds since 1970. */
    readonly notBefore: number;
    readonly notAfter: number;
    /** A host that presents the certificate and is not named in it. */
    readonly unnamedHost?: string | undefined;
  }[];
  readonly observe: boolean;
  readonly endedExemptions: readonly string[];
  /** The folder of the daemon and its files that belong to another user. */
  readonly foreignFiles: readonly string[];
  /** Permission bits of the folder of the daemon. */
  readonly stateMode: number | undefined;
  /** Configuration files that every user of this machine can change. */
  readonly writable: readonly string[];
  /** A unit in /etc replaces the unit of the package. */
  readonly hasOwnUnit: boolean;
  /** Programs of `tokenCommand` that the user of the daemon cannot run. */
  readonly lostCommands: readonly string[];
  /** The section `watch` names no receiver of alarms. */
  readonly isWatchMute: boolean;
  readonly now: number;
}

const MEGABYTE = 1_000_000;
const DAY = 86_400_000;
const MIN_FREE = 100 * MEGABYTE;
const MIN_FILES = 100;

/** Returns the faults of the machine and the daemon. */
export function examineSystem(state: SystemState): readonly InstallationFault[] {
  return [
    ...examineDaemon(state),
    ...examineFiles(state),
    ...examineResources(state),
    ...examineChoices(state),
  ];
}

function examineDaemon(state: SystemState): readonly InstallationFault[] {
  const { status, unreachable, installedVersion, configChanged } = state;
  if (!status)
    return [
      {
        id: 'daemon-down',
        importance: importance.mailDeferred,
        message: unreachable ?? 'the daemon does not answer',
        fix: 'Start it: systemctl start hermetic. Read its log: journalctl -u hermetic',
      },
    ];
  const faults: InstallationFault[] = [];
  for (const { job, code, subject } of status.degraded)
    faults.push({
      id: 'job-degraded',
      importance: importance.dataLost,
      message: `the job ${job} works with reduced function (${[code, subject].join(' ').trimEnd()})`,
      fix: `Read: hermetic explain ${code}`,
    });
  if (status.version !== installedVersion)
    faults.push({
      id: 'daemon-is-old',
      importance: importance.advice,
      message: `the daemon runs version ${status.version}, and ${installedVersion} is installed`,
      fix: 'Restart it: systemctl restart hermetic',
    });
  const { lastReload, startedAt } = status;
  const [refused] = lastReload?.problems ?? [];
  const loadedAt = Date.parse(lastReload?.at ?? startedAt);
  if (refused)
    faults.push({
      id: 'reload-refused',
      importance: importance.mailDeferred,
      message: `the daemon refused the last reload, so a restart would fail: ${refused.message}`,
      fix: refused.fix || 'Correct the configuration, then run: hermetic reload',
    });
  else if (configChanged > loadedAt)
    faults.push({
      id: 'config-not-loaded',
      importance: importance.advice,
      message: 'a configuration file changed after the daemon read it',
      fix: 'Run: hermetic reload',
    });
  return faults;
}

function examineFiles(state: SystemState): readonly InstallationFault[] {
  const { secrets, unreadable, writable, formerConfig, foreignFiles, stateMode } = state;
  const { hasOwnUnit, lostCommands } = state;
  const faults: InstallationFault[] = [];
  for (const path of unreadable)
    faults.push({
      id: 'config-unreadable',
      importance: importance.mailDeferred,
      message: `${path}: the user of the daemon cannot read it, so a restart would fail`,
      fix: `Run: chgrp hermetic ${path} && chmod g+r ${path}`,
    });
  for (const { path, mode, readable } of secrets) {
    if ((mode & 0o007) !== 0)
      faults.push({
        id: 'secret-exposed',
        importance: importance.protectionLost,
        message: `${path}: every user of this machine can read this secret`,
        fix: `Run: chmod o= ${path}`,
      });
    else if (!readable)
      faults.push({
        id: 'secret-unreadable',
        importance: importance.mailDeferred,
        message: `${path}: the user of the daemon cannot read this secret`,
        fix: `Run: chgrp hermetic ${path} && chmod g+r ${path}`,
      });
  }
  for (const path of writable)
    faults.push({
      id: 'config-writable',
      importance: importance.protectionLost,
      message: `${path}: every user of this machine can change the configuration`,
      fix: `Run: chmod o-w ${path}`,
    });
  for (const path of foreignFiles)
    faults.push({
      id: 'state-owner',
      importance: importance.mailDeferred,
      message: `${path} does not belong to the user of the daemon`,
      fix: 'Run: chown -R hermetic:hermetic /var/lib/hermetic',
    });
  if (stateMode !== undefined && (stateMode & 0o007) !== 0)
    faults.push({
      id: 'state-exposed',
      importance: importance.protectionLost,
      message: '/var/lib/hermetic: every user of this machine can enter the folder of the keys',
      fix: 'Run: chmod o= /var/lib/hermetic',
    });
  faults.push(...examineCertificates(state));
  for (const path of lostCommands)
    faults.push({
      id: 'token-command-unusable',
      importance: importance.dataLost,
      message: `${path}: the user of the daemon cannot run this tokenCommand, so a mailbox is not read`,
      fix: `Check the path, then run: chgrp hermetic ${path} && chmod g+rx ${path}`,
    });
  if (hasOwnUnit)
    faults.push({
      id: 'unit-replaced',
      importance: importance.protectionLost,
      message:
        '/etc/systemd/system/hermetic.service replaces the unit of the package and its sandbox',
      fix: 'Remove it, then run: systemctl daemon-reload. For changes use: systemctl edit hermetic',
    });
  if (formerConfig)
    faults.push({
      id: 'former-config',
      importance: importance.advice,
      message: '/etc/hermetic.yaml exists, and the daemon does not read it',
      fix: 'Move its sections to /etc/hermetic/conf.d, and remove it.',
    });
  return faults;
}

function examineCertificates({ certificates, now }: SystemState): readonly InstallationFault[] {
  const faults: InstallationFault[] = [];
  for (const { path, notBefore, notAfter, unnamedHost } of certificates) {
    if (notBefore > now)
      faults.push({
        id: 'certificate-not-yet-valid',
        importance: importance.protectionLost,
        message: `${path}: the certificate is valid only from ${formatTime(notBefore)}`,
        fix: 'Set the clock (timedatectl), or use the former certificate until then.',
      });
    if (unnamedHost !== undefined)
      faults.push({
        id: 'certificate-without-host',
        importance: importance.protectionLost,
        message: `${path}: the certificate does not name ${unnamedHost}, which presents it`,
        fix: `Obtain a certificate for ${unnamedHost}, then run: hermetic reload`,
      });
    const left = Math.floor((notAfter - now) / DAY);
    if (left < 7)
      faults.push({
        id: left < 0 ? 'certificate-expired' : 'certificate-expires',
        importance: left < 0 ? importance.protectionLost : importance.dataLost,
        message: `${path}: the certificate ${left < 0 ? `expired ${days(-left)} ago` : `expires in ${days(left)}`}`,
        fix: 'Renew it, then run: hermetic reload',
      });
  }
  return faults;
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}

function examineResources(state: SystemState): readonly InstallationFault[] {
  const { freeBytes, freeFiles, clockSynchronised, clockBehind, nodeVersion } = state;
  const faults: InstallationFault[] = [];
  if (freeBytes !== undefined && freeBytes < MIN_FREE)
    faults.push({
      id: 'disk-full',
      importance: importance.dataLost,
      message: `the disk of /var/lib/hermetic has ${Math.floor(freeBytes / MEGABYTE)} MB left`,
      fix: 'Free space: the daemon cannot save policies and reports.',
    });
  if (freeFiles !== undefined && freeFiles < MIN_FILES)
    faults.push({
      id: 'disk-without-inodes',
      importance: importance.dataLost,
      message: `the disk of /var/lib/hermetic has room for ${freeFiles} more files`,
      fix: 'Remove files: df -i shows the file systems. The daemon cannot create its files.',
    });
  if (clockBehind > 300)
    faults.push({
      id: 'clock-wrong',
      importance: importance.mailDeferred,
      message: `the clock is ${Math.round(clockBehind)} seconds slow or more: the validation of DNSSEC and certificates fails`,
      fix: 'Set the clock: timedatectl set-ntp true',
    });
  else if (clockSynchronised === false)
    faults.push({
      id: 'clock-free',
      importance: importance.advice,
      message: 'no time service synchronises the clock',
      fix: 'Run: timedatectl set-ntp true',
    });
  if (Number(nodeVersion.split('.')[0]) < 22)
    faults.push({
      id: 'node-end-of-life',
      importance: importance.advice,
      message: `the Node.js project no longer maintains Node.js ${nodeVersion}`,
      fix: 'Install Node.js 24 or later.',
    });
  return faults;
}

function examineChoices(state: SystemState): readonly InstallationFault[] {
  const { observe, endedExemptions, isWatchMute } = state;
  const faults: InstallationFault[] = endedExemptions.map((domain) => ({
    id: 'exemption-ended',
    importance: importance.advice,
    message: `the exemption of ${domain} has ended, and its policy is enforced again`,
    fix: 'Remove it from policy.exemptions.',
  }));
  if (isWatchMute)
    faults.push({
      id: 'watch-without-receiver',
      importance: importance.advice,
      message: 'watch.notify names no receiver, so alarms appear only in the log',
      fix: 'Set watch.notify.mail or watch.notify.webhook, then run: hermetic reload',
    });
  if (observe)
    faults.push({
      id: 'observe-mode',
      importance: importance.advice,
      message: 'policy.observe is on, so the daemon enforces no policy',
      fix: 'Once the log shows no unexpected deferral, remove policy.observe and run: hermetic reload',
    });
  return faults;
}
