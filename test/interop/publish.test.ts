import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createTransport } from 'nodemailer';
import { collect, collectOptions, grade } from '../../src/check/index.js';
import { Name } from '../../src/base/index.js';
import { selfSigned } from '../../src/pki/index.js';
import { createLog, openJobContext, parseConfig } from '../../src/server/index.js';
import { ownNetwork } from './own-network.js';
import { Postfix } from './postfix.js';
import { accepts, runProgram, until } from './process.js';
import { at, PublishWorld } from './publish-world.js';
import { bind, knot, type UpdateServer } from './update-servers.js';

const domain = 'life.example';
const hosts = ['mx1', 'mx2'].map((label, i) => ({
  name: `${label}.${domain}`,
  address: `127.31.0.${11 + i}`,
}));
const [mx1 = '', mx2 = ''] = hosts.map(({ name }) => name);
const ttl = 2;
/** The lifetime of certificates, which are renewed after half of it. */
const lifetime = 90;
ownNetwork([...Object.values(at), ...hosts.map(({ address }) => address)]);

/** The desired state: one file, as an operator edits it. */
interface DesiredFile {
  readonly mode: 'enforce' | 'none';
  readonly mx: readonly string[];
  /** Hosts with TLSA records. */
  readonly dane: readonly string[];
}

/**
 * Starts two receiving Postfix servers, initially with an untrusted certificate, a
 * Postfix that sends continuously in two ways, and the observers.
 */
async function life(t: TestContext, nameServer: UpdateServer, challenge: string) {
  const world = await PublishWorld.start({ nameServer, domain, hosts, ttl, lifetime });
  t.after(() => world.stop());
  const home = (label: string): string => {
    mkdirSync(join(world.folder, label), { recursive: true });
    return join(world.folder, label);
  };
  const fileOf = (host: string, kind: string): string => join(home(host), `${kind}.pem`);
  for (const { name, address } of hosts) {
    const first = selfSigned({ names: ['localhost'] });
    writeFileSync(fileOf(name, 'key'), first.keyPem);
    mkdirSync(join(home(name), 'tls', 'mine'), { recursive: true });
    writeFileSync(join(home(name), 'tls', 'mine', 'both.pem'), first.keyPem + first.certPem);
    symlinkSync('mine', join(home(name), 'tls', 'ecdsa'));
    const postfix = world.with(new Postfix(home(name), 25));
    await postfix.start(
      [{ address, chainFile: join(home(name), 'tls', 'ecdsa', 'both.pem') }],
      [
        'mynetworks = 127.0.0.0/8',
        `inet_interfaces = ${address}`,
        `myhostname = ${name}`,
        `mydestination = ${domain}`,
        'local_recipient_maps =',
        'local_transport = discard:',
      ],
    );
  }
  const resolvConf = world.file('resolv.conf', `nameserver ${at.resolver}\n`);
  const sender = world.with(new Postfix(home('sender'), 25, { resolvConf }));
  const asked = ['dane', 'sts'] as const;
  await sender.start(
    [{ address: at.sender }],
    [
      'mynetworks = 127.0.0.0/8',
      `inet_interfaces = ${at.sender}`,
      'smtp_dns_support_level = dnssec',
      'smtp_host_lookup = dns',
      'smtp_connection_cache_on_demand = no',
      `smtp_tls_CAfile = ${join(world.folder, 'roots.pem')}`,
      'smtp_tls_loglevel = 1',
      `sender_dependent_default_transport_maps = inline:{${asked.map((one) => `{ ${one}@sender.example = smtp-${one}: }`).join(', ')}}`,
    ],
    [
      'smtp-dane unix - - n - - smtp -o syslog_name=dane -o smtp_tls_security_level=dane',
      'smtp-sts unix - - n - - smtp -o syslog_name=sts -o smtp_tls_security_level=may -o smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8461:hermetic',
    ],
  );
  const yaml = ({
    mode,
    mx,
    dane,
  }: DesiredFile): string => `${world.settings}web: {listen: ['${at.web}:443', ${hosts.map((h) => `'${h.address}:443'`).join(', ')}], http: ['${at.web}:80', ${hosts.map((h) => `'${h.address}:80'`).join(', ')}]}
postfix: {listen: '127.0.0.1:8461', version: '3.7', dane: false, resolver: {file: ${resolvConf}}}
publish:
  everyMinutes: 0.02
  rehearsal: true
  days: 0
  leastReports: 0
${world.publishing(challenge)}  hosts:
${hosts.map(({ name }) => `    ${name}: {dns: own, ttl: ${ttl}, dane: ${dane.includes(name)}, certificates: acme, adopt: [${fileOf(name, 'key')}], install: {folder: ${join(home(name), 'tls')}, reload: [postfix, -c, ${join(home(name), 'postfix')}, reload]}}`).join('\n')}
  domains:
    ${domain}: {mode: ${mode}, mx: [${mx.join(', ')}], maxAges: [8, 16], policyHost: policy.${domain}, ttl: ${ttl}, reports: [${mode === 'none' ? '' : `'mailto:tls@${domain}'`}], dns: own}
`;
  const parsed = parseConfig(
    yaml({ mode: 'none', mx: [mx1], dane: [] })
      .replace(/^publish:[\s\S]*/m, '')
      .replace(/^store:.*$/m, `store: {file: ${join(world.folder, 'look.db')}}`),
  );
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const jobContext = await openJobContext(
    parsed.value,
    createLog({ format: 'plain', write: () => undefined, now: Date.now }),
  );
  t.after(() => jobContext.close());

  const counts = { mails: 0, checks: 0, verified: 0 };
  const transport = createTransport({ host: at.sender, port: 25, ignoreTLS: true });
  const held = new Map<string, number>();
  const look = async (): Promise<void> => {
    for (const one of asked) {
      await transport.sendMail({
        envelope: { from: `${one}@sender.example`, to: `somebody@${domain}` },
        subject: 'life',
        text: 'Hello.',
      });
      counts.mails++;
    }
    assert.doesNotMatch(
      sender.maillog,
      /to=<somebody@.*status=(deferred|bounced)/,
      `a sender is held up\n${world.log}`,
    );
    const { network, resolver, trustStore } = jobContext;
    const result = grade(
      await collect(
        Name.of(domain),
        collectOptions({ network, resolver, trustStore, depth: 'triage', reach: 'any' }),
      ),
    );
    counts.checks++;
    // Without a published policy, an untrusted certificate is not a failure.
    assert.deepEqual(
      result.findings.filter(({ severity }) => severity === 'fail'),
      [],
      `a check fails in the midst of a change\n${world.log}`,
    );
    for (const { name, address } of hosts) {
      const records = await world.records(`_25._tcp.${name}`, 'TLSA');
      if (records.length > 0) held.set(`${name} ${address}|${records.join('|')}`, Date.now());
    }
    for (const [key, seen] of held) {
      if (Date.now() - seen > ttl * 1000) held.delete(key);
      else {
        await verifyWithOpenssl(key);
        counts.verified++;
      }
    }
  };
  /** Polls until the condition is true. */
  const comesAbout = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const began = Date.now();
    for (const end = Date.now() + 120_000; ;) {
      await look();
      if (await holds()) break;
      if (Date.now() > end)
        assert.fail(
          `${what} did not come about\n${await world.hermetic('publish', 'status', '--config', join(world.folder, 'hermetic.yaml'))}\n${world.log}`,
        );
    }
    await world.hermetic(
      'check',
      domain,
      '--resolver',
      at.resolver,
      '--trust-anchor',
      join(world.folder, 'anchor'),
      '--ca',
      join(world.folder, 'roots.pem'),
      '--depth',
      'triage',
    );
    t.diagnostic(`${what}: ${((Date.now() - began) / 1000).toFixed(0)} s`);
  };
  return {
    world,
    counts,
    sender,
    yaml,
    comesAbout,
    shown: (host: string) => shownBy(hosts.find(({ name }) => name === host)?.address ?? ''),
  };
}

/**
 * Verifies DANE with OpenSSL and the records that a sender may have cached; DANE-EE
 * ignores names (RFC 7672 §3.1.1).
 */
async function verifyWithOpenssl(held: string): Promise<void> {
  const [where = '', ...records] = held.split('|');
  const [name = '', address = ''] = where.split(' ');
  const rrdata = records.flatMap((record) => ['-dane_tlsa_rrdata', record]);
  const args = [
    's_client',
    '-starttls',
    'smtp',
    '-connect',
    `${address}:25`,
    '-dane_tlsa_domain',
    name,
    '-dane_ee_no_namechecks',
    ...rrdata,
    '-brief',
  ];
  const { out, err } = await runProgram(
    'sh',
    ['-c', 'exec openssl "$@" </dev/null', 'openssl', ...args],
    {
      anyStatus: true,
      timeoutMs: 20_000,
    },
  );
  assert.match(out + err, /Verification: OK/, `${held}\n${out}${err}`);
}

/** Returns the certificate that an SMTP server presents. */
async function shownBy(address: string): Promise<X509Certificate> {
  const { out } = await runProgram(
    'sh',
    [
      '-c',
      `openssl s_client -starttls smtp -connect ${address}:25 -showcerts </dev/null 2>/dev/null`,
    ],
    { anyStatus: true },
  );
  return new X509Certificate(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/.exec(out)?.[0] ?? '');
}

/**
 * Returns the policy that the host serves now, with any certificate; empty without a
 * policy.
 */
function policy(): Promise<string> {
  return new Promise((resolve) => {
    const name = `mta-sts.${domain}`;
    const asked = request(
      {
        host: at.web,
        servername: name,
        headers: { host: name },
        path: '/.well-known/mta-sts.txt',
        rejectUnauthorized: false,
      },
      (response) => {
        let text = '';
        response
          .on('data', (bytes: Buffer) => (text += bytes.toString()))
          .on('end', () => resolve(response.statusCode === 200 ? text : ''));
      },
    );
    asked.on('error', () => resolve('')).end();
  });
}

for (const { nameServer, challenge } of [
  { nameServer: bind, challenge: 'dns-01' },
  { nameServer: knot, challenge: 'tls-alpn-01' },
])
  test(`a domain’s life with ${nameServer.name} and pebble (${challenge}): all mail arrives`, async (t) => {
    const { world, counts, sender, yaml, comesAbout, shown } = await life(t, nameServer, challenge);
    const tlsa = (host: string): Promise<readonly string[]> =>
      world.records(`_25._tcp.${host}`, 'TLSA');
    const config = join(world.folder, 'hermetic.yaml');
    let wish: DesiredFile = { mode: 'enforce', mx: [mx1], dane: [mx1] };
    const ask = (change: Partial<DesiredFile>): void =>
      world.serve(yaml((wish = { ...wish, ...change })));
    const pin = async (host: string): Promise<string> => {
      const { createHash } = await import('node:crypto');
      return `3 1 1 ${createHash('sha256')
        .update((await shown(host)).publicKey.export({ format: 'der', type: 'spki' }))
        .digest('hex')}`;
    };

    ask({});
    await until(
      'the daemon',
      () => accepts('127.0.0.1', 8461),
      () => world.log,
    );
    await comesAbout(
      'records of the key in use and the next',
      async () => (await tlsa(mx1)).length === 2,
    );
    await comesAbout(
      'enforced',
      async () => /mode: enforce/.test(await policy()) && (await tlsa(mx1)).length === 2,
    );
    const [before, first] = [await tlsa(mx1), await shown(mx1)];
    assert.ok(before.includes(await pin(mx1)));

    await comesAbout(
      'a renewal',
      async () => (await shown(mx1)).serialNumber !== first.serialNumber,
    );
    assert.ok(before.includes(await pin(mx1)), 'the key is kept');
    assert.deepEqual(await tlsa(mx1), before, 'and no record changes');

    const old = await pin(mx1);
    await world.hermetic('publish', 'roll', mx1, '--config', config);
    await comesAbout(
      'another key',
      async () =>
        (await pin(mx1)) !== old &&
        (await tlsa(mx1)).length === 2 &&
        !(await tlsa(mx1)).includes(old),
    );
    assert.equal(
      before.filter((record) => record !== old).join(),
      await pin(mx1),
      'the one that was announced',
    );

    ask({ dane: [mx1, mx2] });
    await comesAbout('records of the second host', async () => (await tlsa(mx2)).length === 2);
    ask({ mx: [mx2] });
    await comesAbout('other MX hosts', async () => {
      const mx = await world.records(domain, 'MX');
      return (
        mx.join() === `10 ${mx2}.` &&
        !(await policy()).includes(mx1) &&
        (await tlsa(mx2)).length === 2
      );
    });
    ask({ dane: [mx2] });
    await comesAbout('the old host without records', async () => (await tlsa(mx1)).length === 0);

    ask({ mode: 'none', dane: [] });
    await comesAbout('a proposal', async () =>
      /leave-enforce:/.test(await world.hermetic('publish', 'plan', '--config', config)),
    );
    const token =
      /leave-enforce:\S+/.exec(await world.hermetic('publish', 'plan', '--config', config))?.[0] ??
      '';
    await comesAbout('a confirmation', async () => {
      // The command fails if the daemon is renewing the certificate at that time.
      await world
        .hermetic('publish', 'apply', '--config', config, '--confirm', token)
        .catch((error: Error) => {
          assert.match(error.message, /acme-pending/);
        });
      return !(await world.hermetic('publish', 'plan', '--config', config)).includes(token);
    });
    await comesAbout('removal', async () => {
      const texts = [
        `_mta-sts.${domain}`,
        `_smtp._tls.${domain}`,
        `_acme-challenge.mta-sts.${domain}`,
        `_acme-challenge.${mx2}`,
      ];
      const left = await Promise.all(texts.map((name) => world.records(name, 'TXT')));
      const alias = await world.records(`mta-sts.${domain}`, 'CNAME');
      return (
        [...(await tlsa(mx1)), ...(await tlsa(mx2)), ...left.flat(), ...alias].length === 0 &&
        (await policy()) === ''
      );
    });

    await until(
      'the last mail',
      async () => sender.maillog.split('status=sent').length - 1 === counts.mails,
      () => sender.log,
    );
    assert.doesNotMatch(sender.maillog, /status=(deferred|bounced)/, 'a sender is held up');
    assert.match(sender.maillog, /dane\/smtp\[\d+\]: Verified TLS connection established to mx1/);
    assert.match(sender.maillog, /sts\/smtp\[\d+\]: Verified TLS connection established to mx2/);
    t.diagnostic(
      `${counts.mails} mails, ${counts.checks} checks, ${counts.verified} verifications by OpenSSL`,
    );
  });
