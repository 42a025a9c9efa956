import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDeb, type Built } from './package/build-deb.js';
import { buildNpmPackage, buildTarball } from './package/build-tarball.js';
import { billOfMaterials, checksums, type Release } from './package/sbom.js';
import { architectures, type Architecture } from './package/stage-program.js';

/**
 * `npm run package -- deb|tarball|release`: builds packages into `dist/packages`.
 * `release` builds all of them with a bill of materials and `SHA256SUMS`.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    architecture: { type: 'string' },
    revision: { type: 'string', default: '1' },
    output: { type: 'string', default: 'dist/packages' },
  },
});
const [kind = ''] = positionals;
if (!['deb', 'tarball', 'release'].includes(kind)) {
  console.error('package: name deb, tarball or release');
  process.exit(2);
}
const architecture = architectureOf(values.architecture ?? hostArchitecture());
const output = values.output;
mkdirSync(output, { recursive: true });
const release = describeRelease();
const heading = readFileSync('CHANGELOG.md', 'utf8').match(/^## (\S+)/m)?.[1];
if (kind === 'release' && heading !== release.version) {
  console.error(
    `package: CHANGELOG.md begins with ${heading ?? 'no version'}, and package.json has ${release.version}. ` +
      'Name the version and its date above the changes.',
  );
  process.exit(1);
}
const built: string[] = [];
if (kind !== 'tarball') built.push(await buildDebian());
if (kind !== 'deb') {
  const archive = await buildTarball({ release, architecture, output });
  built.push(withBill(archive), buildNpmPackage(release, output));
}
if (kind === 'release') {
  const names = [...built, ...built.map(billPath)].sort();
  const sums = checksums(names.map((path) => ({ name: basename(path), path })));
  writeFileSync(join(output, 'SHA256SUMS'), sums);
}
for (const path of built)
  console.log(`${path}  ${(statSync(path).size / 1_000_000).toFixed(1)} MB`);

async function buildDebian(): Promise<string> {
  return withBill(await buildDeb({ release, architecture, revision: values.revision, output }));
}

function withBill({ path, included }: Built): string {
  writeFileSync(billPath(path), billOfMaterials(release, included));
  return path;
}

function billPath(path: string): string {
  return `${path}.cdx.json`;
}

function describeRelease(): Release {
  const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8')) as Release;
  const epoch = Number(
    process.env['SOURCE_DATE_EPOCH'] ??
      execFileSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8' }),
  );
  return { name, version, license, epoch };
}

function hostArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function architectureOf(text: string): Architecture {
  const known = Object.keys(architectures) as Architecture[];
  const found = known.find((name) => name === text);
  if (found) return found;
  console.error(`package: ${text} is not supported; choose ${known.join(' or ')}`);
  process.exit(2);
}
