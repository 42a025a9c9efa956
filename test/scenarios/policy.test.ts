import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { steadyTime, systemClock, type Name } from '../../src/base/index.js';
import { createResolver } from '../../src/dns/index.js';
import { domainDecisionSchema } from '../../src/evidence/index.js';
import { createLab, type Lab } from '../../src/lab/index.js';
import { createStsSource, fetchPolicy, memoryStsCache } from '../../src/mta-sts/index.js';
import { resolvePolicy, type DomainDecision, type PolicyDeps } from '../../src/tls-policy/index.js';

let lab: Lab;
let deps: PolicyDeps;

before(async () => {
  lab = await createLab();
  const { network, upstreams, anchors, trustStore } = lab;
  const resolver = createResolver({ network, upstreams, anchors });
  const now = steadyTime(systemClock);
  const fetch = (domain: Name, signal: AbortSignal) =>
    fetchPolicy({
      network,
      resolver,
      domain,
      anchors: trustStore,
      validationTime: Date.now(),
      timeoutMs: 10_000,
      signal,
    });
  deps = {
    resolver,
    now,
    stsSource: createStsSource({ resolver, cache: memoryStsCache({ now }), fetch, now }),
  };
});
after(() => lab.close());

async function decide(domain: string, more: Partial<PolicyDeps> = {}): Promise<DomainDecision> {
  const decision = await resolvePolicy(domain, { ...deps, ...more });
  domainDecisionSchema.parse(decision);
  return decision;
}

test('full protection: DANE and PKIX are both required, each with clause and record', async () => {
  const decision = await decide('good.example');
  assert.equal(decision.action, 'deliver');
  assert.equal(decision.mtaSts.how, 'live');
  const [host] = decision.hosts;
  assert.deepEqual(host?.decision, {
    action: 'use',
    tls: 'mandatory',
    authenticate: ['dane', 'pkix'],
    reasons: ['dane-usable', 'sts-enforce'],
  });
  assert.deepEqual(host.referenceNames, ['mx.good.example', 'good.example']);
  assert.match(host.grounds[0]?.record ?? '', /^mx\.good\.example TLSA 3 1 1 [0-9a-f]{64}$/);
  assert.match(host.grounds[1]?.record ?? '', /mode: enforce; mx: mx\.good\.example/);
  assert.ok(decision.validUntil > decision.decidedAt);
  assert.equal((await decide('good.example')).mtaSts.how, 'cached');
});

test('every domain of the lab has a decision that its schema accepts', async () => {
  for (const { domain } of lab.scenarios) await decide(domain);
});

test('a null MX rejects, a failed lookup defers with the cause', async () => {
  assert.equal((await decide('null-mx.example')).action, 'reject');
  const bogus = await decide('bogus.example');
  assert.equal(bogus.action, 'wait');
  assert.equal(bogus.route.trouble?.whose, 'theirs');
  const dead = createResolver({
    network: lab.network,
    upstreams: [{ address: '192.0.2.99', port: 53, label: '192.0.2.99' }],
    timeoutMs: 50,
  });
  const ours = await decide('good.example', { resolver: dead, mtaSts: false });
  assert.deepEqual([ours.action, ours.route.trouble?.whose], ['wait', 'ours']);
});

test('an exemption shows its end, reason and effect; REQUIRETLS overrides it', async () => {
  const exemptions = [
    {
      domain: 'dane-mismatch.example',
      until: '2099-01-01T00:00:00Z',
      reason: 'they renew on Monday',
    },
  ];
  const decision = await decide('dane-mismatch.example', { exemptions });
  assert.deepEqual(decision.waiver, {
    kind: 'exemption',
    until: '2099-01-01T00:00:00Z',
    reason: 'they renew on Monday',
  });
  assert.deepEqual(
    decision.hosts[0]?.decision.action === 'use' && decision.hosts[0].decision.authenticate,
    ['dane'],
  );
  assert.equal(
    (await decide('dane-mismatch.example', { exemptions, require: 'verified' })).waiver,
    undefined,
  );
  const over = [
    { domain: 'dane-mismatch.example', until: '2020-01-01T00:00:00Z', reason: 'long ago' },
  ];
  assert.equal((await decide('dane-mismatch.example', { exemptions: over })).waiver, undefined);
});

test('a smart host has its own policy and no MX lookup; an address has none', async () => {
  const smart = await decide('[mx.good.example]:25');
  assert.deepEqual(
    [smart.route.kind, smart.hosts[0]?.name, smart.mtaSts.record.status],
    ['host', 'mx.good.example', 'absent'],
  );
  assert.deepEqual(smart.hosts[0]?.decision.reasons, ['dane-usable', 'sts-no-policy']);
  const address = await decide('[192.0.2.25]');
  assert.deepEqual(
    [address.route.kind, address.hosts[0]?.addresses, address.mtaSts.record.status],
    ['address', ['192.0.2.25'], 'not-asked'],
  );
});
