import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram, ENTRY } from './bundle-program.js';
import { reachableFiles } from './reachable-files.js';

/** The platforms of the packages, by Debian's name of the architecture. */
export const architectures = { amd64: 'linux-x64', arm64: 'linux-arm64' } as const;
export type Architecture = keyof typeof architectures;

/** A package of the lock file that a staged program contains. */
export interface IncludedPackage {
  readonly name: string;
  readonly version: string;
  /** Path in the lock file, as `node_modules/a/node_modules/b`. */
  readonly path: string;
}

/** The package of SQLite, which the store selects by name at run time. */
const SQLITE = 'node_modules/@photostructure/sqlite';

/**
 * Bundles the program, and copies the files of other packages that it can load, for one
 * platform. Returns all included packages.
 */
export async function stageProgram(
  target: string,
  architecture: Architecture,
): Promise<readonly IncludedPackage[]> {
  const { bundled, data, imported } = await bundleProgram(target);
  const modules = imported.map((name) => fileURLToPath(import.meta.resolve(name)));
  const loaded = [
    ...reachableFiles([...modules, `${SQLITE}/dist/index.mjs`, ...sqliteLoader()]),
  ].map((path) => relative('.', path));
  const folders = new Set([...bundled, ...loaded].flatMap((path) => packageFolder(path) ?? []));
  const licences = [...folders].flatMap(licenceFiles);
  for (const file of [...data, ...loaded, ...licences, ...sqliteLibrary(architecture)])
    if (file !== 'package.json') copy(file, join(target, file));
  chmodSync(join(target, ENTRY), 0o755);
  writeManifest(target);
  return [...folders].sort().map((path) => {
    const { name, version } = JSON.parse(
      readFileSync(join(path, 'package.json'), 'utf8'),
    ) as IncludedPackage;
    return { name, version, path };
  });
}

function sqliteLoader(): readonly string[] {
  return ['node_modules/node-gyp-build/index.js', 'node_modules/node-gyp-build/node-gyp-build.js'];
}

/** Returns the SQLite library for GNU libc, the only libc of Debian. */
function sqliteLibrary(architecture: Architecture): readonly string[] {
  const folder = `${SQLITE}/prebuilds/${architectures[architecture]}`;
  return readdirSync(folder)
    .filter((name) => name.endsWith('glibc.node'))
    .map((name) => join(folder, name));
}

function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

function licenceFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
    .map((name) => join(folder, name));
}

/**
 * Returns the members of package.json at run time: Node reads the type, the program the
 * version.
 */
function writeManifest(target: string): void {
  const { name, version, description, license, type, engines } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  ) as Record<string, unknown>;
  writeFileSync(
    join(target, 'package.json'),
    `${JSON.stringify({ name, version, description, license, type, engines }, null, 2)}\n`,
  );
}

/** Copies a file into a folder that may not exist yet. */
export function copy(from: string, to: string): void {
  if (!existsSync(dirname(to))) mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, 0o644);
}
