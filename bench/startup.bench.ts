import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DAEMON_PROMISE,
  daemonConfigs,
  installProgram,
  measureDaemon,
  type DaemonUsage,
} from './daemon-start.js';
import { median } from './median.js';
import { writeResults } from './results-file.js';

/**
 * Limits: `--help` relative to Node with only commander, in wall-clock time and memory;
 * CPU seconds of a check in the lab; files that `--help` opens.
 */
const LIMITS = { time: 1.6, memory: 1.5, checkCpu: 1.0, files: 80 };
const ROUNDS = 15;
const DAEMON_ROUNDS = 3;
const MAIN = 'dist/src/cli/main.js';

interface Usage {
  /** Seconds of wall-clock time. */
  readonly wall: number;
  /** Seconds of CPU time. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
}

const commands = {
  commander: ['--input-type=module', '-e', 'await import("commander");'],
  help: [MAIN, '--help'],
  check: [MAIN, 'check', '--lab', 'good.example'],
} as const;

/**
 * `npm run bench -- startup [--write]`: measures the start of the command line and of the
 * daemon. The commands run alternately, so that the load of the machine affects all of
 * them alike.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const runs = { commander: [] as Usage[], help: [] as Usage[], check: [] as Usage[] };
  const names = Object.keys(commands) as (keyof typeof commands)[];
  for (let round = 0; round < ROUNDS; round++)
    for (const name of names) runs[name].push(measure(commands[name]));
  const middle = (name: keyof typeof commands, of: keyof Usage): number =>
    median(runs[name].map((usage) => usage[of]));
  const time = middle('help', 'wall') / middle('commander', 'wall');
  const memory = middle('help', 'memory') / middle('commander', 'memory');
  const cpu = middle('check', 'cpu');
  const files = openedFiles(commands.help);
  const isReached =
    time <= LIMITS.time &&
    memory <= LIMITS.memory &&
    cpu <= LIMITS.checkCpu &&
    (files ?? 0) <= LIMITS.files;
  if (!isReached) process.exitCode = 1;
  const row = (label: string, name: keyof typeof commands): string =>
    `| ${label} | ${(1000 * middle(name, 'wall')).toFixed(0)} | ${(1000 * middle(name, 'cpu')).toFixed(0)} | ${middle(name, 'memory').toFixed(0)} |`;
  const daemons = await benchDaemons();
  if (!daemons.isReached) process.exitCode = 1;
  const text = [
    `Medians of ${ROUNDS} alternating rounds, one process each.`,
    '',
    '| command | wall-clock ms | CPU ms | MiB |',
    '| --- | ---: | ---: | ---: |',
    row('`node` with commander alone', 'commander'),
    row('`hermetic --help`', 'help'),
    row('`hermetic check --lab good.example`', 'check'),
    '',
    `- \`--help\` takes ${time.toFixed(2)} of the time (at most ${LIMITS.time}) and ${memory.toFixed(2)} of the memory (at most ${LIMITS.memory}) of commander alone`,
    `- the check takes ${cpu.toFixed(2)} s of CPU (at most ${LIMITS.checkCpu.toFixed(1)})`,
    `- \`--help\` opens ${files ?? 'an unknown number of'} JavaScript files (at most ${LIMITS.files})${isReached ? '' : '; **not all is reached**'}`,
    '',
    daemons.text,
  ].join('\n');
  console.log(text);
  if (args.includes('--write')) writeResults('startup: `npm run bench -- startup`', text);
}

/** Starts the daemon of a package with each configuration alternately. */
async function benchDaemons(): Promise<{ readonly isReached: boolean; readonly text: string }> {
  const runs = new Map<string, DaemonUsage[]>();
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-program-'));
  try {
    const program = installProgram(folder);
    for (let round = 0; round < DAEMON_ROUNDS; round++)
      for (const [name, configOf] of Object.entries(daemonConfigs))
        runs.set(name, [...(runs.get(name) ?? []), await measureDaemon(program, configOf)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const rows = [...runs].map(([name, usages]) => {
    const middle = (of: keyof DaemonUsage): number => median(usages.map((usage) => usage[of]));
    return {
      name,
      wall: middle('wall'),
      cpu: middle('cpu'),
      own: middle('own'),
      memory: middle('memory'),
      scraped: middle('scraped'),
    };
  });
  const isReached = rows.every(
    ({ cpu, scraped }) => cpu <= DAEMON_PROMISE.cpu && scraped <= DAEMON_PROMISE.memory,
  );
  const text = [
    `The daemon of the archive, medians of ${DAEMON_ROUNDS} alternating starts until every port is open. It is idle three seconds later. MB are 10^6 octets of resident memory. "Own" leaves out the pages of files, such as Node's program file, which processes share:`,
    '',
    '| jobs | wall-clock ms | CPU ms | idle MB | own MB | scraped MB |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map(
      ({ name, wall, cpu, memory, own, scraped }) =>
        `| ${name} | ${(1000 * wall).toFixed(0)} | ${(1000 * cpu).toFixed(0)} | ${memory.toFixed(1)} | ${own.toFixed(1)} | ${scraped.toFixed(1)} |`,
    ),
    '',
    `- at most ${DAEMON_PROMISE.cpu} s of CPU and ${DAEMON_PROMISE.memory} MB, also after a scrape, for every row: ${isReached ? 'reached' : '**not reached**'}`,
  ].join('\n');
  return { isReached, text };
}

/** Runs Node in a shell that reports its usage by `wait4`, as GNU time prints it. */
function measure(args: readonly string[]): Usage {
  const began = performance.now();
  const { stderr } = spawnSync('/usr/bin/time', ['-f', '%U %S %M', process.execPath, ...args], {
    encoding: 'utf8',
  });
  const wall = (performance.now() - began) / 1000;
  const [user = NaN, system = NaN, kibibytes = NaN] = (stderr.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number);
  return { wall, cpu: user + system, memory: kibibytes / 1024 };
}

/**
 * Returns the number of JavaScript files that a command opens; undefined if strace is
 * missing.
 */
function openedFiles(args: readonly string[]): number | undefined {
  if (!existsSync('/usr/bin/strace')) return undefined;
  const { stderr } = spawnSync(
    '/usr/bin/strace',
    ['-f', '-e', 'trace=openat,open', process.execPath, ...args],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  return new Set([...stderr.matchAll(/"([^"]+\.[cm]?js)"/g)].map(([, file]) => file)).size;
}
