import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { CheckResult } from '../../src/evidence/index.js';
import { PolicyHost, stripStarttls, type PolicySite } from '../../src/lab/index.js';
import { nodeNetwork } from '../../src/net/index.js';
import { createCa, createIntermediate, issue, type Issued } from '../../src/pki/index.js';
import { parseCertificate, spkiSha256 } from '../../src/x509/index.js';
import { Bind } from './bind.js';
import { LyingResolver } from './lying-resolver.js';
import { Postfix, type PostfixService } from './postfix.js';
import { freePort } from '../support/free-port.js';
import { runProgram } from './process.js';
import { Unbound } from './unbound.js';

const DAY = 86_400_000;
const TLSA = 52;
const root = createCa({ name: 'Interop Root' });
const intermediate = createIntermediate(root, { name: 'Interop CA' });

interface Domain {
  readonly address: string;
  readonly certificate?: Issued;
  readonly habit?: PolicySite['habit'];
  readonly policyMx?: string;
  readonly staleTlsa?: boolean;
  readonly starttls?: false;
  /** The address of a STARTTLS-stripping proxy in front of Postfix. */
  readonly behind?: string;
}

const cert = (name: string, extra: object = {}): Issued =>
  issue(intermediate, { names: [`mx.${name}.example`], ...extra });
const leafOnly = (whole: Issued): Issued => ({
  ...whole,
  chain: [whole.der],
  chainPem: whole.certPem,
});

/**
 * Domains with one fault each and otherwise complete: signed, TLSA for the key in use,
 * MTA-STS enforced, TLS-RPT.
 */
const domains: Readonly<Record<string, Domain>> = {
  healthy: { address: '127.0.0.11' },
  'starttls-off': { address: '127.0.0.12', starttls: false },
  stripped: { address: '127.0.0.13', behind: '127.0.0.23' },
  expired: {
    address: '127.0.0.14',
    certificate: cert('expired', { notBefore: Date.now() - 60 * DAY, notAfter: Date.now() - DAY }),
  },
  'wrong-name': { address: '127.0.0.15', certificate: cert('elsewhere') },
  'missing-intermediate': {
    address: '127.0.0.16',
    certificate: leafOnly(cert('missing-intermediate')),
  },
  'tlsa-stale': { address: '127.0.0.17', staleTlsa: true },
  'sts-redirect': { address: '127.0.0.18', habit: 'redirects' },
  'not-in-policy': { address: '127.0.0.19', policyMx: 'other.not-in-policy.example' },
};

let folder: string;
let bind: Bind;
let unbound: Unbound;
let postfix: Postfix;
const listeners: Server[] = [];
const ports = { auth: 0, resolver: 0, smtp: 0, https: 0 };

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-interop-'));
  for (const name of ['auth', 'resolver', 'smtp', 'https'] as const) ports[name] = await freePort();
  bind = new Bind(folder, ports.auth);
  unbound = new Unbound(folder, ports.resolver);
  postfix = new Postfix(folder, ports.smtp);
  writeFileSync(join(folder, 'ca.pem'), root.certPem);

  const policyHost = new PolicyHost();
  const services: PostfixService[] = [];
  const records: Record<string, string[]> = {};
  for (const [name, domain] of Object.entries(domains)) {
    const certificate = domain.certificate ?? cert(name);
    const chainFile = join(folder, `${name}.pem`);
    writeFileSync(chainFile, certificate.keyPem + certificate.chainPem);
    services.push({
      address: domain.behind ?? domain.address,
      ...(domain.starttls === false ? {} : { chainFile }),
    });
    const key = parseCertificate(certificate.der);
    assert.ok(key.ok);
    const apex = `${name}.example.`;
    records[name] = [
      `${apex} MX 10 mx.${apex}`,
      `mx.${apex} A ${domain.address}`,
      `_25._tcp.mx.${apex} TLSA 3 1 1 ${domain.staleTlsa ? '00'.repeat(32) : spkiSha256(key.value)}`,
      `_smtp._tls.${apex} TXT "v=TLSRPTv1; rua=mailto:tls@${name}.example"`,
      `_mta-sts.${apex} TXT "v=STSv1; id=1"`,
      `mta-sts.${apex} A 127.0.0.1`,
    ];
    policyHost.add(`mta-sts.${name}.example`, {
      certificate: issue(intermediate, { names: [`mta-sts.${name}.example`] }),
      policy: `version: STSv1\r\nmode: enforce\r\nmx: ${domain.policyMx ?? `mx.${name}.example`}\r\nmax_age: 604800\r\n`,
      ...(domain.habit ? { habit: domain.habit } : {}),
    });
    if (domain.behind)
      listeners.push(
        await listen(
          stripStarttls(nodeNetwork(), { address: domain.behind, port: ports.smtp }, 'mangle'),
          domain.address,
          ports.smtp,
        ),
      );
  }
  listeners.push(await listen(policyHost.serve, '127.0.0.1', ports.https));
  const { healthy = [], ...others } = records;
  await bind.start([
    { name: 'healthy.example', records: healthy.join('\n'), nsec3: true },
    {
      name: 'example',
      records: `ns A 127.0.0.1\nhealthy NS ns\n${Object.values(others).flat().join('\n')}`,
    },
    { name: '.', records: 'example. NS ns.example.\nns.example. A 127.0.0.1' },
  ]);
  await unbound.start(ports.auth, ['.', 'example', 'healthy.example'], bind.anchorFile);
  await postfix.start(services);
});

after(async () => {
  await Promise.allSettled([postfix.stop(), unbound.stop(), bind.stop()]);
  listeners.forEach((server) => server.close());
  rmSync(folder, { recursive: true, force: true });
});

function listen(
  serve: Parameters<typeof createServer>[1] & object,
  address: string,
  port: number,
): Promise<Server> {
  const server = createServer(serve as never);
  return new Promise((resolve, reject) =>
    server.once('error', reject).listen(port, address, () => resolve(server)),
  );
}

/** Runs `hermetic check` as a user does. */
async function check(
  domain: string,
  resolverPort = ports.resolver,
): Promise<CheckResult & { exit: number }> {
  const args = [
    'dist/src/cli/main.js',
    'check',
    domain,
    '--json',
    '--resolver',
    `127.0.0.1:${resolverPort}`,
    '--trust-anchor',
    bind.anchorFile,
  ];
  args.push(
    '--ca',
    join(folder, 'ca.pem'),
    '--smtp-port',
    String(ports.smtp),
    '--https-port',
    String(ports.https),
    '--timeout',
    '10',
  );
  const { code, out, err } = await runProgram(process.execPath, args, { anyStatus: true });
  assert.ok(out.startsWith('{'), `${code} ${out} ${err}`);
  return { ...(JSON.parse(out) as CheckResult), exit: code };
}

async function exactly(
  domain: string,
  verdict: string,
  wanted: readonly string[],
  resolverPort?: number,
): Promise<CheckResult> {
  const result = await check(domain, resolverPort);
  const found = result.findings
    .filter((f) => f.severity === 'fail' || f.severity === 'warn')
    .map((f) => `${f.severity} ${f.id}`);
  assert.deepEqual(
    [result.verdict, [...found].sort()],
    [verdict, [...wanted].sort()],
    `${unbound.log}\n${postfix.log}`,
  );
  assert.equal(result.exit, verdict === 'fail' ? 1 : 0);
  return result;
}

test('the healthy domain passes without a warning and with every expected cell', async () => {
  const { exposure } = await exactly('healthy.example', 'pass', []);
  assert.deepEqual(Object.values(exposure.bothCached), [
    'verified',
    'deferred',
    'deferred',
    'deferred',
    'deferred',
  ]);
});

test('STARTTLS disabled in Postfix: starttls-absent, although a policy promises TLS', async () => {
  await exactly('starttls-off.example', 'fail', ['fail starttls-absent', 'fail starttls-promised']);
});

test('a stripping proxy before Postfix: starttls-mangled, despite the policy', async () => {
  await exactly('stripped.example', 'fail', ['fail starttls-mangled', 'fail starttls-promised']);
});

test('an expired certificate: cert-expired', async () => {
  await exactly('expired.example', 'fail', ['fail cert-expired']);
});

test('a certificate for another name: cert-name-mismatch', async () => {
  await exactly('wrong-name.example', 'fail', ['fail cert-name-mismatch']);
});

test('a missing intermediate: cert-chain-incomplete', async () => {
  await exactly('missing-intermediate.example', 'fail', ['fail cert-chain-incomplete']);
});

test('a stale TLSA record: dane-mismatch', async () => {
  await exactly('tlsa-stale.example', 'fail', ['fail dane-mismatch']);
});

for (const rcode of [3, 0] as const) {
  test(`TLSA removed by a forging resolver (${rcode === 3 ? 'NXDOMAIN' : 'NODATA'}): dane-bogus`, async () => {
    const liar = new LyingResolver(ports.resolver);
    const port = await freePort();
    await liar.start(port, TLSA, rcode);
    try {
      const result = await exactly('healthy.example', 'fail', ['fail dane-bogus'], port);
      assert.equal(result.exposure.dane.none, 'deferred');
    } finally {
      await liar.stop();
    }
  });
}

test('an MTA-STS policy host that redirects: sts-policy-redirect', async () => {
  await exactly('sts-redirect.example', 'warn', ['warn sts-policy-redirect']);
});

test('an MX host that is not in the policy: sts-no-mx-matches', async () => {
  await exactly('not-in-policy.example', 'fail', ['fail sts-no-mx-matches']);
});

test('delv agrees about every chain', async () => {
  for (const question of [
    ['_25._tcp.mx.healthy.example', 'TLSA'],
    ['healthy.example', 'MX'],
    ['_25._tcp.mx.expired.example', 'TLSA'],
  ] as const) {
    const anchors = join(folder, 'delv.keys');
    const [, flags, protocol, algorithm, key = ''] =
      /DNSKEY (\d+) (\d+) (\d+) (.+)/.exec(readFileSync(bind.anchorFile, 'utf8')) ?? [];
    writeFileSync(
      anchors,
      `trust-anchors { "." static-key ${flags} ${protocol} ${algorithm} "${key.replace(/\s/g, '')}"; };\n`,
    );
    const { out } = await runProgram('delv', [
      '@127.0.0.1',
      '-p',
      String(ports.resolver),
      '-a',
      anchors,
      '+root=.',
      ...question,
    ]);
    assert.match(out, /; fully validated/);
    const told = await runProgram(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        ownValidation,
        bind.anchorFile,
        String(ports.resolver),
        ...question,
      ],
      { cwd: process.cwd() },
    );
    assert.equal(told.out.trim(), 'found secure');
  }
});

const ownValidation = `
import { readFileSync } from 'node:fs';
import { nodeNetwork } from 'hermetic';
import { createResolver, Name, parseTrustAnchors, parseUpstream, typeNumber } from 'hermetic/dns';
const [anchorFile, port, name, type] = process.argv.slice(1);
const anchors = parseTrustAnchors(readFileSync(anchorFile, 'utf8'));
const upstream = parseUpstream('127.0.0.1:' + port);
const resolver = createResolver({ network: nodeNetwork(), upstreams: [upstream.value], anchors: anchors.value });
const answer = await resolver.ask(Name.of(name), typeNumber(type));
console.log(answer.status, answer.dnssec);
`;
