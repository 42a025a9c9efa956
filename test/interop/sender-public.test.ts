import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createCa } from '../../src/pki/index.js';
import { createLog, parseConfig, startDaemon } from '../../src/server/index.js';
import type { SenderTestResult } from '../../src/sender/index.js';
import { launchChromium, withoutChromium } from '../support/launch-chromium.js';
import { runCli } from '../support/run-cli.js';
import { Bind } from './bind.js';
import { ownNetwork } from './own-network.js';
import { Pebble } from './pebble.js';
import { Postfix } from './postfix.js';
import { runProgram, until } from './process.js';
import { Unbound } from './unbound.js';

const zone = 'sender.example';
const at = {
  web: '127.41.0.80',
  dns: '127.41.0.53',
  resolver: '127.41.0.54',
  parents: '127.41.0.55',
  caResolver: '127.41.0.56',
  ca: '127.41.0.90',
  outside: '127.0.0.1',
};
/** One address for each case. */
const mail = Array.from({ length: 60 }, (_, index) => `127.41.1.${index + 1}`);
// The other addresses are also loopback addresses. Postfix must not treat them as its own
// addresses.
ownNetwork([at.parents]);

const folder = mkdtempSync(join(tmpdir(), 'hermetic-sender-public-'));
const running: { stop(): Promise<void> }[] = [];
const logged: string[] = [];
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

interface Test {
  readonly state: string;
  readonly slot: string;
  readonly problem?: string;
  readonly url: string;
  readonly addresses: readonly { case: string; address: string; quick: boolean }[];
  readonly result: SenderTestResult;
}

async function api(method: 'GET' | 'POST', path: string): Promise<Test> {
  const { out } = await runProgram('curl', ['-sS', '-X', method, `http://${at.web}:8080${path}`]);
  return JSON.parse(out) as Test;
}

before(async () => {
  const config = `store: {file: ${join(folder, 'hermetic.db')}}
resolver: {addresses: [${at.resolver}], trustAnchor: ${join(folder, 'anchor')}}
network: {privateAddresses: allow}
web: {listen: "${at.web}:443"}
pages: {listen: "${at.web}:8080"}
senderTest:
  zone: ${zone}
  nameServers: {ns.${zone}: [${at.dns}]}
  mailAddresses: [${mail.join(', ')}]
  policyAddresses: [${at.web}]
  keys: ${join(folder, 'keys')}
  page: http://${at.web}:8080/sender
  dns: {listen: "${at.dns}:53"}
  smtp: {listen: "0.0.0.0:25"}
  acme: {directory: 'https://ca.example:14000/dir', agreed: true, roots: ${join(folder, 'web-root.pem')}}
`;
  file('hermetic.yaml', config);
  const { out } = await runCli(['sender', 'zone', '--config', join(folder, 'hermetic.yaml')]);
  const lines = out.trimEnd().split('\n');
  mkdirSync(join(folder, 'parents/zones'), { recursive: true });
  // dnssec-signzone takes the DS of a child from this file.
  file(
    `parents/zones/dsset-${zone}.`,
    `${lines.find((line) => / DS /.test(line.replace(/\s+/g, ' '))) ?? ''}\n`,
  );
  const parents = new Bind(join(folder, 'parents'), 53, at.parents);
  running.push(parents);
  const delegation = lines.filter((line) => !/\sDS\s/.test(line)).join('\n');
  await parents.start([
    { name: 'example', records: `ns A ${at.parents}\nca A ${at.ca}\n${delegation}` },
    { name: '.', records: `example NS ns.example.\nns.example A ${at.parents}` },
  ]);
  file('anchor', readFileSync(parents.anchorFile, 'utf8'));
  for (const [index, address] of [at.resolver, at.caResolver].entries()) {
    mkdirSync(join(folder, `unbound-${index}`));
    const unbound = new Unbound(join(folder, `unbound-${index}`), 53, address);
    running.push(unbound);
    await unbound.iterate(at.parents, parents.anchorFile);
  }
  const webCa = createCa({ name: 'Web Root' });
  file('web-root.pem', webCa.certPem);
  const pebble = new Pebble({
    folder,
    address: at.ca,
    name: 'ca.example',
    webCa,
    resolver: `${at.caResolver}:53`,
    lifetime: 86_400,
  });
  running.push(pebble);
  await pebble.start();
  file('roots.pem', await pebble.rootPem());
  const parsed = parseConfig(config);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const write = (line: string): void => void logged.push(line);
  const daemon = await startDaemon(
    parsed.value,
    createLog({ format: 'plain', write, now: Date.now }),
  );
  running.push(daemon);
});

after(async () => {
  for (const program of [...running].reverse()) await program.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a slot gets its certificate, and Postfix with DANE shows what it enforces', async () => {
  const started = await api('POST', '/api/v1/sender-tests');
  const path = started.url.replace('/sender/', '/api/v1/sender-tests/');
  assert.equal(started.state, 'preparing');
  await until(
    'the certificate of the slot',
    async () => (await api('GET', path)).state === 'open',
    () => logged.join(''),
  );
  const policy = `https://mta-sts.sts.${started.slot}.${zone}/.well-known/mta-sts.txt`;
  const fetched = await runProgram('curl', [
    '-sS',
    '--cacert',
    join(folder, 'roots.pem'),
    '--resolve',
    `mta-sts.sts.${started.slot}.${zone}:443:${at.web}`,
    policy,
  ]);
  assert.match(fetched.out, /^version: STSv1\r\nmode: enforce\r\nmx: mx\.sts\./);

  const resolvConf = file('resolv.conf', `nameserver ${at.resolver}\noptions trust-ad\n`);
  const postfix = new Postfix(folder, 2525, { resolvConf });
  running.push(postfix);
  await postfix.start(
    [{ address: at.outside }],
    [
      'mynetworks = 127.0.0.0/8',
      'smtp_dns_support_level = dnssec',
      'smtp_tls_security_level = dane',
      'smtp_host_lookup = dns',
      `smtp_tls_CAfile = ${join(folder, 'roots.pem')}`,
      'notify_classes =',
    ],
  );
  const recipients = started.addresses.filter((one) => one.quick).map(({ address }) => address);
  await runProgram('swaks', [
    '--server',
    `${at.outside}:2525`,
    '--from',
    'me@example',
    '--to',
    recipients.join(','),
  ]);
  // The other cases of the quick set are decided without a connection.
  const connecting = new Set([
    'plain',
    'dane',
    'dane-mismatch',
    'dane-clear',
    'sts-clear',
    'sts-self-signed',
  ]);
  const verdicts = async (): Promise<Readonly<Record<string, string>>> => {
    const { result } = await api('GET', path);
    const chosen = result.cases.filter((one) => connecting.has(one.case));
    return Object.fromEntries(chosen.map((one) => [one.case, one.verdict]));
  };
  await until(
    'a connection for every case of the quick set',
    async () => Object.values(await verdicts()).every((verdict) => !/^not-/.test(verdict)),
    () => logged.join('') + readFileSync(join(folder, 'maillog'), 'utf8').slice(-6000),
  );
  const seen = await verdicts();
  assert.match(seen['dane'] ?? '', /^delivered-/);
  assert.match(seen['plain'] ?? '', /^delivered-/);
  // Postfix itself does not support MTA-STS.
  assert.match(seen['sts-self-signed'] ?? '', /^delivered-/);
  assert.equal(seen['sts-clear'], 'delivered-in-plaintext');
  for (const id of ['dane-mismatch', 'dane-clear'])
    assert.ok(['refused', 'deferred'].includes(seen[id] ?? ''), `${id}: ${seen[id]}`);
  const { result } = await api('GET', path);
  const dane = result.cases.find((one) => one.case === 'dane');
  assert.ok(dane?.evidence.dns.some(({ type, dnssecOk }) => type === 'TLSA' && dnssecOk));
  const page = await runProgram('curl', ['-sS', `http://${at.web}:8080${started.url}`]);
  assert.match(page.out, /delivered in PLAINTEXT/);
});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

test(
  'the live page follows the test, and axe finds no violation',
  { skip: withoutChromium },
  async () => {
    const browser = await launchChromium();
    try {
      const { url } = await api('POST', '/api/v1/sender-tests');
      for (const width of [320, 1280]) {
        // The test injects axe past the security policy; the page itself is unchanged.
        const context = await browser.newContext({
          viewport: { width, height: 900 },
          colorScheme: width === 320 ? 'light' : 'dark',
          bypassCSP: true,
        });
        const page = await context.newPage();
        for (const path of ['/sender', url]) {
          await page.goto(`http://${at.web}:8080${path}`);
          const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
          assert.ok(Number(wider) <= 0, `${path} at ${width}: ${String(wider)} pixels too wide`);
          await page.addScriptTag({ content: axe });
          const violations = await page.evaluate(
            `axe.run().then((found) => found.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')))`,
          );
          assert.deepEqual(violations, [], `${path} at ${width}`);
        }
        await context.close();
      }
      const page = await browser.newPage();
      await page.goto(`http://${at.web}:8080${url}`);
      await page.click('text=I have sent the quick set');
      await page.waitForSelector('text=not seen');
      const slot = new URL(`http://x${url}`).pathname;
      const { addresses } = await api('GET', slot.replace('/sender/', '/api/v1/sender-tests/'));
      const [plain] = addresses.filter((one) => one.case === 'plain');
      assert.ok(plain);
      // Uses a separate client, so that no retry of Postfix counts.
      const host = plain.address.replace('test@', 'mx.');
      const { out } = await runProgram('dig', ['+short', `@${at.dns}`, host, 'A']);
      await runProgram('swaks', [
        '--server',
        out.trim(),
        '--from',
        'me@example',
        '--to',
        plain.address,
      ]);
      await page.waitForSelector('text=delivered in PLAINTEXT', { timeout: 60_000 });
    } finally {
      await browser.close();
    }
  },
);
