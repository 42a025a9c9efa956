import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages } from './debian.js';
import { inOuterNetwork } from './own-network.js';
import { runProgram } from './process.js';

/**
 * The folder of unpacked releases; they remain between runs, because unpacking takes a
 * minute.
 */
const CACHE = '/var/tmp/hermetic-roots';

export type Suite = 'bookworm' | 'trixie';

const packages: Readonly<Record<Suite, readonly string[]>> = {
  bookworm: ['nodejs'],
  trixie: ['nodejs', 'postfix', 'openssl', 'ca-certificates', 'iproute2'],
};

/**
 * Returns the root folder of a minimal Debian with Debian's own Node. Must run as root.
 */
export function debianRoot(suite: Suite): string {
  const root = join(CACHE, suite);
  if (existsSync(root)) return root;
  mkdirSync(CACHE, { recursive: true });
  const part = mkdtempSync(join(CACHE, `.${suite}-`));
  installPackages({ '/usr/sbin/debootstrap': 'debootstrap' });
  const download = (program: string, args: readonly string[]): void => {
    const [command = '', ...rest] = inOuterNetwork(program, args);
    execFileSync(command, rest, { stdio: 'ignore' });
  };
  const base = 'systemd,init-system-helpers,passwd';
  download('debootstrap', ['--variant=minbase', `--include=${base}`, suite, part]);
  // Prevents package installations from starting services.
  writeFileSync(join(part, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages[suite]];
  download('chroot', [part, 'env', 'DEBIAN_FRONTEND=noninteractive', ...install]);
  renameSync(part, root);
  return root;
}

/**
 * Runs a shell script as root in a copy of a release, with separate mounts, processes and
 * network. All changes of the script are discarded.
 * @param files the files to copy to `/packages`
 */
export async function runInDebian(
  suite: Suite,
  files: readonly string[],
  script: string,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-jail-'));
  const [upper, work, root] = ['upper', 'work', 'root'].map((name) => join(folder, name));
  for (const path of [upper, work, root]) if (path) mkdirSync(path);
  writeFileSync(join(folder, 'inside'), `set -e\nip link set lo up 2>/dev/null || true\n${script}`);
  writeFileSync(
    join(folder, 'outside'),
    `set -e
mount -t tmpfs tmpfs ${folder}/upper
mkdir ${folder}/upper/files ${folder}/upper/work
mount -t overlay overlay -o lowerdir=${debianRoot(suite)},upperdir=${folder}/upper/files,workdir=${folder}/upper/work ${root}
mkdir -p ${root}/packages
cp ${files.join(' ')} ${root}/packages/
cp ${folder}/inside ${root}/packages/inside
mount -t proc proc ${root}/proc
mount --bind /dev ${root}/dev
mount -t tmpfs tmpfs ${root}/run
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot ${root} bash /packages/inside
`,
  );
  try {
    return await runProgram(
      'unshare',
      ['--mount', '--net', '--pid', '--fork', '--kill-child', 'bash', join(folder, 'outside')],
      { anyStatus: true, timeoutMs: 180_000 },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
