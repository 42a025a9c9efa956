import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inOuterNetwork } from './own-network.js';

/** The Debian release after the one that runs the tests: newer servers, unpacked. */
export const NEXT_RELEASE = 'trixie';

/**
 * Installs Debian packages, each identified by one of its programs. Installed packages
 * stay unchanged. Needs root if a package is missing.
 */
export function installPackages(needed: Readonly<Record<string, string>>): void {
  const missing = Object.entries(needed).flatMap(([program, name]) =>
    existsSync(program) ? [] : [name],
  );
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0)
    throw new Error(`not installed: ${missing.join(', ')}. Run as root, or install them first.`);
  console.log(`installing ${missing.join(', ')}`);
  // The installation starts no service: the tests run their own, with private
  // configuration.
  const policy = '/usr/sbin/policy-rc.d';
  if (!existsSync(policy)) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  spawnSync('debconf-set-selections', {
    input: 'postfix postfix/main_mailer_type select No configuration\n',
  });
  withFreshLists({}, () => apt(['install', '-y', '-qq', '--no-install-recommends', ...missing]));
}

/**
 * Unpacks a package, with its dependencies that are not installed, below a folder: for
 * programs that conflict with each other. With a `release` such as `trixie`, unpacks the
 * package of that Debian release, with all of its dependencies.
 */
export function unpackPackage(name: string, root: string, release?: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-packages-'));
  const downloads = join(folder, 'downloads');
  mkdirSync(downloads);
  const settings: Readonly<Record<string, string>> =
    release === undefined ? {} : { APT_CONFIG: aptOfRelease(release, folder) };
  try {
    withFreshLists(settings, () => {
      const planned = apt(['install', '-s', '--no-install-recommends', name], settings);
      const names = [...planned.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
      apt(['download', '-qq', ...new Set([name, ...names])], settings, downloads);
    });
    for (const file of readdirSync(downloads)) run('dpkg-deb', ['-x', join(downloads, file), root]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Writes settings of apt for another release, with the same package server and without
 * installed packages. Returns the file of the settings.
 */
function aptOfRelease(release: string, folder: string): string {
  const [uri = ''] = apt([
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
    'Origin: Debian',
  ]).split('\n');
  for (const path of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, path), { recursive: true });
  const [status, sources, settings] = ['status', 'sources.list', 'apt.conf'].map((file) =>
    join(folder, file),
  ) as [string, string, string];
  writeFileSync(status, '');
  writeFileSync(
    sources,
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${uri} ${release} main\n`,
  );
  writeFileSync(
    settings,
    [
      `Dir::State "${folder}/state"; Dir::State::status "${status}"; Dir::Cache "${folder}/cache";`,
      `Dir::Etc::sourcelist "${sources}"; Dir::Etc::sourceparts "-"; APT::Sandbox::User "root";`,
    ].join('\n'),
  );
  return settings;
}

/**
 * Tries once with the current package lists and, after a failure, twice with updated
 * ones.
 */
function withFreshLists(settings: Readonly<Record<string, string>>, work: () => void): void {
  for (let attempt = 1; ; attempt++) {
    try {
      return work();
    } catch (error) {
      if (attempt === 3) throw error;
      if (attempt === 2) spawnSync('sleep', ['5']);
      apt(['update', '-qq'], settings);
    }
  }
}

function apt(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  cwd?: string,
): string {
  // Test files run concurrently, and apt fails while another process holds its lock.
  const locked = ['/run/lock/hermetic-apt', 'apt-get', ...args];
  const [command = '', ...rest] = inOuterNetwork('flock', locked);
  return run(command, rest, settings, cwd);
}

function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): string {
  const { status, stdout, stderr } = spawnSync(command, [...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...env },
    encoding: 'utf8',
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}
