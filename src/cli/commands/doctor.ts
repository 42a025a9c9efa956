import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { isHermeticError } from '../../base/index.js';
import { nodeNetwork } from '../../net/index.js';
import { probeResolver } from '../../send/index.js';
import type { Config, DaemonStatus } from '../../server/index.js';
import { DEFAULT_CONFIG, describeProblem, readConfigSources } from '../config-files.js';
import { askDaemon, DEFAULT_SOCKET } from '../control-client.js';
import { examinePostfix, type PostfixState } from '../doctor/examine-postfix.js';
import { examineSystem, type SystemState } from '../doctor/examine-system.js';
import { examineService, readService } from '../doctor/examine-service.js';
import { importance, type InstallationFault } from '../doctor/fault.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { fitMessage, formatJson, type CommandContext } from '../output.js';
import { nodeMachine, type Machine } from '../setup/machine.js';
import { NEEDED_SETTINGS, readPostfixFacts } from '../setup/postfix-facts.js';
import { packageVersion } from '../version.js';

interface DoctorFlags {
  readonly config: string;
  readonly socket: string;
  readonly root?: string;
  readonly json?: boolean;
}

/**
 * Defines `hermetic doctor`, which examines the installation, and reports every fault
 * with its fix.
 */
export function defineDoctor(command: Command, context: CommandContext): void {
  command
    .option('--config <file>', 'configuration', DEFAULT_CONFIG)
    .option('--socket <path>', 'control socket of the daemon', DEFAULT_SOCKET)
    .option('--root <folder>', 'examine the system in this folder')
    .option('--json', 'print the faults as JSON lines')
    .action(async (flags: DoctorFlags) => {
      const faults = await examine(flags);
      const { messageWidth } = context.output;
      for (const fault of faults)
        context.output.out(
          flags.json ? `${formatJson(fault)}\n` : fitMessage(describe(fault), messageWidth),
        );
      if (faults.length === 0 && !flags.json) context.output.out('no fault found\n');
      const isSerious = faults.some((fault) => fault.importance < importance.advice);
      context.finish(isSerious ? exitCodes.fail : exitCodes.good);
    });
  addHelpPage(command, context.output, {
    note: 'Run it as root: other users cannot read the secrets. It changes nothing and contacts only the resolver.',
    exitStatus: [
      [exitCodes.good, 'no fault, or advice only'],
      [exitCodes.fail, 'a fault that defers mail, weakens protection or loses data'],
    ],
    examples: ['hermetic doctor'],
  });
}

function describe({ id, message, fix }: InstallationFault): string {
  return `${message} (${id})\n  ${fix}\n`;
}

async function examine(flags: DoctorFlags): Promise<readonly InstallationFault[]> {
  const machine = nodeMachine(flags.root);
  const { config, faults } = await readConfiguration(flags, machine);
  const daemon = await statusOf(machine.path(flags.socket));
  const found = [
    ...faults,
    ...examineSystem(systemState(flags, machine, { config, ...daemon })),
    ...examineUser(flags),
    ...examineService(readService(machine, daemon.status)),
    ...(await postfixFaults(machine, config, daemon.status)),
  ];
  return found.sort((a, b) => a.importance - b.importance);
}

/**
 * Returns a fault if the user is not root: the other faults may then affect this user
 * alone.
 */
function examineUser({ root }: DoctorFlags): readonly InstallationFault[] {
  if (root !== undefined || process.getuid?.() === 0) return [];
  return [
    {
      id: 'doctor-without-root',
      importance: importance.advice,
      message:
        'this user cannot read all files, so some faults may be missing, and some may affect only this user',
      fix: 'Run: sudo hermetic doctor',
    },
  ];
}

interface Configured {
  readonly config: Config | undefined;
  readonly faults: readonly InstallationFault[];
}

/**
 * Returns the configuration, and every fault that would prevent a daemon from starting
 * with it.
 */
async function readConfiguration(flags: DoctorFlags, machine: Machine): Promise<Configured> {
  const server = await import('../../server/index.js');
  const fault = (message: string, fix: string): InstallationFault => {
    return { id: 'start-would-fail', importance: importance.mailDeferred, message, fix };
  };
  try {
    const parsed = server.parseConfigFiles(readConfigSources(machine.path(flags.config)));
    if (!parsed.ok)
      return {
        config: undefined,
        faults: parsed.failure.map((problem) =>
          fault(describeProblem(problem).message, problem.fix),
        ),
      };
    const log = server.createLog({ format: 'plain', write: () => undefined, now: Date.now });
    const problems = await server.checkStart(parsed.value, log);
    return {
      config: parsed.value,
      faults: problems.map((problem) => fault(problem.message, problem.fix ?? '')),
    };
  } catch (error) {
    if (!isHermeticError(error)) throw error;
    return { config: undefined, faults: [fault(error.message, error.fix ?? '')] };
  }
}

interface DaemonFacts {
  readonly status: DaemonStatus | undefined;
  readonly unreachable: string | undefined;
}

async function statusOf(socket: string): Promise<DaemonFacts> {
  try {
    const answer = await askDaemon(socket, { do: 'status' }, 5000);
    return { status: answer.ok ? answer.status : undefined, unreachable: undefined };
  } catch (error) {
    if (!isHermeticError(error)) throw error;
    return { status: undefined, unreachable: error.message };
  }
}

function systemState(
  flags: DoctorFlags,
  machine: Machine,
  { config, status, unreachable }: DaemonFacts & { readonly config: Config | undefined },
): SystemState {
  const user = userOf(machine);
  const may = (path: string, permission: number): boolean => {
    const facts = machine.facts(path);
    if (!facts || !user) return true;
    const { mode, uid, gid } = facts;
    if (uid === user.uid) return (mode & (permission << 6)) !== 0;
    return (mode & (gid === user.gid ? permission << 3 : permission)) !== 0;
  };
  const canRead = (path: string): boolean => may(path, 4);
  const { report, watch } = (config?.jobs ?? {}) as KnownJobs;
  const smtp = report?.smtp;
  const chains = [
    ...(config?.web?.certificates ?? []),
    ...(smtp?.certificate ? [{ ...smtp.certificate, host: smtp.name }] : []),
  ];
  const files = sourcesOf(machine.path(flags.config));
  const stateFiles = stateFilesOf(config);
  const now = Date.now();
  return {
    status,
    unreachable,
    installedVersion: packageVersion(),
    nodeVersion: process.versions.node,
    secrets: secretsOf(config).flatMap((path) => {
      const facts = machine.facts(path);
      return facts ? [{ path, mode: facts.mode, readable: canRead(path) }] : [];
    }),
    unreadable: files.filter((path) => !canRead(path.slice((flags.root ?? '').length))),
    formerConfig: machine.facts('/etc/hermetic.yaml') !== undefined,
    configChanged: Math.max(0, ...files.map((path) => statSync(path).mtimeMs)),
    freeBytes: machine.freeBytes('/var/lib/hermetic'),
    clockSynchronised: synchronised(machine),
    clockBehind: (newestFile(machine) - now) / 1000,
    freeFiles: machine.freeFiles('/var/lib/hermetic'),
    certificates: chains.flatMap((files) => datesOf(files, machine)),
    observe: config?.policy.observe ?? false,
    endedExemptions: (config?.policy.exemptions ?? [])
      .filter(({ until }) => Date.parse(until) < now)
      .map(({ domain }) => domain),
    foreignFiles: stateFiles.filter((path) => {
      const facts = machine.facts(path);
      return facts !== undefined && user !== undefined && facts.uid !== user.uid;
    }),
    stateMode: machine.facts(STATE_FOLDER)?.mode,
    writable: files
      .map((path) => path.slice((flags.root ?? '').length))
      .filter((path) => ((machine.facts(path)?.mode ?? 0) & 0o002) !== 0),
    hasOwnUnit: ['/usr/lib', '/etc'].every((folder) =>
      machine.facts(`${folder}/systemd/system/hermetic.service`),
    ),
    lostCommands: (report?.mailboxes ?? [])
      .flatMap(({ tokenCommand: [path] = [] }) => path ?? [])
      // The daemon searches its PATH for a program name without a folder.
      .filter((path) => path.startsWith('/') && (!machine.facts(path) || !may(path, 1))),
    isWatchMute: watch !== undefined && Object.keys(watch.notify).length === 0,
    now,
  };
}

/**
 * Returns the time of the last write to the installation: no correct clock shows an
 * earlier time.
 */
function newestFile(machine: Machine): number {
  const files = [
    fileURLToPath(new URL('../../../../package.json', import.meta.url)),
    machine.path('/var/lib/hermetic/hermetic.db'),
  ];
  return Math.max(...files.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0));
}

const STATE_FOLDER = '/var/lib/hermetic';

/** Returns the folder of the daemon, and its database with the log of SQLite. */
function stateFilesOf(config: Config | undefined): readonly string[] {
  const database = config?.store.file ?? `${STATE_FOLDER}/hermetic.db`;
  return [STATE_FOLDER, database, `${database}-wal`, `${database}-shm`];
}

function sourcesOf(config: string): readonly string[] {
  try {
    return readConfigSources(config).map(({ file }) => file);
  } catch {
    return [];
  }
}

/** Returns the user `hermetic`; undefined if it does not exist. */
function userOf(machine: Machine): { readonly uid: number; readonly gid: number } | undefined {
  const line = /^hermetic:[^:]*:(\d+):(\d+):/m.exec(machine.read('/etc/passwd') ?? '');
  return line ? { uid: Number(line[1]), gid: Number(line[2]) } : undefined;
}

/** A chain and its key, as files. */
interface CertificateFiles {
  readonly chain: string;
  readonly key: string;
}

/** The settings of jobs that doctor examines. */
interface KnownJobs {
  readonly publish?: { readonly dns?: Readonly<Record<string, { readonly key?: string }>> };
  readonly report?: {
    readonly smtp?: { readonly name?: string; readonly certificate?: CertificateFiles };
    readonly mailboxes?: readonly {
      readonly password?: string;
      readonly tokenCommand?: readonly string[];
    }[];
  };
  readonly watch?: { readonly notify: object };
}

function certificateOf(report: KnownJobs['report']): readonly CertificateFiles[] {
  const certificate = report?.smtp?.certificate;
  return certificate ? [certificate] : [];
}

function secretsOf(config: Config | undefined): readonly string[] {
  const { publish, report } = (config?.jobs ?? {}) as KnownJobs;
  const certificates = [...(config?.web?.certificates ?? []), ...certificateOf(report)];
  return [
    ...certificates.map(({ key }) => key),
    ...Object.values(publish?.dns ?? {}).flatMap(({ key }) => key ?? []),
    ...(report?.mailboxes ?? []).flatMap(({ password }) => password ?? []),
  ];
}

/** Returns the dates of a certificate. `host`: a host that presents the certificate. */
function datesOf(
  { chain: path, host }: { readonly chain: string; readonly host?: string | undefined },
  machine: Machine,
): SystemState['certificates'] {
  try {
    const certificate = new X509Certificate(machine.read(path) ?? '');
    const { validFrom, validTo } = certificate;
    const isNamed = host === undefined || certificate.checkHost(host) !== undefined;
    const unnamedHost = isNamed ? undefined : host;
    return [{ path, notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo), unnamedHost }];
  } catch {
    // The startup check reports a file that is not a certificate.
    return [];
  }
}

function synchronised(machine: Machine): boolean | undefined {
  const { status, out } = machine.run(['timedatectl', 'show', '-p', 'NTPSynchronized', '--value']);
  return status === 0 ? out.trim() === 'yes' : undefined;
}

async function postfixFaults(
  machine: Machine,
  config: Config | undefined,
  status: DaemonStatus | undefined,
): Promise<readonly InstallationFault[]> {
  const section = config?.jobs['postfix'] as
    | {
        readonly version: string;
        readonly resolver: { readonly file: string; readonly trustRemote: boolean };
      }
    | undefined;
  try {
    const postfix = readPostfixFacts(machine);
    const settings = Object.fromEntries(
      [...Object.keys(NEEDED_SETTINGS), 'relayhost'].map((name) => [name, postfix.setting(name)]),
    );
    const state: PostfixState = {
      ...postfix,
      settings,
      hasRoots: machine.facts(settings['smtp_tls_CAfile'] || '/nonexistent') !== undefined,
      resolvConfs: [machine.read('/etc/resolv.conf') ?? '', machine.read(postfix.resolvConf) ?? ''],
      probe: await probeResolver({
        network: nodeNetwork(),
        resolvConf: machine.path(postfix.resolvConf),
        trustRemote: section?.resolver.trustRemote ?? false,
      }),
      section: section && { version: section.version, resolverFile: section.resolver.file },
    };
    return examinePostfix(state, status);
  } catch (error) {
    if (!isHermeticError(error)) throw error;
    const { code, message, fix = '' } = error;
    // A machine without Postfix may only publish policies or receive reports.
    if (code === 'postfix-absent' && !section) return [];
    return [{ id: code, importance: importance.mailDeferred, message, fix }];
  }
}
