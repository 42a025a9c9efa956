import assert from 'node:assert/strict';
import test from 'node:test';
import { comparisonSchema, type FactChange, type Evidence } from '../../evidence/index.js';
import { grade } from '../grade/grade.js';
import { renderChanges } from '../render/changes.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import { compareResults } from './compare-results.js';

const with25 = (starttls: 'offered' | 'absent', more: Partial<Evidence> = {}): Evidence =>
  plantedEvidence({
    hosts: [
      plantedHost({ addresses: [plantedAddress(starttls === 'offered' ? {} : { starttls })] }),
    ],
    ...more,
  });
const changes = (older: Evidence, newer: Evidence): readonly FactChange[] =>
  compareResults(grade(older), grade(newer)).changes;
const told = (list: readonly FactChange[]): string[] =>
  list.map((c) => `${c.direction} ${c.what}: ${c.before} -> ${c.after}`);

test('equal results show no difference', () => {
  const comparison = compareResults(grade(with25('offered')), grade(with25('offered')));
  assert.deepEqual(comparison.changes, []);
  assert.match(renderChanges(comparison), /No differences/);
  assert.ok(comparisonSchema.safeParse(comparison).success);
});

test('lost STARTTLS is worse, restored STARTTLS is better', () => {
  const worse = told(changes(with25('offered'), with25('absent')));
  assert.ok(worse.includes('worse STARTTLS: offered -> absent'), worse.join('\n'));
  assert.ok(worse.includes('worse starttls-absent: none -> fail'));
  assert.ok(!worse.some((line) => line.startsWith('better')));
  const better = told(changes(with25('absent'), with25('offered')));
  assert.ok(better.includes('better STARTTLS: absent -> offered'));
  assert.ok(!better.some((line) => line.startsWith('worse')));
});

test('a stronger policy is better, a weaker one worse, a new id neither', () => {
  const policy = (mode: 'enforce' | 'testing', id = '1'): Evidence =>
    with25('offered', { mtaSts: { ...plantedPolicy(mode), id } });
  assert.ok(
    told(changes(policy('testing'), policy('enforce'))).includes(
      'better MTA-STS: testing -> enforce',
    ),
  );
  assert.ok(
    told(changes(policy('enforce'), policy('testing'))).includes(
      'worse MTA-STS: enforce -> testing',
    ),
  );
  assert.deepEqual(told(changes(policy('enforce'), policy('enforce', '2'))), [
    'changed MTA-STS id: 1 -> 2',
  ]);
});

test('a finding that was not tested is not reported as fixed', () => {
  const [found, blind] = [grade(with25('absent')), grade(with25('offered'))];
  const skipped = compareResults(found, { ...blind, notLookedAt: ['starttls-absent'] }).changes;
  assert.ok(
    told(skipped).includes('unclear starttls-absent: fail -> not tested'),
    told(skipped).join('\n'),
  );
  const silent = with25('offered');
  const [host] = silent.hosts;
  const unreachable = {
    ...silent,
    hosts: [
      {
        ...host,
        addresses: [
          { ip: '192.0.2.25', status: 'inconclusive', reason: 'net-timeout', connections: [] },
        ],
      },
    ],
  } as unknown as Evidence;
  const lost = told(changes(with25('absent'), unreachable));
  assert.ok(lost.includes('unclear starttls-absent: fail -> not determined'), lost.join('\n'));
});

test('foreign text in a change reaches the terminal neutralised, within the columns', () => {
  const evil = {
    ...grade(with25('offered', { mtaSts: plantedPolicy('enforce', ['\x1b[31m\u202e']) })),
  };
  const text = renderChanges(compareResults(grade(with25('offered')), evil));
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/);
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
});

test('a change of the root store differs from a change of the chain', () => {
  const store = (version: string, digit: string): Partial<Evidence> => ({
    trustStores: [{ name: 'mozilla', version, sha256: digit.repeat(64) }],
  });
  const [older, newer] = [store('NSS 3.121', 'a'), store('NSS 3.129', 'b')];
  assert.deepEqual(told(changes(with25('offered', older), with25('offered', newer))), [
    'changed root stores of this program: NSS 3.121 (SHA-256 aaaaaaaaaaaaaaaa) -> NSS 3.129 (SHA-256 bbbbbbbbbbbbbbbb)',
  ]);
  assert.deepEqual(changes(with25('offered'), with25('offered', newer)), []);
});
