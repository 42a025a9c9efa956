import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { CheckResult, Evidence } from '../../evidence/index.js';
import type { Attack, DeliveryResult, SenderClass } from '../../tls-policy/index.js';
import { headline } from '../render/headline.js';
import { scorecard } from '../render/scorecard.js';
import { renderTerminal } from '../render/terminal.js';
import { cellOf } from '../render/words.js';
import { randomEvidence } from '../../../test/support/check/random-evidence.js';
import { grade } from './grade.js';
import { testSize } from '../../../test/support/test-size.js';

const numRuns = testSize(400, 20_000);

const rows = {
  'senders with DANE or MTA-STS': ['dane', 'mtaStsFirst', 'mtaStsCached'],
  'senders with DANE': ['dane', 'bothFirst', 'bothCached'],
  'senders with DANE alone': ['dane'],
  'senders with MTA-STS': ['mtaStsFirst', 'mtaStsCached', 'bothFirst', 'bothCached'],
  'senders with MTA-STS alone': ['mtaStsFirst', 'mtaStsCached'],
  'senders with both DANE and MTA-STS': ['bothFirst', 'bothCached'],
  'senders that check nothing': ['opportunistic'],
  'senders without MTA-STS': ['opportunistic', 'dane'],
  'senders without DANE': ['opportunistic', 'mtaStsFirst', 'mtaStsCached'],
  'senders without DANE or MTA-STS, or with both,': ['opportunistic', 'bothFirst', 'bothCached'],
  'most senders': ['opportunistic', 'dane', 'mtaStsFirst', 'mtaStsCached'],
} as const satisfies Record<string, readonly SenderClass[]>;

/**
 * The senders that each phrase calls protected under attack: an MTA-STS policy counts
 * only if it is cached.
 */
const cached = {
  'senders with DANE or MTA-STS': ['dane', 'mtaStsCached'],
  'senders with DANE': ['dane', 'bothCached'],
  'senders with DANE alone': ['dane'],
  'senders with MTA-STS': ['mtaStsCached', 'bothCached'],
  'senders with MTA-STS alone': ['mtaStsCached'],
  'senders with both DANE and MTA-STS': ['bothCached'],
} as const satisfies Record<string, readonly SenderClass[]>;
const attacks: readonly Attack[] = ['stripStarttls', 'swapCertificate', 'spoofMx', 'suppress'];

const phrases: readonly (readonly [RegExp, DeliveryResult])[] = [
  [/from (senders [^;.]*?|most senders) travels encrypted and verified/g, 'verified'],
  [/all mail travels encrypted, and (senders [^;.]*?) verify/g, 'verified'],
  [/from (senders [^;.]*?|most senders) travels encrypted but/g, 'unverified'],
];
const better: readonly DeliveryResult[] = ['unverified', 'verified'];

/**
 * Returns every way in which the sentence, the table, the verdict and the findings
 * contradict each other.
 */
function contradictions(result: CheckResult, evidence: Evidence): readonly string[] {
  const { exposure, verdict, findings, hosts } = result;
  const found: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || found.push(what));
  const text = headline(result);
  const now = Object.values(exposure).map((row) => row.none);
  const today =
    text.split(/ (?:Reason for FAIL|Under attack|An attacker|What an attacker)/)[0] ?? '';

  for (const [phrase, claimed] of phrases)
    for (const [, group = ''] of today.matchAll(phrase))
      for (const sender of rows[group as keyof typeof rows] ?? [])
        must(
          better.indexOf(exposure[sender].none) >= better.indexOf(claimed),
          `"${today}", but ${sender} is ${exposure[sender].none}`,
        );
  must(/plaintext/.test(today) === now.includes('cleartext'), `plaintext: ${today}`);
  for (const [, some, all, rest] of today.matchAll(/^(\d+) of (\d+) address(.*)/g))
    must(
      Number(some) < Number(all) + Number(/on some connections only/.test(rest ?? '')),
      `a minority: ${today}`,
    );
  if (findings.some((f) => f.id === 'no-enforcement' && f.title.startsWith('Neither DANE')))
    must(
      !Object.values(exposure).some((row) => row.none === 'verified'),
      `no enforcement, but a class of senders verifies the server`,
    );
  if (findings.some((f) => f.id === 'sts-good'))
    must(
      !findings.some(
        (f) => f.severity === 'fail' && ['certificate', 'starttls'].includes(f.topic ?? ''),
      ),
      `MTA-STS is satisfied, and TLS fails`,
    );
  for (const { why } of findings) {
    const { none } = exposure.mtaStsCached;
    const [, action = ''] = /Senders that apply the MTA-STS policy ([^;.]*)/.exec(why) ?? [];
    must(action !== 'defer the mail' || !better.includes(none), `${why}, but mail is ${none}`);
    must(!action.startsWith('use') || none !== 'deferred', `${why}, but mail is deferred`);
  }
  for (const { topic, mark, value } of scorecard(result))
    if (topic === 'starttls' && mark === 'fail')
      must(!/^offered by \d+ address/.test(value), `STARTTLS fails: ${value}`);
  for (const [, group = ''] of text.matchAll(/Attacks on mail from (.*?) are defeated/g))
    for (const sender of cached[group as keyof typeof cached] ?? [])
      must(
        attacks.every((attack) => exposure[sender][attack] === 'deferred'),
        `"${text}", but ${sender} is not deferred`,
      );
  must(
    !/no mail is delivered/.test(today) || now.every((outcome) => outcome === 'deferred'),
    `nothing gets through: ${today}`,
  );
  const [worst] = findings.filter((f) => f.severity === 'fail');
  must((verdict === 'fail') === (worst !== undefined), `${verdict} with ${worst?.id ?? 'no fail'}`);
  if (worst && verdict === 'fail' && !findings.some((f) => f.id === 'domain-nonexistent'))
    must(text.includes(worst.title), `the page does not say why it fails: ${text}`);
  if (verdict === 'pass' || verdict === 'warn') {
    for (const outcome of ['cleartext', 'deferred', 'unknown', 'to-attacker'] as const)
      must(!now.includes(outcome), `${verdict}, but ${outcome} today: ${now.join()}`);
  }
  const severities = findings.map((finding) => finding.severity);
  must(verdict !== 'pass' || !severities.includes('warn'), 'pass with a warning');
  must(verdict !== 'warn' || severities.includes('warn'), 'warn without a warning');
  for (const { topic, mark } of scorecard(result))
    must(
      (mark === 'fail') === findings.some((f) => f.topic === topic && f.severity === 'fail'),
      `the scorecard marks ${topic} as ${mark}`,
    );
  if (verdict === 'pass')
    for (const host of hosts.filter((h) => h.passedOver === undefined))
      for (const address of host.addresses)
        must(
          address.status === 'skipped' ||
            (address.status === 'reachable' && address.reason === undefined),
          `pass with ${address.ip} ${address.status} ${address.reason ?? ''}`,
        );
  if (evidence.route.kind === 'null-mx' || evidence.route.kind === 'none')
    must(verdict === 'not-applicable', `${evidence.route.kind} is ${verdict}`);
  const page = renderTerminal(result, { width: 120 });
  for (const [sender, row] of Object.entries(exposure))
    for (const [attack, outcome] of Object.entries(row)) {
      const { word } = cellOf(sender as SenderClass, attack as Attack, outcome);
      if (outcome !== 'not-applicable')
        must(page.includes(word), `${sender}: ${outcome} is not printed`);
    }
  return found;
}

test('headline, table, verdict and findings agree on any evidence', () => {
  const verdicts = new Map<string, number>();
  const parts = new Set<string>();
  fc.assert(
    fc.property(randomEvidence(), (evidence) => {
      const result = grade(evidence);
      verdicts.set(result.verdict, (verdicts.get(result.verdict) ?? 0) + 1);
      for (const part of partsOf(evidence)) parts.add(part);
      const found = contradictions(result, evidence);
      assert.equal(found.join('; '), '');
    }),
    { numRuns },
  );
  for (const verdict of ['pass', 'warn', 'fail', 'inconclusive', 'not-applicable'])
    assert.ok((verdicts.get(verdict) ?? 0) > 0, `no evidence is ${verdict}`);
  assert.equal(parts.size, 9, [...parts].join());
});

/**
 * Returns the rare parts that the evidence has; the generator must produce every rare
 * part at least once.
 */
function partsOf({ hosts, continuity, mtaSts, tlsRpt }: Evidence): readonly string[] {
  const addresses = hosts.flatMap((host) => host.addresses);
  const preferences = new Set(hosts.map((host) => host.preference));
  const part = (name: string, isThere: boolean): readonly string[] => (isThere ? [name] : []);
  return [
    ...part('CAA', (continuity?.caa.length ?? 0) > 0),
    ...part('signatures', (continuity?.signatures.length ?? 0) > 0),
    ...part('references', (continuity?.references.length ?? 0) > 0),
    ...part('policy addresses', mtaSts.policyAddresses !== undefined),
    ...part('equal preference', hosts.length > preferences.size),
    ...part('different preference', preferences.size > 1),
    ...part('many hosts', hosts.length > 6),
    ...part(
      'a guarded address',
      addresses.some(({ reason }) => reason === 'net-guarded'),
    ),
    ...part('a failed lookup', tlsRpt.status === 'tempfail'),
  ];
}

test('the outcome today does not depend on the order of equal hosts and addresses', () => {
  fc.assert(
    fc.property(randomEvidence(), (evidence) => {
      const turned = evidence.hosts
        .map((host) => ({ ...host, addresses: [...host.addresses].reverse() }))
        .reverse()
        .sort((a, b) => a.preference - b.preference);
      const [before, after] = [grade(evidence), grade({ ...evidence, hosts: turned })];
      assert.deepEqual(after.exposure, before.exposure);
      assert.equal(after.verdict, before.verdict);
    }),
    { numRuns: testSize(200, 1000) },
  );
});
