import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { collectOptions, type CollectOptions } from '../../src/check/index.js';
import { createResolver } from '../../src/dns/index.js';
import { startSyntheticInternet, type SyntheticInternet } from '../../src/lab/index.js';
import { gradeDomain, observeDomain, type ScannedDomain } from '../../src/scan/index.js';
import { fewAtATime } from '../support/few-at-a-time.js';
import { observeAll } from '../support/scanned-domains.js';

const shares = { signed: 0.3, sts: 0.5, tlsRpt: 0.3, nullMx: 0.1, noMail: 0.1, busy: 0.2 };
let internet: SyntheticInternet;
let options: CollectOptions;
const scanned = new Map<string, ScannedDomain>();

before(async () => {
  internet = await startSyntheticInternet({ domains: 25, shares, changing: 0.1 });
  const { smtpPort, httpsPort, anchors, trustStore, resolver } = internet;
  options = collectOptions({
    depth: 'triage',
    upstreams: [{ label: 'synthetic', ...resolver }],
    anchors,
    trustStore,
    smtpPort,
    httpsPort,
  });
  await fewAtATime([...internet.facts.names()], async (name) => {
    scanned.set(name, await observeAll(name, options));
  });
});
after(() => internet.close());

const domains = () => Array.from({ length: 25 }, (_, index) => internet.facts.domainAt(index));

test('every answer of the synthetic DNS validates', () => {
  for (const { name, signed, provider } of domains()) {
    const facts = scanned.get(name);
    assert.equal(facts?.domain.route.dnssec, signed ? 'secure' : 'insecure', name);
    for (const { host } of facts?.hosts ?? [])
      assert.equal(host.dnssec, (provider?.signed ?? signed) ? 'secure' : 'insecure', host.name);
  }
});

test('a scan of the synthetic internet finds the facts that it was made of', () => {
  for (const { name, route, hosts, sts, tlsRpt, provider } of domains()) {
    const facts = scanned.get(name);
    assert.ok(facts);
    const { mx, route: seen } = facts.domain;
    assert.deepEqual(
      mx.map((host) => host.name),
      hosts.map((host) => host.name),
      name,
    );
    assert.equal(seen.kind, route);
    const { measures, classes } = gradeDomain(facts);
    const states = {
      enforce: 'enforce',
      testing: 'testing',
      none: 'absent',
      'wrong-mx': 'enforce',
    };
    assert.equal(measures.mtaSts, states[sts as 'enforce'] ?? measures.mtaSts, `${name} ${sts}`);
    assert.equal(classes.includes('sts-mx-mismatch'), sts === 'wrong-mx');
    assert.equal(classes.includes('sts-policy-tls'), sts === 'bad-certificate');
    if (route === 'mx') assert.equal(measures.tlsRpt, tlsRpt ? 'found' : 'absent');
    if (provider?.tlsa === 'match') assert.ok(['partial', 'protected'].includes(measures.dane));
  }
});

test('the servers count what they received', () => {
  const counts = internet.counts();
  const visits = [...scanned.values()].flatMap(({ hosts }) => hosts.flatMap((host) => host.visits));
  assert.equal(counts.connections, visits.length);
  assert.equal(counts.mailCommands, 0);
  assert.ok(counts.quits > 0 && counts.policyFetches > 0);
  assert.ok((counts.questionsByType['MX'] ?? 0) >= 25);
  const [visit] = visits;
  assert.ok((internet.countsAt(visit?.address.ip ?? '')?.connections ?? 0) > 0);
});

test('a change affects the named domains and no others', async () => {
  const changed = internet.change();
  assert.ok(changed.length > 0 && changed.length < 20, `${changed.length}`);
  const resolver = createResolver({
    network: options.network,
    upstreams: [{ label: 'synthetic', ...internet.resolver }],
    anchors: internet.anchors,
  });
  const again = { ...options, resolver };
  for (const { name } of domains()) {
    const now = await observeDomain(name, again);
    const was = scanned.get(name)?.domain;
    assert.equal(now.tlsRpt?.status !== was?.tlsRpt?.status, changed.includes(name), name);
  }
});

test('providers follow the law of Zipf', async () => {
  const large = await startSyntheticInternet({ domains: 10_000 });
  const counts = new Map<number, number>();
  for (let index = 0; index < 10_000; index++) {
    const rank = large.facts.domainAt(index).provider?.index;
    if (rank !== undefined) counts.set(rank, (counts.get(rank) ?? 0) + 1);
  }
  await large.close();
  const ratio = (counts.get(0) ?? 0) / (counts.get(9) ?? 1);
  assert.ok(ratio > 5 && ratio < 16, `${ratio}`);
});
