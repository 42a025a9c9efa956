import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseConfig } from './config.js';
import { formatListenAddress, parseListenAddress } from '../listen-address.js';

function problems(text: string): string[] {
  const parsed = parseConfig(text);
  return parsed.ok
    ? []
    : parsed.failure.map(({ line, path, says, fix }) => `${line} ${path}: ${says}. ${fix}`);
}

test('an empty file is a configuration; every section is optional', () => {
  assert.deepEqual(problems(''), []);
  assert.deepEqual(problems('postfix: {version: "3.7"}\nmetrics: {listen: 9461}\n'), []);
});

test('every problem is reported with its line, the fault and the fix', () => {
  const told = problems(`store: {fil: /tmp/x.db}
metrics: {listen: 99999999}
postfx: {}
postfix:
  version: 3.10
  dane: maybe
  resolver:
    everySecond: 3
policy:
  exemptions:
    - {domain: "a b", until: x}
`);
  assert.deepEqual(
    told.map((t) => t.split(':')[0]),
    [
      '1 store.fil',
      '2 metrics.listen',
      '3 postfx',
      '5 postfix.version',
      '6 postfix.dane',
      '8 postfix.resolver.everySecond',
      '11 policy.exemptions.0.domain',
      '11 policy.exemptions.0.until',
      '11 policy.exemptions.0.reason',
    ],
  );
  assert.match(told[0] ?? '', /Did you mean file\?/);
  assert.match(told[2] ?? '', /Did you mean postfix\?/);
  assert.match(told[3] ?? '', /quotes.*Write "3\.10"/);
  for (const one of told) assert.match(one, /: .+\. .+[.?]$/);
});

test('an unknown key without a similar one gets the list of known keys', () => {
  assert.match(problems('log: {colour: red}')[0] ?? '', /Its keys are format\./);
});

test('a repeated key and broken YAML are problems with a line, not exceptions', () => {
  assert.match(problems('log: {format: json}\nlog: {format: plain}')[0] ?? '', /^2 /);
  assert.match(problems('log: [\n')[0] ?? '', /^\d+ /);
  assert.match(problems(`a: &a [x]\n${'b: [*a, *a]\n'.repeat(2)}`)[0] ?? '', /^\d+ /);
});

test('an unsupported version of Postfix is refused', () => {
  assert.match(
    problems('postfix: {version: "3.3.1"}')[0] ?? '',
    /^1 postfix\.version: .*3\.4, 3\.5/,
  );
});

test('the default listening address is the loopback', () => {
  const read = (text: string): string => {
    const at = parseListenAddress(text);
    return at ? formatListenAddress(at) : 'none';
  };
  assert.equal(read('8461'), '127.0.0.1:8461');
  assert.equal(read('0.0.0.0:443'), '0.0.0.0:443');
  assert.equal(read('[::1]:443'), '[::1]:443');
  assert.equal(read('unix:/run/hermetic/postfix'), 'unix:/run/hermetic/postfix');
  for (const text of [
    '',
    'localhost:1',
    '::1:443',
    '1.2.3.4',
    '1.2.3.4:70000',
    'unix:relative',
    '-1',
    `unix:/${'x'.repeat(200)}`,
  ])
    assert.equal(read(text), 'none', text);
});

test('the documented configurations are valid, and docs/serve.md has every key', () => {
  const blocks = ['docs/serve.md', 'docs/postfix.md'].flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g),
  ]);
  assert.ok(blocks.length >= 2);
  for (const [, text = ''] of blocks) assert.deepEqual(problems(text), []);
  const told = (
    problems('policy: {x: 1}\npostfix: {version: "3.7", x: 1}\nweb: {listen: 1, x: 1}') ?? []
  ).join();
  for (const [, list = ''] of told.matchAll(/Its keys are ([^.]*)\./g))
    for (const key of list.split(', ')) assert.ok(blocks[0]?.[1]?.includes(`  ${key}:`), key);
});

test('0.0.0.0 and [::] with one port are two sockets, one for each family', () => {
  const parsed = parseConfig(
    "web: {listen: ['[::]:443', '0.0.0.0:443', '[::]:8443', '[::1]:443']}",
  );
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.value.web?.listen.map((at) => 'ipv6Only' in at),
    [true, false, false, false],
  );
});
