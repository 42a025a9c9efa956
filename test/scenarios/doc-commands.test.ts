import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/run.js';
import { commands } from '../../src/cli/commands.js';
import { examplesNotRun, ExampleWorld, helpExamples, inLab } from '../support/example-world.js';

/**
 * Every command of the documentation is run by a test, or a marker gives the reason why
 * it is not. A marker is a comment of Markdown on a separate line:
 *
 *     <!-- run: test/interop/docs.test.ts -->
 *     <!-- not run: needs systemd -->
 *
 * A marker applies to the code blocks up to the next marker or heading; `<!-- run -->`
 * ends its scope. A block without a marker is one command, and this test runs it in the
 * lab.
 */
interface CommandBlock {
  /** `docs/serve.md:12` */
  readonly place: string;
  readonly page: string;
  readonly text: string;
  readonly language: string;
  readonly marker: string | undefined;
  /** Whether the next block shows the output, which test/docs.test.ts compares. */
  readonly hasOutput: boolean;
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];

/** Returns the code blocks of a page with commands: without a language, or of a shell. */
function commandBlocks(page: string, content = readFileSync(page, 'utf8')): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  const lines = content.split('\n');
  let marker: string | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (/^#{1,6} /.test(line)) marker = undefined;
    if (line === '<!-- run -->') marker = undefined;
    marker = /^<!-- ((?:not )?run: .+) -->$/.exec(line)?.[1] ?? marker;
    const [, language] = /^```(.*)$/.exec(line) ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    assert.ok(end > at, `${page}:${at + 1}: the block does not end`);
    const text = lines.slice(at + 1, end).join('\n');
    const hasOutput = lines[end + 2] === '```text';
    if (['', 'sh', 'bash'].includes(language))
      blocks.push({ place: `${page}:${at + 1}`, page, text, language, marker, hasOutput });
    at = end;
  }
  return blocks;
}

let world: ExampleWorld;
before(async () => {
  world = await ExampleWorld.open();
});
after(() => world.close());

/**
 * Returns the faults of a marker: the test does not exist, does not read the page, or
 * there is no reason.
 */
function markerFaults({ place, page, marker = '' }: CommandBlock): readonly string[] {
  const [, test] = /^run: (\S+)$/.exec(marker) ?? [];
  if (test !== undefined) {
    if (!existsSync(test)) return [`${place}: ${test} does not exist`];
    return readFileSync(test, 'utf8').includes(page) ? [] : [`${place}: ${test} omits ${page}`];
  }
  return /^not run: \S+( \S+)+/.test(marker) ? [] : [`${place}: the marker has no reason`];
}

test('every command of the documentation runs, or a marker gives the reason', async (t) => {
  const blocks = pages.flatMap((page) => commandBlocks(page));
  assert.ok(blocks.length >= 70, `${blocks.length} blocks`);
  const marked = blocks.filter(({ marker }) => marker !== undefined);
  assert.deepEqual(marked.flatMap(markerFaults), []);
  const examples = new Set(await helpExamples());
  const done = new Set<string>();
  for (const { place, text, marker, hasOutput } of blocks) {
    if (marker !== undefined || (hasOutput && /--lab|explain/.test(text))) continue;
    assert.match(
      text,
      /^(hermetic|openssl|chmod) [^\n]+$/,
      `${place}: mark this block, or show one command`,
    );
    // test/scenarios/help-examples.test.ts runs the examples of help texts.
    if (done.has(text) || (examples.has(text) && examplesNotRun[text] === undefined)) continue;
    done.add(text);
    await t.test(text, async () => {
      const { code, err } = await world.run(inLab(text));
      // Exit statuses 1 and 3 are results; 2 is a usage error.
      assert.ok([0, 1, 3].includes(code), `${place}: ${inLab(text)}\n${code}: ${err}`);
    });
  }
});

test('a marker needs a test that reads the page, or a reason', () => {
  const faultsOf = (marker: string): number =>
    commandBlocks('docs/serve.md', `<!-- ${marker} -->\n\`\`\`sh\nls\n\`\`\``).flatMap(markerFaults)
      .length;
  assert.equal(faultsOf('not run: needs systemd'), 0);
  assert.equal(faultsOf('not run: no'), 1);
  assert.equal(faultsOf('run: test/absent.test.ts'), 1);
  assert.equal(faultsOf('run: test/interop/pebble.test.ts'), 1);
  const [covered, free] = commandBlocks(
    'a.md',
    '<!-- not run: one reason -->\n```\na\n```\n## B\n```\nb\n```\n',
  );
  assert.ok(covered?.marker !== undefined && free?.marker === undefined);
});

/** Returns the command of a command line, and its unknown words. */
async function unknownWords(line: string): Promise<readonly string[]> {
  const [, ...words] = line.split(/\s+/);
  const context = {
    output: {
      out: () => undefined,
      err: () => undefined,
      width: 80,
      color: false,
      interactive: false,
    },
    signal: new AbortController().signal,
    finish: () => undefined,
  };
  if (words[0]?.startsWith('-')) return [];
  const program = await createProgram(words, context);
  let command: Command | undefined = program.commands.find((one) => one.name() === words[0]);
  if (!command) return [words[0] ?? ''];
  for (const word of words.slice(1)) {
    const child: Command | undefined = command.commands.find((one) => one.name() === word);
    if (!child) break;
    command = child;
  }
  const known = new Set(command.options.flatMap(({ short, long }) => [short, long]));
  return words.filter((word) => /^--?[a-z]/.test(word) && !known.has(word.split('=')[0]));
}

test('every command and option in the text exists', async () => {
  const scripts = Object.keys(
    (JSON.parse(readFileSync('package.json', 'utf8')) as { readonly scripts: object }).scripts,
  );
  const faults: string[] = [];
  let count = 0;
  const read = [...pages, 'ARCHITECTURE.md', 'bench/results.md'];
  for (const page of read)
    for (const [, line = ''] of readFileSync(page, 'utf8').matchAll(/`([^`\n]+)`/g)) {
      const [, script] = /^npm run (?:-s )?([a-z:-]+)/.exec(line) ?? [];
      if (script !== undefined && !scripts.includes(script)) faults.push(`${page}: ${line}`);
      if (!/^hermetic [a-z-]/.test(line)) continue;
      count++;
      for (const word of await unknownWords(line)) faults.push(`${page}: ${line}: ${word}`);
    }
  assert.deepEqual(faults, []);
  assert.ok(count >= 60, `${count} commands`);
  assert.deepEqual(await unknownWords('hermetic chek example.com'), ['chek']);
  assert.deepEqual(await unknownWords('hermetic check --jsn example.com'), ['--jsn']);
  assert.ok(commands.length > 0);
});
