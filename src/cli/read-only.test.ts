import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createCa, issue } from '../pki/index.js';
import { KeyRing, openLedger } from '../publish/index.js';
import { prepareReports } from '../tls-rpt-receive/index.js';
import { stsStore } from '../send/index.js';
import { prepareReporting } from '../tls-rpt-send/index.js';
import { openStore } from '../store/index.js';
import { failingResolver, type FailingResolver } from '../../test/support/failing-resolver.js';
import { runCli } from '../../test/support/run-cli.js';

let root: string;
let state: string;
let config: string;
let resolver: FailingResolver;

/** The files of a machine that publishes, sends and reports, and files to import. */
before(async () => {
  root = mkdtempSync(join(tmpdir(), 'hermetic-read-only-'));
  resolver = await failingResolver();
  state = join(root, 'state');
  for (const folder of ['keys', 'brought', 'tls'])
    mkdirSync(join(state, folder), { recursive: true });
  const made = issue(createCa({ name: 'Test Root' }), { names: ['mx1.one.example'] });
  writeFileSync(join(state, 'brought', 'key.pem'), made.keyPem, { mode: 0o600 });
  writeFileSync(join(state, 'brought', 'chain.pem'), made.chainPem);
  new KeyRing(join(state, 'keys')).make('mx2.one.example', 'ecdsa-1', 'ecdsa');
  const file = join(state, 'hermetic.db');
  const store = await openStore(file);
  prepareReports(store);
  prepareReporting(store);
  const ledger = openLedger(store);
  await ledger.saveFailure(
    { kind: 'domain', name: 'one.example' },
    {
      action: 'set-rrset _mta-sts.one.example TXT',
      says: 'set TXT of _mta-sts.one.example',
      code: 'dns-update-refused',
      detail: 'TXT of _mta-sts.one.example: REFUSED',
      at: Date.UTC(2026, 0, 1),
    },
  );
  const at = Date.now();
  const policy = {
    id: 'cached1',
    mode: 'enforce',
    maxAge: 604_800,
    mx: ['*.good.example'],
  } as const;
  await stsStore(store).put({
    domain: 'good.example',
    policy: { ...policy, body: '', fetchedAt: at },
    usedAt: at,
  });
  store.close();
  // The driver removes the empty log only after its statements are garbage-collected.
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  config = join(state, 'hermetic.yaml');
  writeFileSync(
    config,
    `store: {file: ${file}}
resolver: {addresses: ["${resolver.at}"]}
metrics: {listen: "127.0.0.1:0"}
reporting: {organization: One, contact: tls@one.example}
publish:
  keys: ${join(state, 'keys')}
  everyMinutes: 10
  hosts:
    mx1.one.example:
      certificates: files
      files: [{chain: ${join(state, 'brought', 'chain.pem')}, key: ${join(state, 'brought', 'key.pem')}}]
      install: {folder: ${join(state, 'tls')}}
    mx2.one.example: {adopt: [${join(state, 'brought', 'key.pem')}]}
  domains:
    one.example: {mx: [mx1.one.example], reports: ['mailto:tls@one.example']}
`,
  );
});
after(() => {
  resolver.close();
  rmSync(root, { recursive: true });
});

/**
 * Returns a hash of every name in a folder with its mode, size, time of change and
 * contents.
 */
function digest(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const { mode, size, mtimeMs } = statSync(join(folder, name));
    hash.update(`${name} ${mode} ${size} ${mtimeMs} `);
    if (statSync(join(folder, name)).isFile()) hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

const commands: readonly (readonly [string, () => readonly string[], RegExp?])[] = [
  [
    'publish plan',
    () => ['publish', 'plan', '--config', config],
    /import key and certificate ecdsa-1/,
  ],
  ['publish plan --json', () => ['publish', 'plan', '--json', '--config', config]],
  [
    'publish status',
    () => ['publish', 'status', '--config', config],
    /FAIL {2}set TXT of _mta-sts\.one\.example[^]*REFUSED \(dns-update-refused\)[^]*not before 2026-01-01T00:10/,
  ],
  [
    'publish status --json',
    () => ['publish', 'status', '--json', '--config', config],
    /"failures":\[\{/,
  ],
  ['serve --check', () => ['serve', '--check', '--config', config], /is valid/],
  ['report show', () => ['report', 'show', '--store', join(state, 'hermetic.db')]],
  [
    'report show DOMAIN',
    () => ['report', 'show', 'one.example', '--store', join(state, 'hermetic.db')],
  ],
  ['report preview', () => ['report', 'preview', '--config', config], /No session is counted/],
  ['policy', () => ['policy', '--lab', 'good.example', '--store', join(state, 'hermetic.db')]],
  ['policy --postfix', () => ['policy', '--lab', 'good.example', '--postfix', '3.7']],
  ['records', () => ['records', '--lab', 'good.example'], /nothing is missing/],
  ['check', () => ['check', '--lab', 'good.example']],
  ['grade', () => ['grade', join(root, 'evidence.json')]],
  ['diff', () => ['diff', join(root, 'result.json'), join(root, 'result.json')]],
  ['tlsa', () => ['tlsa', join(state, 'brought', 'chain.pem')], /^3 1 1 /],
  ['explain', () => ['explain', 'publish-write-failed']],
  ['config', () => ['config', 'postfix']],
];

test('read-only commands change no byte of the state', async (t) => {
  const made = await runCli([
    'check',
    '--lab',
    'good.example',
    '--json',
    '--evidence',
    join(root, 'evidence.json'),
  ]);
  writeFileSync(join(root, 'result.json'), made.out);
  const untouched = digest(state);
  for (const [name, args, shows] of commands)
    await t.test(name, async () => {
      const { out, err } = await runCli(args());
      assert.notEqual(out, '', err);
      if (shows) assert.match(out, shows);
      assert.equal(digest(state), untouched, `${name} changed the state`);
    });
});

test('read-only commands create no database', async () => {
  const empty = join(root, 'empty');
  mkdirSync(empty);
  const other = join(root, 'empty.yaml');
  const text = readFileSync(config, 'utf8').replaceAll(
    join(state, 'hermetic.db'),
    join(empty, 'a.db'),
  );
  writeFileSync(other, text.replaceAll(join(state, 'keys'), join(empty, 'keys')));
  for (const command of [
    ['publish', 'plan'],
    ['publish', 'status'],
    ['serve', '--check'],
  ])
    assert.equal((await runCli([...command, '--config', other])).code, 0);
  assert.deepEqual(readdirSync(empty), []);
});
