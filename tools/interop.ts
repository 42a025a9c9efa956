import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from '../test/interop/debian.js';
import { ownNetwork } from '../test/interop/own-network.js';
import { runTests } from './run-tests.js';

/**
 * The Debian packages of the tests, by the program that proves their presence. At most
 * one mail server is installed: they conflict, so the others are unpacked.
 */
const needed: Readonly<Record<string, string>> = {
  '/usr/sbin/ip': 'iproute2',
  '/usr/sbin/postfix': 'postfix',
  '/usr/sbin/named': 'bind9',
  '/usr/bin/dnssec-signzone': 'bind9-utils',
  '/usr/bin/delv': 'bind9-dnsutils',
  '/usr/sbin/unbound': 'unbound',
  '/usr/sbin/nsd': 'nsd',
  '/usr/bin/ldns-signzone': 'ldnsutils',
  '/usr/sbin/knotd': 'knot',
  '/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql': 'pdns-backend-sqlite3',
  '/usr/sbin/pdns_server': 'pdns-server',
  '/usr/bin/pebble': 'pebble',
  '/usr/bin/gnutls-serv': 'gnutls-bin',
  '/usr/sbin/haproxy': 'haproxy',
  '/usr/bin/stunnel4': 'stunnel4',
  '/usr/bin/testssl': 'testssl.sh',
  '/usr/bin/sslscan': 'sslscan',
  '/usr/bin/nmap': 'nmap',
  '/usr/bin/chromium': 'chromium',
  '/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf': 'fonts-liberation',
  '/usr/bin/xmllint': 'libxml2-utils',
  '/usr/lib/dovecot/imap': 'dovecot-imapd',
  '/usr/bin/pdftotext': 'poppler-utils',
  '/usr/bin/promtool': 'prometheus',
};
const LEAST = 24;

installPackages(needed);
// Another program may hold an address of a test: in a separate network all addresses are
// free.
ownNetwork([], 'HERMETIC_INTEROP');
const folder = 'dist/test/interop';
const { values, positionals: given } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string' }, seed: { type: 'string' }, full: { type: 'boolean' } },
});
if (values.count) process.env['HERMETIC_COUNT'] = values.count;
if (values.seed) process.env['HERMETIC_SEED'] = values.seed;
if (values.full) process.env['HERMETIC_FULL'] = '1';
const files = readdirSync(folder)
  .filter(
    (f) => f.endsWith('.test.js') && existsSync(join('test/interop', f.replace(/\.js$/, '.ts'))),
  )
  .filter((f) => given.length === 0 || given.some((g) => f.includes(g)))
  .map((f) => join(folder, f));
const began = performance.now();
const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of files) {
  const start = performance.now();
  const counts = await runTests([file], 1, 1_500_000);
  console.log(report(basename(file), counts, start));
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key];
}
console.log(report(`${files.length} files`, total, began));
if (total.failed > 0 || (given.length === 0 && total.passed < LEAST)) process.exitCode = 1;

function report(what: string, { passed, failed, skipped }: typeof total, start: number): string {
  return `${what}: ${passed} passed, ${failed} failed, ${skipped} skipped (${((performance.now() - start) / 1000).toFixed(0)} s)`;
}
