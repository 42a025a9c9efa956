import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { readTree, violations } from '../tools/architecture.js';

const { files, rules } = readTree();

test('the tree keeps the rules of the architecture', () => {
  assert.deepEqual(violations(files, rules), []);
  assert.ok(files.size >= rules.leastFiles);
});

test('the rules refer to existing places', () => {
  for (const place of rules.pure) assert.ok(existsSync(place), place);
});

/** Returns the violations in a tree of one file and its related files. */
function planted(
  file: string,
  text: string,
  also: Readonly<Record<string, string>> = {},
): string[] {
  const tree = new Map([[file, text], ...Object.entries(also)]);
  return violations(tree, rules)
    .filter((v) => v.file === file || v.file in also)
    .map((v) => `${v.file}:${v.line} ${v.rule}`);
}

const cases: readonly (readonly [what: string, file: string, text: string, rule: string])[] = [
  [
    'a unit test that starts a process',
    'src/dane/bad.test.ts',
    `import { fork } from 'node:child_process';`,
    'unit-test',
  ],
  ['an upward import', 'src/dane/bad.ts', `import { grade } from '../check/index.js';`, 'upward'],
  [
    'an upward import of a type',
    'src/net/bad.ts',
    `import type { Answer } from '../dns/index.js';`,
    'upward',
  ],
  [
    'a sibling inside L2',
    'src/smtp/bad.ts',
    `import { handshake } from '../tls/index.js';`,
    'sibling',
  ],
  ['a sibling job', 'src/send/bad.ts', `import { grade } from '../check/index.js';`, 'sibling'],
  [
    'a deep import',
    'src/tls-policy/bad.ts',
    `import { matchMx } from '../mta-sts/match-mx.js';`,
    'deep',
  ],
  ['the own index', 'src/dane/bad.ts', `import { verifyDane } from './index.js';`, 'own-index'],
  ['the lab in a job', 'src/check/bad.ts', `import { createLab } from '../lab/index.js';`, 'side'],
  ['a job in the lab', 'src/lab/bad.ts', `import { grade } from '../check/index.js';`, 'upward'],
  ['a package in the core', 'src/dns/bad.ts', `import { z } from 'zod';`, 'package'],
  [
    'a module with I/O in a pure folder',
    'src/x509/bad.ts',
    `import { readFileSync } from 'node:fs';`,
    'pure',
  ],
  ['the clock in a pure folder', 'src/check/grade/bad.ts', `export const at = Date.now();`, 'pure'],
  ['today in a pure folder', 'src/x509/bad.ts', `export const at = new Date();`, 'pure'],
  [
    'chance in a pure folder',
    'src/tls/wire/bad.ts',
    `import { randomBytes } from 'node:crypto';`,
    'pure',
  ],
  [
    'a timer in a pure folder',
    'src/tls-policy/decide-host.ts',
    `setTimeout(() => undefined, 1);`,
    'pure',
  ],
  ['process in a pure folder', 'src/evidence/bad.ts', `export const a = process.argv;`, 'pure'],
  [
    'global fetch',
    'src/mta-sts/bad.ts',
    `export const get = () => fetch('https://example.com');`,
    'socket',
  ],
  [
    'a WebSocket',
    'src/tls-rpt-receive/bad.ts',
    `export const open = () => new WebSocket('wss://example.com');`,
    'socket',
  ],
  ['a socket', 'src/smtp/bad.ts', `import { connect } from 'node:net';`, 'socket'],
  ['a resolver', 'src/http/bad.ts', `import { lookup } from 'node:dns';`, 'socket'],
  [
    'tls.connect to a host',
    'src/tls/bad.ts',
    `import tls from 'node:tls';\nexport const c = tls.connect({ host: 'example.com' });`,
    'socket',
  ],
  [
    'connect to a host',
    'src/tls/bad.ts',
    `import { connect } from 'node:tls';\nexport const c = connect({ host: 'example.com' });`,
    'socket',
  ],
  ['agent: false', 'src/http/bad.ts', `export const options = { agent: false };`, 'socket'],
  [
    'a private key outside its rooms',
    'src/check/bad.ts',
    `import { generateKeyPairSync } from 'node:crypto';`,
    'private-key',
  ],
  [
    'a private key in the text',
    'src/cli/bad.ts',
    `export const key = '-----BEGIN PRIVATE KEY-----';`,
    'private-key',
  ],
  [
    'a listener outside server and lab',
    'src/check/bad.ts',
    `import { createServer } from 'node:http';`,
    'listener',
  ],
  [
    'listening',
    'src/cli/bad.ts',
    `declare const s: { listen(n: number): void };\ns.listen(25);`,
    'listener',
  ],
];

for (const [what, file, text, rule] of cases) {
  test(`planted: ${what} is found`, () => {
    const found = planted(file, text);
    assert.ok(
      found.some((f) => f.startsWith(`${file}:`) && f.endsWith(` ${rule}`)),
      `${rule} not in: ${found.join('; ') || 'nothing'}`,
    );
  });
}

test('planted: a circle of type imports only is found', () => {
  const found = planted(
    'src/base/one.ts',
    `import type { Two } from './two.js';\nexport type One = Two;`,
    {
      'src/base/two.ts': `import type { One } from './one.js';\nexport type Two = One;`,
    },
  );
  assert.ok(
    found.some((f) => f.endsWith(' circle')),
    found.join(),
  );
});

test('planted: a circle of folders without a circle of files is found', () => {
  assert.equal(
    violations(
      new Map([
        ['src/publish/keys/one.ts', `import { b } from '../ledger/two.js';`],
        ['src/publish/ledger/two.ts', `import { c } from '../keys/four.js';`],
        ['src/publish/keys/four.ts', `export const c = 1;`],
      ]),
      rules,
    ).filter(({ rule }) => rule === 'folder-circle').length,
    1,
  );
});

test('planted: too few files are found', () => {
  const few = new Map([...files].slice(0, 10));
  assert.ok(violations(few, rules).some((v) => v.rule === 'too-few'));
});

test('code that only resembles a violation passes', () => {
  assert.deepEqual(
    planted('src/dns/fine.ts', `export const ask = (fetch: () => void) => fetch();`),
    [],
  );
  assert.deepEqual(
    planted(
      'src/tls/fine.ts',
      `import { connect } from 'node:tls';\nexport const c = (socket: never) => connect({ socket });`,
    ),
    [],
  );
  assert.deepEqual(
    planted('src/http/fine.ts', `import { isIP } from 'node:net';\nexport const a = isIP('');`),
    [],
  );
});
