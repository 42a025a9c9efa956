import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { run } from '../src/cli/run.js';
import { parseConfig } from '../src/server/index.js';

const page = readFileSync('docs/publish.md', 'utf8');
const pages = `${page}\n${readFileSync('docs/certificates.md', 'utf8')}`;
/** Returns the fenced blocks of one language: every second fence opens a block. */
function blocks(kind: string): readonly string[] {
  const parts = pages.split(/^```(.*)$/m);
  return parts.flatMap((text, i) => (i % 4 === 2 && parts[i - 1] === kind ? [text] : []));
}

test('every configuration of the pages is accepted unchanged', () => {
  const found = blocks('yaml');
  assert.equal(found.length, 8);
  for (const text of found) {
    const parsed = parseConfig(text);
    assert.deepEqual(parsed.ok ? [] : parsed.failure, []);
  }
});

test('every command of the pages exists with its options', async () => {
  const commands = [
    ...[...blocks(''), ...blocks('sh')].join('').matchAll(/^hermetic (publish .*)$/gm),
    ...page.matchAll(/`hermetic (publish roll [^`]*)`/g),
  ].map((m) => m[1] ?? '');
  assert.ok(commands.length >= 5, `${commands.length} commands`);
  for (const command of commands) {
    let printed = '';
    const take = (text: string): void => void (printed += text);
    const args = [...command.split(' '), '--config', '/nonexistent/hermetic.yaml'];
    const code = await run(
      args,
      { out: take, err: take, width: 80, color: false, interactive: false },
      new AbortController().signal,
    );
    // The command line is valid: the command fails only because it cannot read the
    // configuration.
    assert.equal(code, 2);
    assert.match(printed, /file-unreadable/, command);
  }
});
