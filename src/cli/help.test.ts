import assert from 'node:assert/strict';
import test from 'node:test';
import type { Command } from 'commander';
import { commands } from './commands.js';
import { breakCommand, helpPage } from './help.js';
import type { Output } from './output.js';
import { createProgram } from './run.js';
import { runCli } from '../../test/support/run-cli.js';

const nowhere: Output = {
  out: () => undefined,
  err: () => undefined,
  width: 80,
  color: false,
  interactive: false,
};

/** Returns every command and subcommand with its complete definition, by its path. */
async function allCommands(): Promise<ReadonlyMap<string, Command>> {
  const found = new Map<string, Command>();
  const context = {
    output: nowhere,
    signal: new AbortController().signal,
    finish: () => undefined,
  };
  const visit = (path: string, command: Command): void => {
    found.set(path, command);
    for (const child of command.commands)
      if (path !== '' || child.name() !== 'help') visit(`${path} ${child.name()}`.trim(), child);
  };
  found.set('', await createProgram([], context));
  for (const { name } of commands) {
    const program = await createProgram([name], context);
    const command = program.commands.find((child) => child.name() === name);
    if (command) visit(name, command);
  }
  return found;
}

const all = await allCommands();

for (const width of [60, 80, 120])
  test(`the help of every command fits ${width} columns`, async () => {
    for (const path of all.keys()) {
      const { code, out } = await runCli([...path.split(' ').filter(Boolean), '--help'], width);
      assert.equal(code, 0, path);
      for (const line of out.split('\n')) assert.ok(line.length <= width, `${path}: ${line}`);
    }
  });

test('every command has an example of its own', () => {
  for (const path of ['check', 'dnssec verify', 'publish roll', 'report import', 'lab list'])
    assert.ok(all.has(path), path);
  for (const [path, command] of all)
    assert.ok(
      helpPage(command)?.examples.some((line) => line.includes(`hermetic ${path}`.trim())),
      path,
    );
});

test('the list of commands shows the arguments of each command', () => {
  for (const { name, usage } of commands) {
    const own = all.get(name)?.usage() ?? '';
    assert.equal(own.replace(/\[(options|command)\] ?/g, '').trim(), usage, name);
  }
});

test('option descriptions start with a verb or a noun in lower case, without a dot', () => {
  for (const [path, command] of all)
    for (const { description, flags } of command.options)
      assert.match(
        description,
        /^(?:[a-z'-]|TTL|TLS|PEM)[^]*[^.]$/,
        `${path} ${flags}: ${description}`,
      );
});

test('options of check are in groups', async () => {
  const { out } = await runCli(['check', '--help']);
  for (const group of ['What to check:', 'Limits:', 'Resolver and trust:', 'Connections:'])
    assert.match(out, new RegExp(`^${group}$`, 'm'));
  assert.doesNotMatch(out, /^Options:$/m);
});

test('hermetic --help explains every exit status', async () => {
  const { out } = await runCli(['--help']);
  for (const status of [0, 1, 2, 3, 75, 130])
    assert.match(out, new RegExp(`^ {2}${status} +\\S`, 'm'));
});

test('a long example uses the continuation lines of the shell', () => {
  const lines = breakCommand('  hermetic send --from me@example.net --dry-run you@example.com', 40);
  assert.ok(lines.length > 1 && lines.every((line) => line.length <= 40));
  assert.equal(
    lines.join('\n').replace(/ \\\n +/g, ' '),
    '  hermetic send --from me@example.net --dry-run you@example.com',
  );
});

test('-V and --version print the version', async () => {
  const [short, long] = [await runCli(['-V']), await runCli(['--version'])];
  assert.match(short.out, /^\d+\.\d+\.\d+\n$/);
  assert.deepEqual(short, long);
});
