import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { nodeNetwork } from '../../src/net/index.js';
import { folderSolver, Issuer, KeyRing, openAcmeStore } from '../../src/publish/index.js';
import { openStore } from '../../src/store/index.js';
import { parsePemBundle, trustStore } from '../../src/x509/index.js';
import { ownNetwork } from './own-network.js';
import { until } from './process.js';
import { at, PublishWorld } from './publish-world.js';
import { bind } from './update-servers.js';

ownNetwork([...Object.values(at), '127.31.0.12']);

const domain = 'stopped.example';
const host = `mta-sts.${domain}`;

/*
 * Pebble checks no CAA records (its issue 476), so this test covers only DNSSEC.
 * docs/decisions/0015-caa-evidence.md names the evidence for CAA.
 */
test('the plan stops where pebble refuses: a zone whose DNSSEC is bogus', async (t) => {
  const world = await PublishWorld.start({
    nameServer: bind,
    domain,
    hosts: [{ name: `mx.${domain}`, address: '127.31.0.12' }],
    ttl: 1,
    lifetime: 20,
    isBogus: true,
  });
  t.after(() => world.stop());
  world.serve(`${world.settings}web: {listen: '${at.web}:443', http: '${at.web}:80'}
publish:
  everyMinutes: 0.02
  rehearsal: true
${world.publishing('http-01')}  domains: {${domain}: {mx: [mx.${domain}], policyHost: policy.${domain}, ttl: 1, dns: own}}
`);
  await until(
    'the alert',
    async () => world.log.includes(`publish-issuance-bogus subject=${host}`),
    () => world.log,
    90_000,
  );
  const plan = await world.hermetic(
    'publish',
    'plan',
    '--config',
    join(world.folder, 'hermetic.yaml'),
  );
  assert.match(plan, /DNSSEC is bogus at a name that the CA looks up/);
  assert.match(plan, /Sign the zone again/);
  // The daemon placed no order, and the CA refuses an order that the test places
  // directly.
  assert.doesNotMatch(world.log, /order-plz/);
  const roots = parsePemBundle(readFileSync(join(world.folder, 'web-root.pem'), 'utf8'));
  assert.ok(roots.ok);
  const store = await openStore(':memory:');
  t.after(() => store.close());
  const ring = new KeyRing(join(world.folder, 'other-keys'));
  ring.make(host, 'ecdsa-1', 'ecdsa');
  const issuer = new Issuer({
    server: {
      directory: world.directory,
      network: nodeNetwork(),
      addressesOf: () => Promise.resolve([at.ca]),
      anchors: trustStore(roots.value),
      clock: systemClock,
    },
    store: openAcmeStore(store),
    ring,
    solvers: [folderSolver(join(world.folder, 'webroot'))],
    contact: [],
    random: () => 0,
  });
  const outcome = await issuer.certify({ host, key: 'ecdsa-1' });
  assert.equal(outcome.status, 'failed');
  assert.match(JSON.stringify(outcome), /acme-challenge-failed|SERVFAIL|server misbehaving/i);
  assert.match(world.log, /order-plz/);
});
