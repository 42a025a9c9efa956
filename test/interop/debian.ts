import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Installs Debian packages, each named by a program that shows it is there; what is there already is left alone. Needs root where one is missing. */
export function installPackages(needed: Readonly<Record<string, string>>): void {
  const missing = Object.entries(needed).flatMap(([program, name]) => (existsSync(program) ? [] : [name]));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`not installed: ${missing.join(', ')}. Run as root, or install them first.`);
  console.log(`installing ${missing.join(', ')}`);
  // Nothing is started by its installation: the tests run their own, with private configuration.
  const policy = '/usr/sbin/policy-rc.d';
  if (!existsSync(policy)) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  spawnSync('debconf-set-selections', { input: 'postfix postfix/main_mailer_type select No configuration\n' });
  withFreshLists(() => apt(['install', '-y', '-qq', '--no-install-recommends', ...missing]));
}

/** Unpacks a package, and those it needs that are not installed, below a folder: for programs that must not be installed beside one another. */
export function unpackPackage(name: string, root: string): void {
  const downloads = mkdtempSync(join(tmpdir(), 'hermetic-packages-'));
  try {
    withFreshLists(() => {
      const planned = apt(['install', '-s', '--no-install-recommends', name]);
      const names = [...planned.matchAll(/^Inst (\S+)/gm)].flatMap((match) => match[1] ?? []);
      apt(['download', '-qq', ...new Set([name, ...names])], downloads);
    });
    for (const file of readdirSync(downloads)) run('dpkg-deb', ['-x', join(downloads, file), root]);
  } finally {
    rmSync(downloads, { recursive: true, force: true });
  }
}

/** Once as it is; when that fails, twice more with the package lists brought up to date. */
function withFreshLists(work: () => void): void {
  for (let attempt = 1; ; attempt++) {
    try {
      return work();
    } catch (error) {
      if (attempt === 3) throw error;
      if (attempt === 2) spawnSync('sleep', ['5']);
      apt(['update', '-qq']);
    }
  }
}

function apt(args: readonly string[], cwd?: string): string {
  return run('apt-get', [...args], cwd);
}

function run(command: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr } = spawnSync(command, [...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}
