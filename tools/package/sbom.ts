import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { IncludedPackage } from './stage-program.js';

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
}

/** Facts of the release that a bill of materials states. */
export interface Release {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Seconds since 1970, of the last commit. */
  readonly epoch: number;
}

/**
 * Returns the software bill of materials of a built package, CycloneDX 1.5 in JSON: the
 * packages that it contains, with version, licence and hash from `package-lock.json`.
 */
export function billOfMaterials(release: Release, included: readonly IncludedPackage[]): string {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, LockEntry>>;
  };
  const root = purl(release.name, release.version);
  const components = included.map(({ name, version, path }) => {
    const { integrity, license, resolved } = lock.packages[path] ?? {};
    return {
      type: 'library',
      'bom-ref': `${purl(name, version)}#${path}`,
      name,
      version,
      purl: purl(name, version),
      licenses: license === undefined ? [] : [licence(license)],
      hashes: hashesOf(integrity),
      externalReferences: resolved === undefined ? [] : [{ type: 'distribution', url: resolved }],
    };
  });
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(components) + root)}`,
    version: 1,
    metadata: {
      timestamp: new Date(release.epoch * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': root,
        name: release.name,
        version: release.version,
        purl: root,
        licenses: [licence(release.license)],
      },
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((c) => c['bom-ref']) }],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

/** Returns the lines of `SHA256SUMS`, as `sha256sum --check` reads them. */
export function checksums(
  files: readonly { readonly name: string; readonly path: string }[],
): string {
  return files
    .filter(({ path }) => existsSync(path))
    .map(({ name, path }) => `${sha256(readFileSync(path))}  ${name}\n`)
    .join('');
}

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/**
 * Returns a licence as CycloneDX states it: an expression such as `(MIT OR CC0-1.0)` is
 * not the id of a licence.
 */
function licence(text: string): object {
  return /[ (]/.test(text) ? { expression: text } : { license: { id: text } };
}

function hashesOf(integrity = ''): readonly object[] {
  return integrity.split(' ').flatMap((part) => {
    const [, algorithm, digest = ''] = /^(sha\d+)-(.+)$/.exec(part) ?? [];
    return algorithm === undefined
      ? []
      : [
          {
            alg: algorithm.replace('sha', 'SHA-'),
            content: Buffer.from(digest, 'base64').toString('hex'),
          },
        ];
  });
}

/**
 * Returns a serial number that depends only on the content, so that builds are
 * reproducible.
 */
function uuidOf(text: string): string {
  const hex = sha256(text);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
