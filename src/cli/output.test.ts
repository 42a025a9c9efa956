import assert from 'node:assert/strict';
import test from 'node:test';
import {
  ColorSwitch,
  fitMessage,
  formatJson,
  hasUtf8,
  terminalWidth,
  toAscii,
  wantsColor,
} from './output.js';
import { run } from './run.js';

test('JSON keeps controls of foreign text as escapes', () => {
  const said = { banner: '\x9b2J\x9d0;x\u202e\u{e0041}\u{1bca0} Grüße \x1b[0m' };
  const text = formatJson(said, 2);
  assert.deepEqual(JSON.parse(text), said);
  assert.match(text, /^[\n\x20-\x7eüß]*$/);
});

test('the width is that of the terminal, then COLUMNS, then 80', () => {
  for (const [stdout, env, width] of [
    [{ isTTY: true, columns: 60 }, {}, 60],
    [{ isTTY: true, columns: 60 }, { COLUMNS: '100' }, 60],
    [{ isTTY: true, columns: 0 }, {}, 80],
    [{ isTTY: true, columns: 3 }, {}, 40],
    [{ isTTY: false }, { COLUMNS: '100' }, 100],
    [{ isTTY: false }, { COLUMNS: 'wide' }, 80],
    [{}, {}, 80],
  ] as const)
    assert.equal(terminalWidth(stdout, env), width, JSON.stringify([stdout, env]));
});

test('a terminal without UTF-8 gets US-ASCII in the same columns', () => {
  for (const [env, isUtf8] of [
    [{}, true],
    [{ LANG: '' }, true],
    [{ LANG: 'C' }, false],
    [{ LANG: 'de_DE.ISO-8859-1' }, false],
    [{ LANG: 'C', LC_CTYPE: 'en_US.UTF-8' }, true],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }, false],
    [{ LC_ALL: '', LANG: 'C.utf8' }, true],
  ] as const)
    assert.equal(hasUtf8(env), isUtf8, JSON.stringify(env));
  assert.equal(toAscii('RFC 8461 §4.2, bücher.example\n'), 'RFC 8461 s4.2, b?cher.example\n');
});

test('NO_COLOR forbids colour, FORCE_COLOR forces it, a terminal has it', () => {
  for (const [isTTY, env, color] of [
    [true, {}, true],
    [false, {}, false],
    [true, { TERM: 'dumb' }, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    [false, { FORCE_COLOR: '' }, false],
  ] as const)
    assert.equal(wantsColor({ isTTY }, env), color, JSON.stringify([isTTY, env]));
});

test('--color and --no-color override the terminal, before and after the command', async () => {
  const shown = async (color: boolean, ...args: string[]): Promise<string> => {
    let out = '';
    const output = {
      out: (text: string) => void (out += text),
      err: () => undefined,
      width: 80,
      color,
      interactive: false,
    };
    await run(args, output, new AbortController().signal);
    return out;
  };
  const check = ['check', '--lab', 'null-mx.example'];
  assert.match(await shown(false, ...check, '--color'), /\x1b\[/); // eslint-disable-line no-control-regex
  assert.match(await shown(false, '--color', ...check), /\x1b\[/); // eslint-disable-line no-control-regex
  assert.match(await shown(false, ...check, '--color=always'), /\x1b\[/); // eslint-disable-line no-control-regex
  for (const never of ['--no-color', '--color=never'])
    assert.ok(!(await shown(true, ...check, never)).includes('\x1b'));
});

test('a terminal gets wrapped messages, and a program gets whole lines', () => {
  const message = `hermetic: ${'word '.repeat(16)}(code)\n  ${'fix '.repeat(18)}end\n`;
  assert.equal(fitMessage(message, undefined), message);
  assert.equal(fitMessage(message, 120), message);
  const lines = fitMessage(message, 60).split('\n');
  assert.deepEqual(
    lines.map((line) => [/^ */.exec(line)?.[0].length, line.length <= 60]),
    [0, 4, 2, 2, 0].map((indent) => [indent, true]),
  );
  assert.equal(lines.join(' ').replace(/ +/g, ' '), message.replace(/\s+/g, ' '));
  const redrawn = `\x1b[K${'progress '.repeat(10)}`;
  assert.equal(fitMessage(redrawn, 60), redrawn);
});

test('a switched output writes to its target', () => {
  const written: string[] = [];
  const output = new ColorSwitch({
    out: (text) => void written.push(text),
    err: (text) => void written.push(text),
    width: 60,
    messageWidth: 50,
    color: false,
    interactive: true,
    gone: true,
  });
  const { out, err } = output;
  out('a');
  err('b');
  assert.deepEqual(written, ['a', 'b']);
  assert.deepEqual(
    [output.width, output.messageWidth, output.gone, output.interactive],
    [60, 50, true, true],
  );
});
