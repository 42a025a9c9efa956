/**
 * The number of questions that a check and a scan ask, counted at the DNS server of the
 * lab. Every question is a load on the resolver, the network and the servers of the
 * domain.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../src/base/index.js';
import { collect } from '../../src/check/run/collect.js';
import { createResolver } from '../../src/dns/index.js';
import { allScenarios, createLab } from '../../src/lab/index.js';
import type { Network } from '../../src/net/index.js';
import { CountedScan, questionIn } from '../support/counted-scan.js';

/**
 * The limit of questions for each domain when the keys of the top-level zone are cached.
 */
const limits = [
  ['opportunistic', 7],
  ['sts-only', 9],
  ['dane-only', 8],
  ['two-certs', 8],
  // Eight record types and the proof of one zone cut:
  // docs/decisions/0019-questions-of-a-check.md.
  ['good', 10],
] as const;

test('a check asks 9 questions, 8 of a signed domain, 10 with a policy', async () => {
  const first = 'plaintext.example';
  const domains = [first, ...limits.map(([name]) => `${name}.example`)];
  const lab = await createLab({
    scenarios: allScenarios.filter(({ domain }) => domains.includes(domain)),
  });
  try {
    const asked: string[] = [];
    const network: Network = {
      dial: (request) => lab.network.dial(request),
      exchange: (request) => {
        asked.push(questionIn(request.query));
        return lab.network.exchange(request);
      },
    };
    const { upstreams, anchors, trustStore } = lab;
    // On a busy machine, a retransmitted question would be counted twice.
    const resolver = createResolver({ network, upstreams, anchors, timeoutMs: 60_000 });
    const check = async (domain: string): Promise<readonly string[]> => {
      const options = { network, resolver, trustStore, reach: 'any', spacingMs: 0 } as const;
      await collect(Name.of(domain), options);
      return asked.splice(0);
    };
    // The first check also queries the keys of the root and of the top-level zone.
    const questions = await check(first);
    assert.ok(questions.length <= 10, questions.join(', '));
    for (const [name, most] of limits) {
      const questions = await check(`${name}.example`);
      assert.ok(questions.length <= most, `${name}: ${questions.join(', ')}`);
      assert.equal(new Set(questions).size, questions.length, 'no question is asked twice');
    }
  } finally {
    await lab.close();
  }
});

test('a scan asks 4 questions a domain and 4 a distinct host', async () => {
  const size = { domains: 120, hosts: 12 };
  const scan = new CountedScan(size);
  await scan.lookUpAll();
  // The keys of the root and of `example`, and the absent zone cut at `co.example`.
  const above = 4;
  const most = 4 * size.domains + 4 * size.hosts + above + scan.signedDomains;
  assert.ok(scan.asked.length <= most, `${scan.asked.length} questions, at most ${most}`);
  assert.ok(scan.asked.length / size.domains <= 6);
  assert.equal(new Set(scan.asked).size, scan.asked.length, 'no question is asked twice');
});
