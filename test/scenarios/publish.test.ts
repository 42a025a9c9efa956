import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Name, systemClock } from '../../src/base/index.js';
import { collect, collectOptions, grade } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createResolver, parseUpstream } from '../../src/dns/index.js';
import { allScenarios, createLab } from '../../src/lab/index.js';
import {
  applyOnce,
  KeyRing,
  localExecutor,
  openLedger,
  planAll,
  publishSection,
  type Observer,
  type PublishSection,
} from '../../src/publish/index.js';
import { openStore } from '../../src/store/index.js';
import { authoritativeNetwork } from '../support/publish/authoritative-network.js';

/**
 * Returns a domain of the lab from the view of its publisher: the lab's resolver replaces
 * the zone's own servers.
 */
async function publisher(t: TestContext, domain: string, settings: object) {
  const scenario = allScenarios.filter((s) => s.domain === domain);
  const lab = await createLab({ scenarios: scenario });
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-publish-'));
  const store = await openStore(':memory:');
  t.after(async () => {
    await lab.close();
    store.close();
    rmSync(folder, { recursive: true });
  });
  const section: PublishSection = publishSection.parse({ keys: join(folder, 'keys'), ...settings });
  const server = parseUpstream(lab.upstreams[0]?.label ?? '');
  const options = collectOptions({ ...labOptions(lab), depth: 'verdict' });
  let probes = 0;
  const observer: Observer = {
    network: authoritativeNetwork(lab.network),
    resolver: createResolver({
      network: lab.network,
      upstreams: lab.upstreams,
      anchors: lab.anchors,
    }),
    trustStore: lab.trustStore,
    clock: systemClock,
    httpsPort: 443,
    zone: async () => ({ apex: Name.of(domain), servers: server.ok ? [server.value] : [] }),
    async probe(host) {
      probes++;
      return grade(await collect(Name.of(host), { ...options, mx: Name.of(host) })).hosts[0];
    },
    reports: () => Promise.resolve([]),
  };
  const [ledger, ring] = [openLedger(store), new KeyRing(section.keys)];
  return {
    section,
    ledger,
    ring,
    observer,
    probes: () => probes,
    executor: localExecutor({ section, ledger, ring, clock: systemClock }),
  };
}

test('an existing policy and records of unknown keys are adopted unchanged', async (t) => {
  const scene = await publisher(t, 'good.example', {
    hosts: { 'mx.good.example': {} },
    domains: { 'good.example': { mx: ['mx.good.example'] } },
  });
  const plans = await planAll(scene);
  const host = plans.find(({ kind }) => kind === 'host');
  assert.deepEqual(
    host?.alerts.map(({ code }) => code),
    ['publish-key-unknown'],
  );
  assert.deepEqual(host?.steps, []);
  const domain = plans.find(({ kind }) => kind === 'domain');
  assert.match(domain?.place ?? '', /^enforce/);
  assert.deepEqual(
    domain?.steps.filter(({ action }) => action.kind === 'set-rrset'),
    [],
  );
});

test('a plan of one domain observes no other domain', async (t) => {
  const scene = await publisher(t, 'good.example', {
    hosts: { 'mx.good.example': {} },
    domains: {
      'good.example': { mx: ['mx.good.example'] },
      'other.example': { mx: ['mx.other.example'] },
    },
  });
  const only = ({ name }: { name: string }): boolean => name === 'good.example';
  const plans = await planAll({ ...scene, only });
  assert.deepEqual(
    plans.map(({ subject }) => subject),
    ['good.example'],
  );
  assert.equal(scene.probes(), 1);
});

test('a new domain gets its policy served and its records printed in order', async (t) => {
  const scene = await publisher(t, 'signed-only.example', {
    hosts: { 'mx.signed-only.example': {} },
    domains: {
      'signed-only.example': { mx: ['mx.signed-only.example'], policyHost: 'www.lab.example' },
    },
  });
  await planAll(scene);
  assert.equal(scene.ledger.body('signed-only.example'), undefined);
  assert.deepEqual(scene.ledger.domain('signed-only.example').served, []);
  const rounds = await applyOnce(scene);
  const [domain] = rounds.filter(({ kind }) => kind === 'domain');
  assert.match(scene.ledger.body('signed-only.example') ?? '', /mode: testing/);
  assert.deepEqual(
    domain?.outcomes.map(({ outcome }) =>
      outcome.status === 'manual' ? outcome.text : outcome.status,
    ),
    ['done', 'mta-sts.signed-only.example. 3600 IN CNAME www.lab.example.'],
  );
  assert.equal(scene.ledger.domain('signed-only.example').served.length, 1);
});

test('an alert is reported once while it lasts', async (t) => {
  const scene = await publisher(t, 'good.example', { hosts: { 'mx.good.example': {} } });
  const fresh = async (): Promise<readonly string[]> =>
    (await applyOnce(scene)).flatMap(({ freshAlerts }) => freshAlerts.map(({ code }) => code));
  assert.deepEqual(await fresh(), ['publish-key-unknown']);
  assert.deepEqual(await fresh(), []);
});

test('one of two simultaneous processes acts', async (t) => {
  const scene = await publisher(t, 'signed-only.example', {
    domains: { 'signed-only.example': { mx: ['mx.signed-only.example'] } },
  });
  await applyOnce(scene);
  const [one, two] = [await planAll(scene), await planAll(scene)];
  const moved = {
    ...scene.ledger.domain('signed-only.example'),
    hosts: [{ host: 'mx.signed-only.example', ttl: 1 }],
  };
  const { ledger } = scene;
  assert.ok(await ledger.saveDomain(ledger.domain('signed-only.example'), moved, 0));
  assert.deepEqual([await one[0]?.save(), await two[0]?.save()], [false, false]);
  assert.deepEqual(scene.ledger.domain('signed-only.example'), moved);
});

test('the conditions of a step are saved before its execution', async (t) => {
  const scene = await publisher(t, 'signed-only.example', {
    domains: { 'signed-only.example': { mx: ['mx.signed-only.example'] } },
  });
  const died = new Error('the machine stops');
  const executor = {
    ...scene.executor,
    local: () => {
      throw died;
    },
  };
  await assert.rejects(applyOnce({ ...scene, executor }), died);
  const before = scene.ledger.domain('signed-only.example').served;
  assert.equal(before.length, 1);
  await applyOnce(scene);
  const after = scene.ledger.domain('signed-only.example').served;
  assert.deepEqual(
    after.map(({ id }) => id),
    before.map(({ id }) => id),
  );
  assert.match(scene.ledger.body('signed-only.example') ?? '', /mode: testing/);
});
