import { readdirSync } from 'node:fs';
import type { DaemonStatus } from '../../server/index.js';
import type { Machine } from '../setup/machine.js';
import { importance, type InstallationFault } from './fault.js';

/** Facts about the systemd unit and the process of the daemon. */
export interface ServiceState {
  /** Lines of drop-ins that weaken the unit of the package, with their file. */
  readonly weakened: readonly { readonly file: string; readonly line: string }[];
  /** The answer of `systemctl is-enabled`; undefined if systemd does not answer. */
  readonly enabled: string | undefined;
  /** The user id of the running daemon; undefined if it is unknown. */
  readonly uid: number | undefined;
  /** The user `hermetic` exists. */
  readonly hasUser: boolean;
  /** The limit of open files of the running daemon. */
  readonly openFiles: number | undefined;
  /** Addresses of the metrics port. */
  readonly metrics: readonly string[];
}

/** Drop-ins for the unit of the package. */
const DROP_INS = '/etc/systemd/system/hermetic.service.d';
/** Settings of the sandbox, and values that switch it off or run the daemon as root. */
const weakening =
  /^(?:User=(?:root|0)|DynamicUser=|(?:NoNewPrivileges|Protect\w+|Private\w+|Restrict\w+|LockPersonality)=(?:no|false|off|0|)|(?:SystemCallFilter|CapabilityBoundingSet|AmbientCapabilities)=(?:|.*CAP_SYS_ADMIN.*))$/i;
/**
 * Minimum limit of open files: with a lower limit, the connections to one busy port leave
 * no files for the other ports. The unit sets 65,536.
 */
const MIN_OPEN_FILES = 1024;

/**
 * Returns the facts about the unit and the process. `status`: undefined while no daemon
 * answers.
 */
export function readService(machine: Machine, status: DaemonStatus | undefined): ServiceState {
  const own = (name: string): string =>
    (status && machine.read(`/proc/${status.pid}/${name}`)) ?? '';
  const [, uid] = /^Uid:\s+(\d+)/m.exec(own('status')) ?? [];
  const [, openFiles] = /^Max open files +(\d+)/m.exec(own('limits')) ?? [];
  const { out } = machine.run(['systemctl', 'is-enabled', 'hermetic.service']);
  return {
    weakened: dropIns(machine).flatMap((file) =>
      (machine.read(file) ?? '')
        .split('\n')
        .map((line) => line.trim().replace(/\s*=\s*/, '='))
        .filter((line) => weakening.test(line))
        .map((line) => ({ file, line })),
    ),
    enabled: out.trim() || undefined,
    uid: uid === undefined ? undefined : Number(uid),
    hasUser: /^hermetic:/m.test(machine.read('/etc/passwd') ?? ''),
    openFiles: openFiles === undefined ? undefined : Number(openFiles),
    metrics: (status?.listening ?? []).filter(({ what }) => what === 'metrics').map(({ at }) => at),
  };
}

function dropIns(machine: Machine): readonly string[] {
  try {
    return readdirSync(machine.path(DROP_INS))
      .filter((name) => name.endsWith('.conf'))
      .map((name) => `${DROP_INS}/${name}`);
  } catch {
    return [];
  }
}

/** Returns the faults of the unit and the process. */
export function examineService(state: ServiceState): readonly InstallationFault[] {
  const { weakened, enabled, uid, hasUser, openFiles, metrics } = state;
  const faults: InstallationFault[] = weakened.map(({ file, line }) => ({
    id: 'unit-weakened',
    importance: importance.protectionLost,
    message: `${file}: ${line} removes a part of the sandbox`,
    fix: 'Remove the line, then run: systemctl daemon-reload && systemctl restart hermetic',
  }));
  if (enabled === 'disabled' || enabled === 'masked')
    faults.push({
      id: 'unit-disabled',
      importance: importance.mailDeferred,
      message: `the unit is ${enabled}, so the daemon does not run after the next boot`,
      fix: `Run: ${enabled === 'masked' ? 'systemctl unmask hermetic && ' : ''}systemctl enable hermetic`,
    });
  if (uid === 0 && hasUser)
    faults.push({
      id: 'daemon-as-root',
      importance: importance.protectionLost,
      message: 'the daemon runs as root, although the user hermetic exists',
      fix: 'Stop it, run: chown -R hermetic:hermetic /var/lib/hermetic, then: systemctl start hermetic',
    });
  if (openFiles !== undefined && openFiles < MIN_OPEN_FILES)
    faults.push({
      id: 'open-files-few',
      importance: importance.dataLost,
      message: `the daemon may open only ${openFiles} files, so it refuses connections early`,
      fix: 'Set LimitNOFILE=65536 (systemctl edit hermetic), then restart it.',
    });
  for (const at of metrics.filter((address) => /^(0\.0\.0\.0|\[::\]):/.test(address)))
    faults.push({
      id: 'metrics-public',
      importance: importance.advice,
      message: `the metrics listen at ${at}: every host that reaches this address can read your domain names`,
      fix: 'Set metrics.listen to 127.0.0.1 or an internal address, or close the port in the firewall.',
    });
  return faults;
}
