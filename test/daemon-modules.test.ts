import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'node:test';

const root = 'dist/src';
/** Imports and re-exports that load a module at once; `import()` loads it on demand. */
const atOnce = /^(?:import|export)\b[^;'"]*?from '(\.[^']+)'|^import '(\.[^']+)'/gm;

/** Returns the modules that a module loads at once, itself included. */
function loadedWith(entry: string): ReadonlySet<string> {
  const found = new Set([join(root, entry)]);
  for (const file of found)
    for (const [, from, bare] of readFileSync(file, 'utf8').matchAll(atOnce))
      found.add(join(dirname(file), from ?? bare ?? ''));
  return new Set([...found].map((file) => relative(root, file)));
}

test('a daemon without jobs loads no code of a job', () => {
  const loaded = loadedWith('server/index.js');
  assert.ok(loaded.size >= 200, `${loaded.size} modules`);
  for (const part of ['acme', 'check', 'publish', 'sender', 'tls-rpt-receive', 'watch', 'web'])
    assert.ok(!loaded.has(`${part}/index.js`), part);
});

test('the module search follows imports and re-exports', () => {
  assert.ok(loadedWith('server/jobs/watch.js').has('watch/index.js'));
  assert.ok(loadedWith('watch/index.js').has('watch/digest/digest-schedule.js'));
});

test('large libraries are loaded at first use', () => {
  const jobs = [
    'postfix',
    'publish',
    'tls-rpt-receive',
    'tls-rpt-send',
    'watch',
    'pages',
    'sender-test',
  ];
  const library =
    /^import [^;']*'((?:mailauth|nodemailer|imapflow|postal-mime|openid-client|prom-client)\b[^']*)'/gm;
  for (const job of jobs)
    for (const file of loadedWith(`server/jobs/${job}.js`)) {
      const found = [...readFileSync(join(root, file), 'utf8').matchAll(library)];
      assert.deepEqual(
        found.map(([, name]) => name),
        [],
        `${file} of ${job}`,
      );
    }
});
