import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { check } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { run } from '../../src/cli/run.js';
import { runCli } from '../support/run-cli.js';
import { createLab, type Lab } from '../../src/lab/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import { missingRecords, openAcmeStore } from '../../src/publish/index.js';
import { openStore } from '../../src/store/index.js';
import { parseCertificate, spkiSha256 } from '../../src/x509/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';

let lab: Lab;
before(async () => {
  lab = await createLab();
});
after(() => lab.close());

async function missing(domain: string): Promise<readonly string[]> {
  return missingRecords(await check(domain, labOptions(lab))).map(
    ({ kind, text }) => `${kind} ${text}`,
  );
}

test('missing records have the safe order: reports, testing policy, record, TLSA', async () => {
  const steps = await missing('signed-only.example');
  assert.deepEqual(
    steps.map((step) =>
      step
        .replace(/id=\w+|[0-9a-f]{64}/, '…')
        .split('\r\n')
        .slice(0, 2)
        .join(' '),
    ),
    [
      'record _smtp._tls.signed-only.example. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tlsrpt@signed-only.example"',
      'note mta-sts.signed-only.example has no address: add an A or AAAA record of the web server that serves the policy, or run this command again with --policy-host',
      'file version: STSv1 mode: testing',
      'record _mta-sts.signed-only.example. 3600 IN TXT "v=STSv1; …;"',
      'wait write mode: enforce in the file and a new id in the record; hermetic publish does both',
      'note mx.signed-only.example: keep its key at renewal; publish these digests only if hermetic tlsa prints them on the server itself',
      'record _25._tcp.mx.signed-only.example. 3600 IN TLSA 3 1 1 …',
    ],
  );
});

test('a complete domain misses nothing, and a domain without mail gets no advice', async () => {
  assert.deepEqual(await missing('good.example'), []);
  assert.deepEqual(await missing('null-mx.example'), ['note nothing is missing']);
});

test('wrong records come first, with the record of an uncovered key', async () => {
  for (const [domain, says] of [
    [
      'dane-mismatch.example',
      /^note mx\.dane-mismatch\.example \[.*publish its record next to the old one/,
    ],
    ['two-certs.example', /^note mx\.two-certs\.example \[/],
    ['tlsa-unusable.example', /^note mx\.tlsa-unusable\.example: Publish a record 3 1 1/],
  ] as const) {
    const steps = await missing(domain);
    assert.match(steps[0] ?? '', says);
    assert.equal(
      steps.filter((step) =>
        /^record _25\._tcp\.mx\.\S+ 3600 IN TLSA 3 1 1 [0-9a-f]{64}$/.test(step),
      ).length,
      1,
      domain,
    );
  }
  assert.match(
    (await missing('sts-mx-mismatch.example'))[0] ?? '',
    /Add the line "mx: mx2\.sts-mx-mismatch\.example"/,
  );
  assert.match(
    (await missing('cname-mx.example'))[0] ?? '',
    /Name mx\.cname-mx\.example in the MX/,
  );
});

test('no step replaces an unavailable enforced policy with a testing one', async () => {
  const steps = await missing('sts-redirect.example');
  const [kept, file] = [/restore it unchanged/, /mode: testing/].map((what) =>
    steps.findIndex((step) => what.test(step)),
  ) as [number, number];
  assert.ok(kept >= 0 && kept < file, steps.join('\n'));
});

test('unsigned hosts are one note; a missing domain is an error', async () => {
  const many = await missing('many-mx.example');
  assert.equal(many.filter((step) => /sign the zone/.test(step)).length, 1);
  assert.match((await missing('no-mail.example'))[0] ?? '', /no-mail\.example\. 3600 IN MX 0 \.$/);
  const { code, out, err } = await runCli(['records', '--lab', 'nonexistent.example']);
  assert.deepEqual([code, out], [2, '']);
  assert.match(
    err,
    /^hermetic: nonexistent\.example does not exist in DNS \(domain-nonexistent\)\n {2}\S/,
  );
});

test('a web panel gets name, type and value; a zone file gets lines', async () => {
  const { out } = await runCli([
    'records',
    '--lab',
    'signed-only.example',
    '--panel',
    '--policy-host',
    'sts.example.net',
  ]);
  assert.match(
    out,
    /\n {4}Name {3}_smtp\._tls\.signed-only\.example\n {4}Type {3}TXT\n {4}TTL {4}3600\n {4}Value {2}v=TLSRPTv1; rua=mailto:\S+\n/,
  );
  assert.match(out, /\n {4}Type {3}CNAME\n {4}TTL {4}3600\n {4}Value {2}sts\.example\.net\n/);
  const zone = (
    await runCli(['records', '--lab', 'signed-only.example', '--policy-host', 'sts.example.net'])
  ).out;
  for (const line of zone.split('\n'))
    assert.match(
      line,
      /^(|;.*|\S+\. 3600 IN (TXT ".*"|TLSA 3 1 1 [0-9a-f]{64}|CNAME sts\.example\.net\.))$/,
    );
});

test('no TLSA record is offered for an unsigned zone or a server without STARTTLS', async () => {
  for (const domain of ['opportunistic.example', 'plaintext.example'])
    assert.deepEqual(
      (await missing(domain)).filter((step) => / TLSA /.test(step) && step.startsWith('record')),
      [],
      domain,
    );
});

test('hermetic tlsa prints the record of a certificate or key and refuses the rest', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-tlsa-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const made = issue(createCa({ name: 'test root' }), { names: ['mx.example.com'] });
  const [chain, key, noise] = ['chain.pem', 'key.pem', 'noise'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(chain, made.chainPem);
  writeFileSync(key, made.keyPem);
  writeFileSync(noise, 'nothing');
  const certificate = parseCertificate(made.der);
  assert.ok(certificate.ok);
  const printed = async (
    ...args: string[]
  ): Promise<{ code: number; out: string; err: string }> => {
    let [out, err] = ['', ''];
    const output = {
      out: (s: string) => void (out += s),
      err: (s: string) => void (err += s),
      width: 80,
      color: false,
      interactive: false,
    };
    return { code: await run(['tlsa', ...args], output, new AbortController().signal), out, err };
  };
  const record = `_25._tcp.mx.example.com. 3600 IN TLSA 3 1 1 ${spkiSha256(certificate.value)}\n`;
  assert.equal((await printed('--host', 'mx.example.com', chain)).out, record);
  assert.equal((await printed('--host', 'mx.example.com', key)).out, record);
  const refused = await printed(noise);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /neither certificate nor key/);
});

for (const flags of [['--ca', 'FILE'], ['--system-ca']])
  test(`records judges certificates by the roots of ${flags[0] ?? ''}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'hermetic-records-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'roots.pem');
    writeFileSync(file, createCa({ name: 'another root' }).certPem);
    const given = flags.map((flag) => flag.replace('FILE', file));
    const own = await runCli(['records', '--lab', 'good.example']);
    assert.match(own.out, /nothing is missing/);
    // The certificates of the lab come from other roots.
    const other = await runCli(['records', '--lab', 'good.example', ...given]);
    assert.doesNotMatch(other.out, /nothing is missing/);
  });

test('a nonexistent MX host is in no record and no policy', async () => {
  for (const [says, records, hosts] of [
    ['beside a mail host', '@ MX 0 gone\n@ MX 32767 token.invalid.', [{}]],
    ['an address', '@ MX 10 192.0.2.7.', []],
    ['a missing dot', '@ MX 10 mx.lost.example', []],
  ] as const) {
    const domain = 'lost.example';
    const zone = { records, ...(hosts.length === 0 ? { withoutMx: true } : {}) };
    const own = await createLab({ scenarios: [{ ...unjudged(domain), zone, hosts }] });
    try {
      const steps = missingRecords(await check(domain, labOptions(own)));
      const text = steps.map((step) => `${step.text} ${step.record?.name ?? ''}`).join('\n');
      assert.doesNotMatch(text, /mx: (gone|token|192|mx\.lost\.example\.lost)/, says);
      assert.doesNotMatch(text, /_25\._tcp\.(gone|token|192)/, says);
      if (hosts.length === 0) assert.match(text, /correct the MX record/, says);
      else assert.match(text, /mx: mx\.lost\.example/, says);
    } finally {
      await own.close();
    }
  }
});

test('CAA records for the account of the daemon come last', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-records-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'hermetic.db');
  const directory = 'https://acme-v02.api.letsencrypt.org/directory';
  const config = join(folder, 'hermetic.yaml');
  writeFileSync(
    config,
    `store: {file: ${file}}
resolver: {addresses: ['127.0.0.1:9']}
publish:
  keys: ${join(folder, 'keys')}
  acme: {directory: '${directory}', agreed: true}
  hosts: {mx.signed-only.example: {certificates: acme}}
  domains: {signed-only.example: {mx: [mx.signed-only.example]}}
`,
    { mode: 0o600 },
  );
  const store = await openStore(file);
  const url = 'https://acme-v02.api.letsencrypt.org/acme/acct/7';
  await openAcmeStore(store).saveAccount(directory, { url, key: 'account' });
  store.close();
  const { code, out, err } = await runCli([
    'records',
    '--lab',
    'signed-only.example',
    '--config',
    config,
  ]);
  assert.equal(code, 0, err);
  const lines = out.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
  const caa = lines.filter((line) => line.includes(' CAA '));
  assert.deepEqual(lines.slice(-caa.length), caa);
  assert.ok(
    caa.includes(
      `mta-sts.signed-only.example. 3600 IN CAA 0 issue "letsencrypt.org; accounturi=${url}"`,
    ),
    out,
  );
});
