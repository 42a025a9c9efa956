import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { ownNetwork } from './own-network.js';
import { until } from './process.js';
import { at, PublishWorld, type PublishWorldOptions } from './publish-world.js';
import { bind } from './update-servers.js';

ownNetwork([...Object.values(at), '127.31.0.11']);

const domain = 'pebble.example';
const host = `mta-sts.${domain}`;

/**
 * Returns the certificate of the policy host; undefined if the host refuses the
 * handshake.
 */
function shown(): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host: at.web,
      port: 443,
      servername: host,
      rejectUnauthorized: false,
    });
    socket.once('secureConnect', () => {
      const certificate = new X509Certificate(socket.getPeerCertificate().raw);
      socket.destroy();
      resolve(certificate);
    });
    socket.once('error', () => resolve(undefined));
  });
}

const spki = (certificate: X509Certificate | undefined): string =>
  certificate?.publicKey.export({ format: 'pem', type: 'spki' }).toString() ?? '';

async function certified(
  t: TestContext,
  challenge: string,
  {
    lifetime = 35,
    ...options
  }: Partial<Pick<PublishWorldOptions, 'pebble' | 'lifetime' | 'answersAt'>> = {},
): Promise<void> {
  const hosts = [{ name: `mx.${domain}`, address: '127.31.0.11' }];
  const world = await PublishWorld.start({
    nameServer: bind,
    domain,
    hosts,
    ttl: 1,
    lifetime,
    ...options,
  });
  t.after(() => world.stop());
  world.serve(`${world.settings}web: {listen: '${at.web}:443', http: '${at.web}:80'}
publish:
  everyMinutes: 0.02
  rehearsal: true
${world.publishing(challenge)}  domains: {${domain}: {mx: [mx.${domain}], policyHost: policy.${domain}, ttl: 1, dns: own}}
`);
  const comes = async (
    what: string,
    holds: (certificate: X509Certificate) => boolean,
  ): Promise<X509Certificate> => {
    let seen: X509Certificate | undefined;
    await until(
      what,
      async () => (seen = await shown()) !== undefined && holds(seen),
      () => world.log,
      90_000,
    );
    return seen as X509Certificate;
  };
  const first = await comes('a certificate', () => true);
  assert.equal(first.checkHost(host), host);
  const second = await comes(
    'a renewal',
    ({ serialNumber }) => serialNumber !== first.serialNumber,
  );
  assert.equal(spki(second), spki(first), 'a renewal keeps the key');
  assert.ok(Date.parse(second.validFrom) < Date.parse(first.validTo), 'renewed before the end');
  const alias = options.answersAt === undefined ? [] : [`${options.answersAt}.`];
  // The next renewal may be in progress, so its challenge response may remain for a
  // while.
  await until(
    'no answer is left behind',
    async () => String(await world.records(`_acme-challenge.${host}`, 'TXT')) === alias.join(),
    () => world.log,
    90_000,
  );
}

for (const challenge of ['http-01', 'tls-alpn-01', 'dns-01'])
  test(`pebble certifies a policy host by ${challenge}, and renews with the same key`, (t) =>
    certified(t, challenge));

test('pebble follows a challenge alias; the key may change only its target', (t) =>
  certified(t, 'dns-01', { answersAt: `answers.${domain}` }));

test('pebble with refused nonces and delays: the certificate is issued and renewed', (t) =>
  certified(t, 'dns-01', {
    pebble: {
      PEBBLE_WFE_NONCEREJECT: '20',
      PEBBLE_AUTHZREUSE: '0',
      PEBBLE_VA_NOSLEEP: '0',
      PEBBLE_VA_SLEEPTIME: '3',
    },
    lifetime: 60,
  }));
