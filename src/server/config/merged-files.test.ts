import assert from 'node:assert/strict';
import test from 'node:test';
import { parseConfigFiles } from './config.js';

function problems(...texts: readonly string[]): readonly string[] {
  const parsed = parseConfigFiles(texts.map((text, i) => ({ file: `${i + 1}.yaml`, text })));
  return parsed.ok
    ? []
    : parsed.failure.map(({ file, line, path, says }) => `${file}:${line} ${path} ${says}`);
}

test('each file adds its sections', () => {
  const parsed = parseConfigFiles([
    { file: 'a', text: 'log: {format: json}\n' },
    { file: 'b', text: '# nothing yet\n' },
    { file: 'c', text: 'postfix: {version: "3.7"}\n' },
  ]);
  assert.ok(parsed.ok);
  assert.equal(parsed.value.log.format, 'json');
  assert.ok(parsed.value.jobs['postfix']);
});

test('a section in two files names both files and lines', () => {
  assert.deepEqual(problems('\nmetrics: {listen: 1}\n', '\n\nmetrics: {listen: 2}\n'), [
    '2.yaml:3 metrics 1.yaml:2 has this section too',
  ]);
});

test('a section in three files is reported for each later file', () => {
  const found = problems('web: {listen: 1}\n', 'web:\n', 'web: {}\n');
  assert.deepEqual(
    found.map((text) => text.slice(0, 10)),
    ['2.yaml:1 w', '3.yaml:1 w'],
  );
});

test('every problem names the file that holds the value', () => {
  assert.deepEqual(
    problems('log: {format: loud}\n', '\npostfix:\n  dane: maybe\npostfx: {}\n').map(
      (text) => text.split(' ')[0],
    ),
    ['1.yaml:1', '2.yaml:2', '2.yaml:3', '2.yaml:4'],
  );
});

test('broken YAML in one file is the only problem reported', () => {
  const found = problems('postfix: {}\n', 'log: [\n');
  assert.equal(found.length, 1);
  assert.match(found[0] ?? '', /^2\.yaml:\d/);
});

test('a list or a text is not a configuration', () => {
  assert.match(problems('- a\n')[0] ?? '', /^1\.yaml:1 {2}the content must be a section/);
  assert.match(problems('', 'hello\n')[0] ?? '', /^2\.yaml:1 /);
});

test('aliases that expand without bound are a problem of their file', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(20)}*a]\nc: [${'*b,'.repeat(20)}*b]\n`;
  assert.match(problems('', bomb)[0] ?? '', /^2\.yaml:1 .*alias/);
});

test('syntax errors of YAML have their own fix', () => {
  const fixOf = (text: string): string => {
    const parsed = parseConfigFiles([{ file: 'a.yaml', text }]);
    return parsed.ok ? '' : (parsed.failure[0]?.fix ?? '');
  };
  assert.match(fixOf('metrics: {listen: 1}\nmetrics: {listen: 2}\n'), /^Keep one of the keys/);
  assert.match(fixOf('log:\n\tformat: json\n'), /^Indent with spaces/);
  assert.match(fixOf('log:\n  format: json\n observe: 1\n'), /same column/);
  assert.match(fixOf('report: {domains: [a.example}\n'), /bracket/);
  assert.match(fixOf('---\nlog: {}\n---\nweb: {}\n'), /^Remove the line ---/);
  assert.match(fixOf('store: @x\n'), /quotes/);
});
