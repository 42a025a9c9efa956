import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Name } from '../../base/index.js';
import type { AcmeCaHabits } from '../../lab/index.js';
import { LabNetwork } from '../../lab/index.js';
import { dnsWriters } from '../dns/dns-writers.js';
import { publishSection } from '../config.js';
import { openAcmeStore } from './acme-store.js';
import type { ChallengeSolver } from '../../acme/index.js';
import { dnsSolver } from './dns-solver.js';
import { folderSolver } from './folder-solver.js';
import { acmeWorld, type AcmeWorld } from '../../../test/support/publish/acme-ca.js';

const host = 'mta-sts.one.example';
const key = 'ecdsa-1';
const day = 86_400_000;

async function world(t: TestContext, habits?: Partial<AcmeCaHabits>): Promise<AcmeWorld> {
  const made = await acmeWorld({
    window: ({ notAfter }) => ({ start: notAfter - 31 * day, end: notAfter - 29 * day }),
    ...habits,
  });
  t.after(() => made.close());
  made.ring.make(host, key, 'ecdsa');
  return made;
}

for (const [status, kind] of [
  [400, 'malformed'],
  [404, 'malformed'],
  [403, 'unauthorized'],
  [409, 'alreadyReplaced'],
  [409, 'conflict'],
  [500, 'serverInternal'],
] as const)
  test(`replaces refused with ${status} ${kind}: one order without it, same attempt`, async (t) => {
    const { ca, certifier, clock } = await world(t);
    await certifier().certify({ host, key });
    ca.habits.refuseReplaces = { at: 'order', status, kind };
    clock.at += 61 * day;
    assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
    assert.equal(ca.orders.size, 2);
    assert.equal([...ca.certificates.values()][1]?.replaces, undefined);
  });

test('replaces refused only at finalization: the next attempt omits it', async (t) => {
  const { ca, certifier, clock } = await world(t);
  await certifier().certify({ host, key });
  ca.habits.refuseReplaces = { at: 'finalize', status: 400, kind: 'malformed' };
  clock.at += 61 * day;
  assert.equal((await certifier().certify({ host, key })).status, 'failed');
  clock.at += day;
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
});

test('a rate limit is not a refusal of replaces', async (t) => {
  const { ca, certifier, clock } = await world(t);
  await certifier().certify({ host, key });
  ca.habits.refuseReplaces = { at: 'order', status: 429, kind: 'rateLimited' };
  clock.at += 61 * day;
  const outcome = await certifier().certify({ host, key });
  assert.equal(outcome.status === 'failed' && outcome.code, 'acme-limited');
  assert.equal(ca.orders.size, 1);
});

/** Simulates a certificate in use that another directory issued. */
async function issuedBy({ store }: AcmeWorld, directory: string): Promise<void> {
  const book = openAcmeStore(store);
  const known = book.renewal(host, key);
  assert.ok(known);
  await book.saveRenewal(host, key, { ...known, directory });
}

test('a certificate of the former ACME directory is replaced once, immediately', async (t) => {
  const made = await world(t);
  const { ca, certifier, clock } = made;
  await certifier().certify({ host, key });
  await issuedBy(made, 'https://staging.lab.example/directory');
  const first = certifier();
  assert.equal(await first.isDue({ host, key }), true);
  assert.equal(first.renewalAt({ host, key }), clock.at);
  assert.match(first.explanation({ host, key }) ?? '', /publish\.acme\.directory is https:\/\/ca/);
  assert.deepEqual(await first.certify({ host, key }), { status: 'done' });
  assert.equal([...ca.certificates.values()][1]?.replaces, undefined);
  assert.equal(await certifier().isDue({ host, key }), false);
  assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
  assert.equal(ca.orders.size, 2);
});

test('a directory spelled differently is not another directory', async (t) => {
  const made = await world(t);
  const { ca, certifier } = made;
  await certifier().certify({ host, key });
  const { hostname, pathname } = new URL(ca.directory);
  await issuedBy(made, `https://${hostname.toUpperCase()}:443${pathname}`);
  assert.equal(await certifier().isDue({ host, key }), false);
});

for (const [spelling, spell] of [
  ['capitals', (url: URL) => `https://${url.hostname.toUpperCase()}${url.pathname}`],
  ['a port', (url: URL) => `https://${url.hostname}:443${url.pathname}`],
  ['dot segments', (url: URL) => `HTTPS://${url.hostname}/other/..${url.pathname}`],
] as const)
  test(`a directory with ${spelling} keeps account, pauses and renewal queries`, async (t) => {
    const { ca, server, certifier, store: database, clock } = await world(t);
    await certifier().certify({ host, key });
    const directory = spell(new URL(ca.directory));
    const spelled = certifier({ server: { ...server, directory } });
    const before = ca.informed;
    assert.equal(await spelled.isDue({ host, key }), false);
    assert.equal(ca.informed, before + 1);
    assert.equal(spelled.accountUri, certifier().accountUri);
    clock.at += 61 * day;
    await openAcmeStore(database).pause(new URL(ca.directory).href, '*', clock.at + 1000);
    assert.equal((await spelled.certify({ host, key })).status, 'failed');
    clock.at += 1000;
    assert.deepEqual(await spelled.certify({ host, key }), { status: 'done' });
    assert.equal(ca.accounts.size, 1);
    assert.ok([...ca.certificates.values()][1]?.replaces);
  });

test('a certificate of unknown origin is renewed by its lifetime', async (t) => {
  const made = await world(t);
  const { ca, certifier, ring } = made;
  await certifier().certify({ host, key });
  await issuedBy(made, 'https://staging.lab.example/directory');
  // The operator replaced the certificate by another one for the same key.
  ring.make(host, 'ecdsa-2', 'ecdsa');
  const store = openAcmeStore(made.store);
  const known = store.renewal(host, key);
  assert.ok(known);
  await store.saveRenewal(host, key, { ...known, certificateId: 'AAAA.BBBB' });
  assert.equal(await certifier().isDue({ host, key }), false);
  assert.equal(ca.orders.size, 1);
});

async function failureOf(made: AcmeWorld, answers: ChallengeSolver) {
  const outcome = await made.certifier({ solvers: [answers] }).certify({ host, key });
  assert.ok(outcome.status === 'failed', JSON.stringify(outcome));
  return outcome;
}

test('a DNS update refused for a challenge names the record and the refusal', async (t) => {
  const made = await world(t, { challenges: ['dns-01'] });
  const name = `_acme-challenge.${host}`;
  const detail = `TXT of ${name}: REFUSED`;
  const { code, detail: shown } = await failureOf(
    made,
    dnsSolver({
      locate: () => Promise.resolve({ ok: true, value: { name, dns: 'own' } }),
      write: () => Promise.resolve({ status: 'failed', code: 'dns-update-refused', detail }),
      lookup: () => Promise.resolve([[]]),
      clock: made.clock,
    }),
  );
  assert.equal(code, 'dns-update-refused');
  assert.equal(shown, detail);
});

test('an unwritable webroot is a failed write, not a missing challenge', async (t) => {
  const made = await world(t, { challenges: ['http-01'] });
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-webroot-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, '.well-known'), 'a file instead of the folder');
  const { code, detail } = await failureOf(made, folderSolver(folder));
  assert.equal(code, 'publish-write-failed');
  assert.match(detail, /acme-challenge/);
});

test('a failed hook reports its exit status, its output and the record', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-hook-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const hook = (name: string, script: string): string => {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const commands = {
    says: [hook('says', 'echo "quota exceeded" >&2; exit 7'), /exit status 7: quota exceeded/],
    silent: [hook('silent', 'exit 3'), /exit status 3$/],
    killed: [hook('killed', 'kill -SEGV $$'), /ended by SIGSEGV/],
    absent: [join(folder, 'absent'), /absent: /],
  } as const;
  const section = publishSection.parse({
    dns: Object.fromEntries(
      Object.entries(commands).map(([name, [command]]) => [
        name,
        { kind: 'hook', command: [command] },
      ]),
    ),
  });
  const network = new LabNetwork();
  t.after(() => network.close());
  const { clock } = await world(t);
  const writers = dnsWriters(section, { network, clock, readSecret: () => '' });
  const name = Name.of(`_acme-challenge.${host}`).toLower();
  for (const [dns, [, says]] of Object.entries(commands)) {
    const outcome = await writers.get(dns)?.({
      kind: 'set-rrset',
      name,
      type: 'TXT',
      from: [],
      to: ['"x"'],
      ttl: 60,
    });
    assert.ok(outcome?.status === 'failed');
    assert.equal(outcome.code, 'publish-hook-failed');
    assert.ok(outcome.detail.startsWith(`TXT of ${name}: `), outcome.detail);
    assert.match(outcome.detail, says);
  }
});
