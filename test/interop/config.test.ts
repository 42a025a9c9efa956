import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { grade, mozillaSettings, profiles } from '../../src/check/index.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { suites } from '../../src/tls/index.js';
import { NEXT_RELEASE } from './debian.js';
import { configuredServers, textFor, type Configured, type Ready } from './configured-servers.js';
import { Matrix } from './matrix/matrix.js';
import type { Software } from './matrix/server.js';

const profile = profiles.find(({ name }) => name === 'mozilla-intermediate-6.0');
interface Printed {
  readonly text: string;
  readonly oldest: string;
  readonly ready: Ready;
  running: Software;
}

const printed = new Map<string, Printed>();
let matrix: Matrix;

before(async () => {
  matrix = await Matrix.start(
    configuredServers.map((server) => async (site) => {
      const ready = await server.prepare(site);
      const [text, oldest] = [await textFor(server, site, server.own), await textFor(server, site)];
      const one = { text, oldest, ready, running: await ready.start(text) };
      printed.set(server.name, one);
      return {
        servers: one.running.servers,
        log: () => one.running.log(),
        stop: () => one.running.stop(),
      };
    }),
  );
});
after(() => matrix.stop());

const of = ({ name }: Configured): Printed => {
  const one = printed.get(name);
  assert.ok(one, name);
  return one;
};

async function checked({ name }: Configured): Promise<CheckResult> {
  const server = matrix.servers.find((s) => s.name === name);
  assert.ok(server, name);
  return grade(await matrix.collect(server, { depth: 'inventory' }), profile);
}

const faults = ({ findings }: CheckResult): readonly string[] =>
  findings.filter((f) => f.severity === 'fail' || f.severity === 'warn').map((f) => f.id);

for (const server of configuredServers) {
  // OpenSMTPD before 7.3 completes no handshake with OpenSSL 3, as the printed text
  // states, but a hello still shows its parameters.
  const deaf = server.name === 'opensmtpd';

  test(`${server.name} accepts its printed settings, and a check finds no fault`, async () => {
    const { text, ready } = of(server);
    const look = await ready.look(text);
    assert.equal(look.wrong, false, look.says);
    const result = await checked(server);
    assert.deepEqual(faults(result), deaf ? ['tls-handshake-failed'] : []);
    const tls = result.hosts[0]?.addresses[0]?.tls;
    assert.ok(tls);
    assert.deepEqual(
      Object.entries(tls.versions)
        .filter(([, answer]) => answer !== 'refused')
        .sort(),
      [
        ['TLSv1.2', 'accepted'],
        ['TLSv1.3', 'accepted'],
      ],
    );
    const keys = server.name.startsWith('opensmtpd') ? /ECDSA|^1\.3$/ : /./;
    const wanted = mozillaSettings.suites
      .flatMap((id) => suites.get(id) ?? [])
      .filter((s) => keys.test(s.authentication));
    assert.deepEqual(tls.suites.map((s) => s.name).sort(), wanted.map((s) => s.name).sort());
    for (const group of ['x25519', 'secp256r1', 'secp384r1'])
      assert.ok(tls.groups.includes(group), group);
    assert.equal(
      deaf || tls.groups.every((group) => mozillaSettings.groups.includes(group)),
      true,
      tls.groups.join(' '),
    );
    // Of Debian's servers, only Postfix with OpenSSL 3.5 supports the group
    // X25519MLKEM768.
    assert.equal(
      tls.groups.includes('X25519MLKEM768'),
      server.name === `postfix-${NEXT_RELEASE}`,
      tls.groups.join(' '),
    );
  });

  test(`${server.name} without the line that restricts its suites has a finding`, async () => {
    const one = of(server);
    const wide = one.text.replace(server.narrows, '');
    assert.notEqual(wide, one.text);
    await one.running.stop();
    one.running = await one.ready.start(wide);
    const found = faults(await checked(server));
    assert.ok(found.includes('tls-unlisted-suite'), found.join(' '));
  });

  test(`${server.name} accepts the settings for the oldest version too`, async () => {
    const { ready, oldest } = of(server);
    const look = await ready.look(oldest);
    assert.equal(look.wrong, false, look.says);
  });

  test(`${server.name} itself reports a misspelt line`, async () => {
    const { text, ready } = of(server);
    const misspelt = text.replace(/^(smtpd_tls_ciphers|tls_require_ciphers|listen on)/m, '$1x');
    assert.notEqual(misspelt, text);
    assert.equal((await ready.look(misspelt)).wrong, true);
  });
}
