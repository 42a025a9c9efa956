import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Release } from './sbom.js';
import { changelog, filesBelow, stageCommandTexts, stageDocuments } from './stage-documents.js';
import { copy, stageProgram, type Architecture, type IncludedPackage } from './stage-program.js';

export interface DebOptions {
  readonly release: Release;
  readonly architecture: Architecture;
  /** The Debian revision: the part of the package version after the hyphen. */
  readonly revision: string;
  /** The folder for the package. */
  readonly output: string;
}

/** A built package and its content. */
export interface Built {
  readonly path: string;
  readonly included: readonly IncludedPackage[];
}

const SCRIPTS = ['postinst', 'prerm', 'postrm', 'conffiles'];

/**
 * Builds the Debian package with `dpkg-deb` alone. The same commit gives the same octets:
 * `SOURCE_DATE_EPOCH` sets the times.
 */
export async function buildDeb(options: DebOptions): Promise<Built> {
  const { release, architecture, revision, output } = options;
  const root = mkdtempSync(join(tmpdir(), 'hermetic-deb-'));
  try {
    chmodSync(root, 0o755);
    const included = await stageProgram(join(root, 'usr/lib/hermetic'), architecture);
    await stageSystemFiles(root, release.version);
    writeControl(root, options);
    const path = join(output, `hermetic_${release.version}-${revision}_${architecture}.deb`);
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, path], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(release.epoch) },
    });
    return { path, included };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function stageSystemFiles(root: string, version: string): Promise<void> {
  const folder = (path: string): void => void mkdirSync(join(root, path), { recursive: true });
  const doc = 'usr/share/doc/hermetic';
  stageDocuments(join(root, doc));
  writeFileSync(join(root, doc, 'changelog.gz'), changelog(), { mode: 0o644 });
  copy('packaging/debian/copyright', join(root, doc, 'copyright'));
  await stageCommandTexts(join(root, 'usr/share'), version);
  copy('packaging/hermetic.yaml', join(root, 'etc/hermetic/hermetic.yaml'));
  copy('packaging/sysusers.conf', join(root, 'usr/lib/sysusers.d/hermetic.conf'));
  for (const unit of ['hermetic.service', 'hermetic-reload@.path', 'hermetic-reload@.service'])
    copy(`packaging/${unit}`, join(root, 'usr/lib/systemd/system', unit));
  // Programs must not depend on /usr/share/doc, which a system may leave out.
  for (const file of filesBelow('examples/hooks'))
    copy(file, join(root, file.replace(/^examples/, 'usr/share/hermetic')));
  folder('etc/hermetic/conf.d');
  folder('usr/bin');
  symlinkSync('../lib/hermetic/dist/src/cli/main.js', join(root, 'usr/bin/hermetic'));
  // The program names this folder in its help, and reads pages from it.
  symlinkSync('../../share/doc/hermetic/docs', join(root, 'usr/lib/hermetic/docs'));
  symlinkSync('../../share/doc/hermetic/schemas', join(root, 'usr/lib/hermetic/schemas'));
  // The umask of the builder must not affect the modes.
  execFileSync('find', [root, '-type', 'd', '-exec', 'chmod', '0755', '{}', '+']);
}

function writeControl(root: string, { release, architecture, revision }: DebOptions): void {
  const debian = join(root, 'DEBIAN');
  mkdirSync(debian, { mode: 0o755 });
  const size = execFileSync('du', ['-sk', '--exclude=DEBIAN', root], { encoding: 'utf8' });
  const control = readFileSync('packaging/debian/control', 'utf8')
    .replace('@VERSION@', `${release.version}-${revision}`)
    .replace('@ARCHITECTURE@', architecture)
    .replace('@SIZE@', size.split('\t')[0] ?? '');
  writeFileSync(join(debian, 'control'), control, { mode: 0o644 });
  for (const name of SCRIPTS) {
    cpSync(`packaging/debian/${name}`, join(debian, name));
    chmodSync(join(debian, name), name === 'conffiles' ? 0o644 : 0o755);
  }
  const sums = execFileSync(
    'sh',
    ['-c', "find . -type f ! -path './DEBIAN/*' -printf '%P\\0' | sort -z | xargs -0 md5sum"],
    { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  writeFileSync(join(debian, 'md5sums'), sums, { mode: 0o644 });
}
