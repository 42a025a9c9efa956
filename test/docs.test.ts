import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { runCli } from './support/run-cli.js';

/**
 * Returns a block with a command of the lab, and the following block with lines of its
 * output.
 */
function samples(
  file: string,
): { readonly args: readonly string[]; readonly lines: readonly string[] }[] {
  const blocks = [
    ...readFileSync(file, 'utf8').matchAll(
      /^```\nhermetic (.*)\n```\n\n```text\n([\s\S]*?)^```$/gm,
    ),
  ];
  return blocks
    .map(([, command = '', body = '']) => ({
      args: command.split(' '),
      lines: body.split('\n').filter((line) => line !== ''),
    }))
    .filter(
      ({ args, lines }) => lines.length > 0 && (args.includes('--lab') || args[0] === 'explain'),
    );
}

/**
 * Dates and addresses change daily. The number of suites depends on the version of Node.
 */
const timeless = (line: string): string =>
  line
    .replace(/\d{4}-\d\d-\d\d/g, 'DATE')
    .replace(/198\.51\.100\.\d+/g, 'ADDRESS')
    .replace(/\d+ suites seen/g, 'N suites seen');

for (const [file, least] of [
  ['README.md', 1],
  ['docs/reports.md', 3],
  ['docs/test-your-sender.md', 1],
] as const) {
  test(`${file}: the examples show the output of the commands`, async () => {
    const found = samples(file);
    assert.ok(found.length >= least, `${found.length} examples`);
    for (const { args, lines } of found) {
      const { out: printed } = await runCli(args);
      const rest = printed.split('\n').map(timeless);
      for (const line of lines) {
        const at = rest.indexOf(timeless(line));
        assert.ok(
          at >= 0,
          `${args.join(' ')} does not print, or not in this order: ${line}\n${printed}`,
        );
        rest.splice(0, at + 1);
      }
    }
  });
}

test('README.md: the table lists exactly the existing commands', async () => {
  const table =
    /^\| command \|.*\n[\s\S]*?\n\n/m.exec(readFileSync('README.md', 'utf8'))?.[0] ?? '';
  const named = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z]+)`/g)].map(([, name]) => name),
  );
  const { out } = await runCli(['--help']);
  const there = [...out.slice(out.indexOf('--help')).matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, name]) => name)
    .filter((name) => name !== 'help' && name !== 'hermetic');
  assert.ok(there.length >= 12);
  assert.deepEqual(named.sort(), there.sort());
});

test('every link of a page to a file of the repository is valid', () => {
  const folders = ['.', 'docs', 'docs/decisions', 'bench'];
  const pages = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  assert.ok(pages.length >= 20, `${pages.length} pages`);
  for (const page of pages)
    for (const [, link = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g))
      if (!/^(https?|mailto):/.test(link))
        assert.ok(existsSync(join(dirname(page), link)), `${page}: ${link}`);
});
