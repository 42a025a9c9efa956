import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { hookWriter } from '../../src/publish/dns/hook-writer.js';
import { runProgram } from '../interop/process.js';
import { serveProviderApi, tokens, type ProviderApi } from '../support/dns-provider-apis.js';

type RecordType = 'TXT' | 'TLSA' | 'MX' | 'CNAME';
interface Change {
  readonly name: string;
  readonly type: RecordType;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly ttl: number;
}
interface Provider {
  read(name: string, type: RecordType): Promise<{ readonly records: readonly string[] }>;
}
interface Hooks {
  readonly applyChange: (provider: Provider, change: Change) => Promise<void>;
  readonly parseChange: (text: string) => Change;
  readonly isSame: (type: RecordType, left: readonly string[], right: readonly string[]) => boolean;
  readonly inZone: (name: string, zone: string) => boolean;
  readonly apiAddress: (text: string) => string;
}

const folder = resolve('examples/hooks');
const load = async <T>(file: string): Promise<T> =>
  (await import(pathToFileURL(join(folder, file)).href)) as T;
const hooks = async (): Promise<Hooks> => ({
  ...(await load<Hooks>('apply-change.mjs')),
  ...(await load<Hooks>('call-api.mjs')),
});

interface World {
  readonly api: ProviderApi;
  readonly options: readonly string[];
  readonly change: (change: Partial<Change> & Pick<Change, 'from' | 'to'>) => Promise<void>;
}

/** Returns the API of a provider, its token file, and its module. */
async function world(t: TestContext, provider: string): Promise<World> {
  const api = await serveProviderApi(provider);
  const place = mkdtempSync(join(tmpdir(), 'hermetic-hook-'));
  t.after(() => {
    api.close();
    rmSync(place, { recursive: true });
  });
  const tokenFile = join(place, 'token');
  writeFileSync(tokenFile, `${tokens[provider]}\n`, { mode: 0o600 });
  const values = {
    zone: 'one.example',
    'token-file': tokenFile,
    api: api.address,
    ...(provider === 'route53' ? { 'zone-id': 'Z0123456789ABC' } : {}),
  };
  const { connect } = await load<{ connect: (values: object) => Provider }>(
    `providers/${provider}.mjs`,
  );
  const { applyChange, parseChange } = await hooks();
  return {
    api,
    options: Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]),
    async change(given) {
      const change = { name: '_mta-sts.one.example', type: 'TXT', ttl: 3600, ...given };
      await applyChange(connect(values), parseChange(JSON.stringify(change)));
    },
  };
}

const [current, next] = [`3 1 1 ${'aa'.repeat(32)}`, `3 1 1 ${'bb'.repeat(32)}`];
const tlsa = { name: '_25._tcp.mx1.one.example', type: 'TLSA' } as const;
const [one, two] = ['"v=STSv1; id=1;"', '"v=STSv1; id=2;"'];

for (const provider of ['desec', 'cloudflare', 'hetzner', 'route53']) {
  test(`${provider}: only the TXT record is created, changed and removed`, async (t) => {
    const { api, change } = await world(t, provider);
    api.zone.set('_smtp._tls.one.example TXT', { ttl: 3600, records: ['"other"'] });
    const key = '_mta-sts.one.example TXT';
    await change({ from: [], to: [one] });
    assert.deepEqual(api.zone.get(key), { ttl: 3600, records: [one] });
    await change({ from: [one], to: [two] });
    assert.deepEqual(api.zone.get(key), { ttl: 3600, records: [two] });
    await change({ from: [two], to: [] });
    assert.deepEqual([...api.zone.keys()], ['_smtp._tls.one.example TXT']);
  });

  test(`${provider}: TLSA gets a second record, loses the first and is removed`, async (t) => {
    const { api, change } = await world(t, provider);
    const records = (): readonly string[] | undefined =>
      api.zone.get(`${tlsa.name} TLSA`)?.records.slice().sort();
    await change({ ...tlsa, from: [], to: [current] });
    await change({ ...tlsa, from: [current], to: [current, next] });
    assert.deepEqual(records(), [current, next]);
    await change({ ...tlsa, from: [next, current], to: [next] });
    assert.deepEqual(records(), [next]);
    await change({ ...tlsa, from: [next], to: [] });
    assert.equal(records(), undefined);
  });

  test(`${provider}: a finished change succeeds again and writes nothing`, async (t) => {
    const { api, change } = await world(t, provider);
    await change({ from: [], to: [one] });
    const before = api.requests.length;
    await change({ from: [], to: [one] });
    const later = api.requests.slice(before);
    assert.ok(later.length >= 1);
    assert.ok(
      later.every((request) => request.startsWith('GET ')),
      later.join(),
    );
  });

  test(`${provider}: records of another program stay`, async (t) => {
    const { api, change } = await world(t, provider);
    api.zone.set('_mta-sts.one.example TXT', { ttl: 3600, records: ['"mine"'] });
    await assert.rejects(change({ from: [one], to: [two] }), /changed by another program/);
    await assert.rejects(change({ from: [], to: [two] }), /changed by another program/);
    assert.deepEqual(api.zone.get('_mta-sts.one.example TXT')?.records, ['"mine"']);
  });

  test(`${provider}: a text of two strings is the same text`, async (t) => {
    const { api, change } = await world(t, provider);
    const long = `"${'x'.repeat(255)}" "${'y'.repeat(20)}"`;
    await change({ from: [], to: [long] });
    api.zone.set('_mta-sts.one.example TXT', {
      ttl: 3600,
      records: [`"${'x'.repeat(200)}" "${'x'.repeat(55)}${'y'.repeat(20)}"`],
    });
    await change({ from: [], to: [long] });
    await change({ from: [long], to: [] });
    assert.equal(api.zone.size, 0);
  });

  test(`${provider}: a wrong token changes nothing and is not shown`, async (t) => {
    const { api, options, change } = await world(t, provider);
    const file = options[options.indexOf('--token-file') + 1] ?? '';
    const wrong = readFileSync(file, 'utf8').replace(/token|Secret/, 'wrong');
    writeFileSync(file, wrong);
    await assert.rejects(change({ from: [], to: [one] }), (error: Error) => {
      assert.match(error.message, /: 40[013] /);
      assert.ok(!error.message.includes(wrong.trim()));
      return true;
    });
    assert.equal(api.zone.size, 0);
  });

  test(`${provider}: Hermetic runs the script unchanged`, async (t) => {
    const { api, options } = await world(t, provider);
    const change = { ...tlsa, from: [], to: [current, next] };
    assert.deepEqual(await runHook(provider, options, change), { status: 'done' });
    assert.equal(api.zone.get(`${tlsa.name} TLSA`)?.records.length, 2);
    const outside = await runHook(provider, options, {
      ...change,
      name: '_25._tcp.mx.two.example',
    });
    assert.ok(outside.status === 'failed' && /not in the zone/.test(outside.detail));
  });
}

type HookResult = Awaited<ReturnType<ReturnType<typeof hookWriter>>>;

function runHook(
  provider: string,
  options: readonly string[],
  change: Partial<Change> & Pick<Change, 'from' | 'to'>,
): Promise<HookResult> {
  const script = join(folder, 'change-record.mjs');
  const write = hookWriter([process.execPath, script, provider, ...options]);
  return write({
    kind: 'set-rrset',
    name: '_mta-sts.one.example',
    type: 'TXT',
    ttl: 3600,
    ...change,
  });
}

test('Hetzner: a change of the TTL waits for its own action', async (t) => {
  const { api, change } = await world(t, 'hetzner');
  await change({ from: [], to: [one], ttl: 3600 });
  await change({ from: [one], to: [two], ttl: 300 });
  assert.deepEqual(api.zone.get('_mta-sts.one.example TXT'), { ttl: 300, records: [two] });
});

test('deSEC: a TTL below the least one of the domain is raised', async (t) => {
  const { api, change } = await world(t, 'desec');
  await change({ from: [], to: [one], ttl: 60 });
  assert.equal(api.zone.get('_mta-sts.one.example TXT')?.ttl, 3600);
});

test('Cloudflare: only differing records are changed', async (t) => {
  const { api, change } = await world(t, 'cloudflare');
  await change({ ...tlsa, from: [], to: [current], ttl: 600 });
  await change({ ...tlsa, from: [current], to: [current, next], ttl: 600 });
  assert.deepEqual(api.zone.get(`${tlsa.name} TLSA`)?.records, [current, next]);
});

test('Route 53: a set that changes after the read is not deleted', async (t) => {
  const { api, change } = await world(t, 'route53');
  await change({ from: [], to: [one] });
  // Another program writes between the read and the write of the hook.
  api.afterAnswer = () =>
    void api.zone.set('_mta-sts.one.example TXT', { ttl: 3600, records: ['"racer"'] });
  await assert.rejects(change({ from: [one], to: [two] }), /InvalidChangeBatch/);
  assert.deepEqual(api.zone.get('_mta-sts.one.example TXT')?.records, ['"racer"']);
});

test('Route 53: the signature is that of the example in the documentation', async () => {
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-examples.html
  const { sign } = await load<{
    sign: (request: object, credentials: object) => { readonly authorization: string };
  }>('providers/route53.mjs');
  const { authorization } = sign(
    {
      method: 'GET',
      url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      now: '20150830T123600Z',
      region: 'us-east-1',
      service: 'iam',
    },
    { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  );
  assert.match(
    authorization,
    /Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7$/,
  );
});

test('the same record in another form is the same record', async () => {
  const { isSame } = await hooks();
  assert.ok(isSame('TLSA', ['3 1 1 AABB'], ['3  1 1 aa bb']));
  assert.ok(!isSame('TLSA', ['3 1 1 aabb'], ['3 0 1 aabb']));
  assert.ok(isSame('MX', ['10 MX1.one.example'], ['10 mx1.one.example.']));
  assert.ok(isSame('CNAME', ['a.example.'], ['a.example']));
  assert.ok(isSame('TXT', ['"a\\"b"'], ['"a" "\\034b"']));
  assert.ok(!isSame('TXT', ['"A"'], ['"a"']));
  assert.ok(!isSame('TXT', ['"a"'], ['"a"', '"a"']));
});

test('an invalid change is refused before any request', async () => {
  const { parseChange, inZone, apiAddress } = await hooks();
  const good = { name: '_mta-sts.one.example', type: 'TXT', from: [], to: ['"x"'], ttl: 60 };
  assert.deepEqual(parseChange(JSON.stringify(good)), good);
  for (const bad of [
    { ...good, name: '../zones/other' },
    { ...good, name: 'a.example/../../x' },
    { ...good, type: 'NS' },
    { ...good, to: 'x' },
    { ...good, to: [''] },
    { ...good, ttl: '60' },
  ])
    assert.throws(() => parseChange(JSON.stringify(bad)), JSON.stringify(bad));
  assert.ok(inZone('one.example', 'one.example') && inZone('a.one.example', 'one.example'));
  assert.ok(!inZone('evilone.example', 'one.example'));
  assert.throws(() => apiAddress('http://api.example.com'), /https/);
  assert.equal(apiAddress('http://127.0.0.1:8081/'), 'http://127.0.0.1:8081');
});

test('the commands of docs/dns-hook.md create a record and remove it', async (t) => {
  const { api, options } = await world(t, 'desec');
  const [, file = ''] = /--token-file (\S+)/.exec(options.join(' ')) ?? [];
  const blocks = [...readFileSync('docs/dns-hook.md', 'utf8').matchAll(/```sh\n(.*)\n```/g)];
  assert.equal(blocks.length, 2);
  for (const [index, [, command = '']] of blocks.entries()) {
    const here = command
      .replace('node /usr/share/hermetic/hooks', `${process.execPath} ${folder}`)
      .replace('/etc/hermetic/provider.token', `${file} --api ${api.address}`);
    const { code, err } = await runProgram('bash', ['-c', here], { anyStatus: true });
    assert.equal(code, 0, err);
    assert.equal(api.zone.has('_hermetic-test.one.example TXT'), index === 0);
  }
});

test('the script names its providers, and every one of them has a file', async (t) => {
  const { options } = await world(t, 'desec');
  const none = await runHook('nowhere', options, { from: [], to: [one] });
  assert.ok(none.status === 'failed' && none.detail.includes('exit status 2'));
  for (const name of ['powerdns', 'desec', 'cloudflare', 'hetzner', 'route53'])
    assert.ok(none.detail.includes(name));
});
