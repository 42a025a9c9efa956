import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Built } from './build-deb.js';
import type { Release } from './sbom.js';
import { stageCommandTexts, stageDocuments } from './stage-documents.js';
import { architectures, copy, stageProgram, type Architecture } from './stage-program.js';

export interface TarballOptions {
  readonly release: Release;
  readonly architecture: Architecture;
  /** The folder for the archive. */
  readonly output: string;
}

/**
 * Builds `hermetic-VERSION-linux-x64.tar.gz`: the program with its dependencies, manual
 * pages, completions, unit, documentation and examples. The archive needs Node and no
 * registry.
 */
export async function buildTarball({
  release,
  architecture,
  output,
}: TarballOptions): Promise<Built> {
  const name = `hermetic-${release.version}-${architectures[architecture]}`;
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-tar-'));
  try {
    const root = join(folder, name);
    const included = await stageProgram(root, architecture);
    stageDocuments(root);
    await stageCommandTexts(join(root, 'share'), release.version);
    for (const file of [
      'hermetic.yaml',
      'hermetic.service',
      'hermetic-reload@.path',
      'hermetic-reload@.service',
      'sysusers.conf',
    ])
      copy(`packaging/${file}`, join(root, 'packaging', file));
    mkdirSync(join(root, 'bin'));
    symlinkSync('../dist/src/cli/main.js', join(root, 'bin/hermetic'));
    const path = join(output, `${name}.tar.gz`);
    // Entries are sorted, without owners and with one time, so that a commit always gives
    // the same octets.
    const options = [
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--mode=u+rw,go=rX',
    ];
    execFileSync(
      'sh',
      [
        '-c',
        'tar "$@" | gzip -9n > "$OUT"',
        'sh',
        ...options,
        `--mtime=@${release.epoch}`,
        '-C',
        folder,
        '-cf',
        '-',
        name,
      ],
      { env: { ...process.env, OUT: path } },
    );
    return { path, included };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds the package for npm, `hermetic-VERSION.tgz`. Npm installs its dependencies. */
export function buildNpmPackage({ version }: Release, output: string): string {
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', output]);
  return join(output, `hermetic-${version}.tgz`);
}
