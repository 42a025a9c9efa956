import assert from 'node:assert/strict';
import test, { after, before, type TestContext } from 'node:test';
import {
  collect,
  collectOptions,
  grade,
  nameOf,
  type CollectOptions,
  type PolicyVisitor,
} from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { createLab, scenariosFor, startSyntheticInternet, type Lab } from '../../src/lab/index.js';
import { nodeNetwork, type Network } from '../../src/net/index.js';
import { ListCheck } from '../../src/scan/index.js';
import { runCli } from '../support/run-cli.js';

/** Domains with shared hosts, policies, TLSA records and faults, and no timeouts. */
const names = [
  'good.example',
  'sts-only.example',
  'hosted-customer.example',
  'sts-mx-mismatch.example',
  'plaintext.example',
  'cname-mx.example',
  'address-mx.example',
  'legacy.example',
];

let lab: Lab;
before(async () => {
  lab = await createLab({ scenarios: scenariosFor(names) });
});
after(() => lab.close());

/** Returns a result without times, connections and the digest of the evidence. */
function comparable(result: CheckResult): unknown {
  const { checkedAt: _, connections: __, provenance: ___, ...rest } = result;
  const hosts = rest.hosts.map((host) => ({
    ...host,
    addresses: host.addresses.map(
      ({ connections: ____, inferredFrom: _____, ...address }) => address,
    ),
  }));
  // The policy id in the text of a step contains the time of the check.
  return JSON.parse(JSON.stringify({ ...rest, hosts }).replace(/id=\d{8}T\d{6}Z/g, 'id=T'));
}

async function single(domain: string, options: CollectOptions): Promise<CheckResult> {
  return grade(await collect(nameOf(domain), options));
}

test('the results of a list are those of single checks', async () => {
  const options = (): CollectOptions => collectOptions(labOptions(lab));
  const list = new ListCheck(options());
  const listed = await Promise.all(names.map(async (name) => grade(await list.collect(name))));
  for (const [index, name] of names.entries())
    assert.deepEqual(
      comparable(listed[index] as CheckResult),
      comparable(await single(name, options())),
      name,
    );
});

test('names at one address share the answers about TLS and one connection at a time', async (t: TestContext) => {
  const internet = await startSyntheticInternet({
    domains: 7,
    providers: 3,
    hostingAddresses: 1,
    shares: { ownHosts: 1, nullMx: 0, noMail: 0, sts: 0, withoutStarttls: 0, busy: 0 },
  });
  t.after(() => internet.close());
  const { smtpPort, httpsPort, anchors, trustStore, resolver, facts } = internet;
  const { network, mostOpen } = countingNetwork();
  const options = (): CollectOptions =>
    collectOptions({
      upstreams: [{ label: 'synthetic', ...resolver }],
      anchors,
      trustStore,
      smtpPort,
      httpsPort,
      spacingMs: 0,
      network,
    });
  const domains = [...facts.names()];
  const alone = await single(domains[5] ?? '', options());
  const first = internet.counts().connections;
  internet.resetCounts();
  const list = new ListCheck(options());
  const results = await Promise.all(domains.map(async (name) => grade(await list.collect(name))));
  const { connections, questions } = internet.counts();
  assert.equal(mostOpen(), 1);
  assert.deepEqual(comparable(results[5] as CheckResult), comparable(alone));
  // The check of the first name tests every TLS parameter. The checks of the other names
  // only complete handshakes.
  assert.ok(connections <= first + 6 * 3, `${connections} connections, ${first} for one domain`);
  assert.deepEqual([list.counts().connections, list.counts().addresses], [connections, 1]);
  assert.equal(list.counts().questions, questions);
  const limited = new ListCheck(options(), { perAddress: 3 });
  for (const name of domains.slice(0, 3)) await limited.collect(name);
  assert.equal(limited.counts().connections, 3);
});

test('many domains at few servers cost one visit for each host and address', async (t: TestContext) => {
  const internet = await startSyntheticInternet({
    domains: 200,
    providers: 3,
    policyAddresses: 2,
    shares: { ownHosts: 0, customerHosts: 0, signed: 0, sts: 0.1, busy: 0 },
  });
  t.after(() => internet.close());
  const { smtpPort, httpsPort, anchors, trustStore, resolver, facts } = internet;
  const { network, mostOpen } = countingNetwork();
  const list = new ListCheck(
    collectOptions({
      upstreams: [{ label: 'synthetic', ...resolver }],
      anchors,
      trustStore,
      smtpPort,
      httpsPort,
      depth: 'triage',
      spacingMs: 0,
      network,
    }),
  );
  const domains = [...facts.names()].map((_, index) => facts.domainAt(index));
  await Promise.all(domains.map(({ name }) => list.collect(name)));
  const hosts = new Map(domains.flatMap((one) => one.hosts.map((host) => [host.name, host])));
  const pairs = [...hosts.values()].reduce((sum, { addresses }) => sum + addresses.length, 0);
  const { connections, addresses, policyFetches, policyHosts } = internet.counts();
  assert.ok(hosts.size <= 6 && addresses <= pairs, `${hosts.size} hosts, ${pairs} pairs`);
  assert.ok(connections <= pairs, `${connections} connections for ${pairs} pairs`);
  assert.equal(mostOpen(), 1);
  const policies = domains.filter(({ sts }) => sts !== 'none' && sts !== 'no-address');
  assert.ok(policyFetches <= policies.length && policies.length > 10);
  assert.ok(policyHosts.connections <= policies.length && policyHosts.addresses <= 2);
});

/** Counts connections to one address that are open at the same time. */
function countingNetwork(): { network: Network; mostOpen: () => number } {
  const real = nodeNetwork();
  const openAt = new Map<string, number>();
  let most = 0;
  const network: Network = {
    exchange: (request) => real.exchange(request),
    dial: async (request) => {
      const dialled = await real.dial(request);
      if (!dialled.ok) return dialled;
      const place = `${request.address} ${request.port}`;
      const add = (change: number): void => {
        openAt.set(place, (openAt.get(place) ?? 0) + change);
      };
      add(1);
      most = Math.max(most, openAt.get(place) ?? 0);
      let closed = false;
      const close = (): void => {
        if (!closed) add(-1);
        closed = true;
        dialled.connection.close();
      };
      return { ok: true, connection: { ...dialled.connection, close } };
    },
  };
  return { network, mostOpen: () => most };
}

test('check of several domains reports its traffic on standard error', async () => {
  const { code, out, err } = await runCli([
    'check',
    '--lab',
    'good.example',
    'plaintext.example',
    '--depth',
    'triage',
  ]);
  assert.equal(code, 1);
  assert.match(err, /^\d+ connections to \d+ mail server addresses, \d+ DNS questions$/m);
  assert.doesNotMatch(out, /DNS questions/);
});

test('an opted-out policy host leaves the policy unknown', async () => {
  for (const code of ['net-budget', 'opt-out'] as const) {
    const policyVisitor: PolicyVisitor = {
      run: () => Promise.resolve({ refused: { code, detail: 'mta-sts.good.example' } }),
    };
    const result = await single('sts-only.example', {
      ...collectOptions({ ...labOptions(lab), depth: 'triage' }),
      policyVisitor,
    });
    assert.equal(result.verdict, 'inconclusive');
    assert.deepEqual(
      result.findings.filter(({ id }) => id.startsWith('sts-')).map(({ id }) => id),
      ['sts-policy-not-fetched'],
    );
    assert.equal(result.exposure.mtaStsFirst.none, 'unknown');
  }
});
