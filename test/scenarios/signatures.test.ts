import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { checkDomains } from '../../src/cli/check-domains.js';
import { grade } from '../../src/check/index.js';
import { parseTrustAnchors, rootAnchors } from '../../src/dns/index.js';
import type { CheckResult, Evidence } from '../../src/evidence/index.js';
import { allScenarios, createLab, LabDns, type Lab, type Scenario } from '../../src/lab/index.js';
import type { Network } from '../../src/net/index.js';

/** This test judges these scenarios without their stored expectation. */
const unjudged = (allScenarios[0] as Scenario).expect;

type Signed = NonNullable<Scenario['zone']>['signed'];

/**
 * Returns a signed domain whose signatures have this age and remaining validity, in days.
 */
function signed(domain: string, age: number, left: number, more: Partial<Scenario> = {}): Scenario {
  const zone: { signed: Signed } = { signed: { period: { age, left } } };
  return {
    domain,
    says: 'signed',
    hosts: [{ tlsa: ['ee'] }],
    expect: unjudged,
    ...more,
    zone: { ...more.zone, ...zone },
  };
}

async function check(lab: Lab, domain: string): Promise<CheckResult> {
  const [collected] = checkDomains(lab, [domain], { depth: 'verdict' });
  assert.ok(collected);
  return grade(await collected);
}

const shown = ({ findings }: CheckResult): readonly string[] =>
  findings
    .filter(({ id }) => /^dnssec-(sig|exp|stale)/.test(id))
    .map(({ severity, id }) => `${severity} ${id}`);

test('signatures near expiry are a warning, late renewals a note', async (t) => {
  const elsewhere = { hosts: [{ name: 'mx.ending.example.' }], zone: {} };
  const lab = await createLab({
    scenarios: [
      signed('fresh.example', 1, 13),
      signed('ending.example', 12, 2),
      signed('late.example', 10, 4),
      signed('online.example', 1, 1.1),
      signed('short.example', 0.5, 0.9),
      signed('hosted.example', 1, 13, elsewhere),
    ],
  });
  t.after(() => lab.close());
  const of = (domain: string): Promise<CheckResult> => check(lab, domain);
  const ending = await of('ending.example');
  assert.deepEqual(shown(ending), ['warn dnssec-signature-near-expiry']);
  assert.match(ending.findings.map(({ title }) => title).join(), /ending\.example on 20/);
  assert.deepEqual(shown(await of('fresh.example')), []);
  assert.deepEqual(shown(await of('late.example')), ['info dnssec-signature-late']);
  // Online signers sign each answer with a validity of two days.
  assert.deepEqual(shown(await of('online.example')), []);
  assert.deepEqual(shown(await of('short.example')), ['info dnssec-expire-long']);
  // The signatures of the mail host's zone matter too.
  assert.deepEqual(shown(await of('hosted.example')), ['warn dnssec-signature-near-expiry']);
});

test('a result contains the earliest expiry of each zone, registry included', async (t) => {
  const lab = await createLab({ scenarios: [signed('fresh.example', 1, 13)] });
  t.after(() => lab.close());
  const { signatures = [] } = await check(lab, 'fresh.example');
  assert.deepEqual(
    signatures.map(({ zone }) => zone),
    ['fresh.example', 'example', ''],
  );
  const left = Date.parse(signatures[0]?.notAfter ?? '') - Date.now();
  assert.ok(left > 12.9 * 86_400_000 && left < 13.1 * 86_400_000, `${left} ms`);
});

test('a foreign trust anchor or a wrong clock leaves the verdict open', async (t) => {
  const lab = await createLab({ scenarios: [signed('fresh.example', 1, 13)] });
  t.after(() => lab.close());
  const elsewhere = parseTrustAnchors(`elsewhere. IN DS 1 13 2 ${'00'.repeat(32)}`);
  assert.ok(elsewhere.ok);
  const wrongClock = { ...systemClock, now: () => Date.now() + 400 * 86_400_000 };
  for (const [own, cause] of [
    [{ anchors: rootAnchors }, /No trust anchor signs/],
    [{ anchors: elsewhere.value }, /No trust anchor covers/],
    [{ clock: wrongClock }, /clock/],
  ] as const) {
    const [collected] = checkDomains(lab, ['fresh.example'], { ...own, resolver: undefined });
    const result = grade((await collected) as Evidence);
    assert.equal(result.verdict, 'inconclusive', JSON.stringify(result.findings));
    assert.match(result.findings.find(({ id }) => id === 'own-validation-fails')?.why ?? '', cause);
    assert.doesNotMatch(JSON.stringify(result.findings), /dnssec-bogus|dane-bogus/);
  }
});

/**
 * Returns the lab's network with a secondary at 192.0.2.54 that answers from other zones.
 */
function withSecondary(lab: Lab, answer: (query: Uint8Array) => Uint8Array | undefined): Lab {
  const network: Network = {
    dial: (request) => lab.network.dial(request),
    exchange: async (request) => {
      if (request.to.address !== '192.0.2.54') return lab.network.exchange(request);
      const bytes = answer(request.query);
      if (bytes && request.accept(bytes, request.to)) return { ok: true, bytes };
      return { ok: false, failure: { code: 'net-timeout', detail: '' } };
    },
  };
  return { ...lab, network };
}

test('a secondary with old signatures is reported, a silent one is undecided', async (t) => {
  const records = '@ NS ns2\nns2 A 192.0.2.54';
  const lab = await createLab({
    scenarios: [signed('good-zone.example', 1, 13, { zone: { records } })],
  });
  t.after(() => lab.close());
  const secondary = (period: { age: number; left: number } | undefined): LabDns =>
    new LabDns(
      [
        { apex: '.', signed: {} },
        { apex: 'good-zone.example', signed: period && { period }, records: '@ MX 10 mx' },
      ],
      Date.now(),
    );
  const seenBy = (dns: LabDns): Promise<CheckResult> =>
    check(
      withSecondary(lab, (query) => dns.serve(query)),
      'good-zone.example',
    );
  for (const period of [{ age: 20, left: -6 }, { age: 12, left: 1 }, undefined]) {
    const result = await seenBy(secondary(period));
    assert.deepEqual(shown(result), ['warn dnssec-stale-server'], JSON.stringify(period));
    const { reason = '' } = result.findings.find(({ id }) => id === 'dnssec-stale-server') ?? {};
    assert.match(reason, /^ns2\.good-zone\.example \[192\.0\.2\.54\]: /);
  }
  assert.deepEqual(shown(await seenBy(secondary({ age: 1, left: 12 }))), []);
  const silent = await check(
    withSecondary(lab, () => undefined),
    'good-zone.example',
  );
  assert.deepEqual(shown(silent), []);
  assert.ok(silent.undecided?.includes('dnssec-stale-server'));
});
