import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild-wasm';

/** The entry file of the command. Its folder receives every bundled file. */
export const ENTRY = 'dist/src/cli/main.js';
const OUTPUT = dirname(ENTRY);
/**
 * Packages that read files of their own folder, or that the program loads only for mail
 * or a scan.
 */
const UNBUNDLED = [
  '@photostructure/sqlite',
  'graphile-worker',
  'hyparquet-writer',
  'imapflow',
  'mailauth',
  'nodemailer',
  'pg',
  'pg-copy-streams',
];
/** Matches a reference to a file beside a module, or to a thread. */
const BESIDE = /new URL\(\s*'(\.[^']+)',\s*import\.meta\.url,?\s*\)/g;
const THREAD = /new Worker\(\s*new URL\(\s*'(\.[^']+)'/g;

/** A bundled program. */
export interface Bundle {
  /** Files that the bundle contains, below the folder of the project. */
  readonly bundled: readonly string[];
  /** Files that the program reads at run time. */
  readonly data: readonly string[];
  /** Modules that the program imports from packages outside the bundle. */
  readonly imported: readonly string[];
}

/**
 * Bundles the program for a package. Without the bundle, a daemon with all jobs loads 900
 * modules, and each costs start time and memory. Every dynamic import stays a separate
 * file. The bundle keeps names and line breaks, so that stack traces are readable.
 */
export async function bundleProgram(target: string): Promise<Bundle> {
  const data = new Set<string>();
  const { metafile } = await build({
    absWorkingDir: process.cwd(),
    entryPoints: [ENTRY, ...threads()],
    entryNames: '[name]',
    outdir: join(target, OUTPUT),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    mainFields: ['module', 'main'],
    minifyWhitespace: true,
    lineLimit: 100,
    legalComments: 'none',
    external: UNBUNDLED,
    // Bundled CommonJS modules require modules of Node.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [moved(data)],
    metafile: true,
    logLevel: 'warning',
  });
  const outside = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external === true && isUnbundled(path));
  return {
    bundled: Object.keys(metafile.inputs),
    data: [...data],
    imported: [...new Set(outside.map(({ path }) => path))],
  };
}

/** Returns the files that the program runs as threads. */
function threads(): readonly string[] {
  return readdirSync('dist/src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && !name.endsWith('.test.js'))
    .map((name) => join('dist/src', name))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(THREAD)].map(([, path = '']) =>
        join(dirname(file), path),
      ),
    );
}

/** Corrects the paths of files that a module locates relative to itself. */
function moved(data: Set<string>): Plugin {
  return {
    name: 'moved',
    setup(building) {
      const sources = resolve('dist/src');
      building.onLoad({ filter: /\.js$/ }, ({ path }) => {
        if (!path.startsWith(sources)) return undefined;
        const text = readFileSync(path, 'utf8');
        const isThread = new Set([...text.matchAll(THREAD)].map(([, name]) => name));
        const contents = text.replace(BESIDE, (_, name: string) => {
          if (isThread.has(name)) return `new URL('./${basename(name)}', import.meta.url)`;
          const file = join(dirname(path), name);
          if (extname(file) !== '' && existsSync(file)) data.add(relative('.', file));
          return `new URL('${relative(OUTPUT, relative('.', file))}', import.meta.url)`;
        });
        return { contents, loader: 'js' };
      });
    },
  };
}

function isUnbundled(path: string): boolean {
  return UNBUNDLED.some((name) => path === name || path.startsWith(`${name}/`));
}
