import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTests } from './run-tests.js';

/** What the tests need, as Debian packages by the program that shows they are there. At most one mail server: they conflict. */
const needed: Readonly<Record<string, string>> = {
  '/usr/sbin/postfix': 'postfix',
  '/usr/sbin/named': 'bind9',
  '/usr/bin/dnssec-signzone': 'bind9-utils',
  '/usr/bin/delv': 'bind9-dnsutils',
  '/usr/sbin/unbound': 'unbound',
};
const LEAST = 14;

function install(): void {
  const missing = Object.entries(needed).flatMap(([program, name]) => (existsSync(program) ? [] : [name]));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`not installed: ${missing.join(', ')}. Run as root, or install them first.`);
  console.log(`installing ${missing.join(', ')}`);
  // Nothing is started by its installation: the tests run their own, with private configuration.
  const policy = '/usr/sbin/policy-rc.d';
  if (!existsSync(policy)) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  apt(['update', '-qq']);
  spawnSync('debconf-set-selections', { input: 'postfix postfix/main_mailer_type select No configuration\n' });
  apt(['install', '-y', '-qq', '--no-install-recommends', ...missing]);
}

function apt(args: readonly string[]): void {
  for (let attempt = 1; ; attempt++) {
    const { status, stderr, stdout } = spawnSync('apt-get', [...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      encoding: 'utf8',
    });
    if (status === 0) return;
    if (attempt === 3) throw new Error(`apt-get ${args.join(' ')}\n${stdout}\n${stderr}`);
    spawnSync('sleep', ['5']);
  }
}

install();
const folder = 'dist/test/interop';
const { values, positionals: given } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string' }, seed: { type: 'string' } },
});
if (values.count) process.env['HERMETIC_COUNT'] = values.count;
if (values.seed) process.env['HERMETIC_SEED'] = values.seed;
const files = readdirSync(folder)
  .filter((f) => f.endsWith('.test.js') && existsSync(join('test/interop', f.replace(/\.js$/, '.ts'))))
  .filter((f) => given.length === 0 || given.some((g) => f.includes(g)))
  .map((f) => join(folder, f));
const began = performance.now();
const { passed, failed, skipped } = await runTests(files, 1, 1_500_000);
console.log(
  `${files.length} files: ${passed} passed, ${failed} failed, ${skipped} skipped (${((performance.now() - began) / 1000).toFixed(0)} s)`,
);
if (failed > 0 || (given.length === 0 && passed < LEAST)) process.exitCode = 1;
