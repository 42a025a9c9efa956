import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createProgram } from '../../src/cli/run.js';
import { commands } from '../../src/cli/commands.js';
import { completions } from './completions.js';
import { manPages, type ManPages } from './man-pages.js';
import { copy } from './stage-program.js';

/** Files and folders of the documentation. The links between them stay valid. */
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'SECURITY.md',
  'bench/results.md',
  'docs',
  'examples',
  'schemas',
];

/** Copies the documentation. */
export function stageDocuments(target: string): void {
  for (const path of documents.flatMap(filesBelow)) copy(path, join(target, path));
}

/**
 * Returns all files below a folder, or the file itself; omits generated reference pages.
 */
export function filesBelow(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !(path === 'docs/api' && name === 'reference'))
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/** Returns the manual pages and completion scripts, generated from the commands. */
export async function commandTexts(
  version: string,
): Promise<{ readonly pages: ManPages; readonly shells: ReturnType<typeof completions> }> {
  const output = { out: ignore, err: ignore, width: 80, color: false, interactive: false };
  const context = { output, signal: new AbortController().signal, finish: ignore };
  // A command line that names a command loads that command. At the end the program
  // contains all commands.
  const program = await createProgram([], context);
  for (const [index, { name }] of commands.entries()) {
    const loaded = (await createProgram([name], context)).commands[index];
    if (loaded) (program.commands as (typeof loaded)[])[index] = loaded;
  }
  return { pages: manPages(program, version), shells: completions(program) };
}

function ignore(): void {
  // Nothing is printed while the commands are only defined.
}

/** Writes manual pages and completion scripts below `usr/share` of a package. */
export async function stageCommandTexts(share: string, version: string): Promise<void> {
  const { pages, shells } = await commandTexts(version);
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(join(share, dirname(path)), { recursive: true });
    writeFileSync(join(share, path), content, { mode: 0o644 });
  };
  for (const [name, text] of pages) write(`man/man1/${basename(name)}.gz`, gzip(text));
  write('bash-completion/completions/hermetic', shells.bash);
  write('zsh/vendor-completions/_hermetic', shells.zsh);
  write('fish/vendor_completions.d/hermetic.fish', shells.fish);
}

/**
 * Returns the text as gzip. The header omits name and time, so that the same text gives
 * the same file.
 */
export function gzip(text: string | Buffer): Buffer {
  return gzipSync(text, { level: 9 });
}

/** Reads the changelog for `changelog.gz` of a Debian package. */
export function changelog(): Buffer {
  return gzip(readFileSync('CHANGELOG.md'));
}
