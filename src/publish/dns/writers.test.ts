import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHermeticError } from '../../base/index.js';
import { publishSection } from '../config.js';
import { hookWriter } from './hook-writer.js';
import { parseTsigKey } from './tsig-key.js';

const secret = Buffer.alloc(32, 3).toString('base64');
const action = {
  kind: 'set-rrset',
  name: '_mta-sts.example.com',
  type: 'TXT',
  from: [],
  to: ['"v=STSv1; id=1"'],
  ttl: 60,
} as const;

test('a key is read as tsig-keygen writes it', () => {
  const key = parseTsigKey(
    `# made by hand\nkey "hermetic." {\n\talgorithm hmac-sha512;\n\tsecret "${secret}";\n};\n`,
    'k',
  );
  assert.deepEqual(
    [key.name.toString(), key.algorithm, key.secret.length],
    ['hermetic', 'hmac-sha512', 32],
  );
});

// [8945-6-1]
test('half a year of 45-day certificates keeps the key and defers no mail', () => {
  for (const text of [
    `key "k" { algorithm hmac-md5; secret "${secret}"; };`,
    `key "k" { algorithm hmac-sha1; secret "${secret}"; };`,
    `key "k" { algorithm hmac-sha256; secret "c2hvcnQ="; };`,
    `secret "${secret}"`,
  ])
    assert.throws(
      () => parseTsigKey(text, '/etc/key'),
      (error: unknown) =>
        isHermeticError(error) &&
        error.code === 'publish-tsig-unreadable' &&
        !error.message.includes(secret),
    );
});

test('a hook gets the change as JSON on standard input, without a shell', async () => {
  const check = `let t='';process.stdin.on('data',d=>t+=d).on('end',()=>{const c=JSON.parse(t);process.exit(c.name===${JSON.stringify(action.name)}&&c.to[0]===${JSON.stringify(action.to[0])}?0:3)})`;
  assert.deepEqual(await hookWriter([process.execPath, '-e', check])(action), { status: 'done' });
  const failed = await hookWriter([process.execPath, '-e', check])({
    ...action,
    name: '$(reboot).example',
  });
  assert.equal(failed.status === 'failed' && failed.code, 'publish-hook-failed');
  const absent = await hookWriter(['/nowhere/hook'])(action);
  assert.equal(absent.status, 'failed');
});

test('a hook with much output succeeds by its exit status', async () => {
  const change = {
    kind: 'set-rrset',
    name: '_mta-sts.one.example',
    type: 'TXT',
    from: [],
    to: ['"x"'],
    ttl: 60,
  } as const;
  const run = (script: string): ReturnType<ReturnType<typeof hookWriter>> =>
    hookWriter([process.execPath, '-e', script])(change);
  const much = "console.log('x'.repeat(3e6));console.error('y'.repeat(3e6));";
  assert.deepEqual(await run(much), { status: 'done' });
  const failed = await run(`${much}console.error('the zone is locked');process.exitCode=4`);
  assert.ok(failed.status === 'failed' && failed.code === 'publish-hook-failed');
  assert.match(failed.detail, /the zone is locked/);
  assert.ok(failed.detail.length < 1000);
  const killed = await run('process.kill(process.pid)');
  assert.ok(killed.status === 'failed' && /SIGTERM/.test(killed.detail), JSON.stringify(killed));
});

test('a hook that ignores SIGTERM is killed', async () => {
  const deaf = "process.on('SIGTERM',()=>{});setInterval(()=>{},1000)";
  const failed = await hookWriter([process.execPath, '-e', deaf], 400)(action);
  assert.equal(failed.status === 'failed' && failed.code, 'publish-hook-failed');
});

test('an invalid entry of publish.dns is refused at the start', () => {
  const judge = (target: unknown): boolean =>
    publishSection.safeParse({ dns: { own: target } }).success;
  assert.ok(judge({ kind: 'rfc2136', server: '127.0.0.1:53', zone: 'example.com', key: '/k' }));
  assert.ok(!judge({ kind: 'rfc2136', server: 'ns.example.com', zone: 'example.com', key: '/k' }));
  assert.ok(
    !judge({ kind: 'rfc2136', server: 'tls://127.0.0.1#ns', zone: 'example.com', key: '/k' }),
  );
  assert.ok(!judge({ kind: 'hook', command: [] }));
});
