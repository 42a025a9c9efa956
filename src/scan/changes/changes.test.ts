import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  gradeWith,
  testDomain,
  testHost,
  testServer,
  testVisit,
} from '../../../test/support/scan-observations.js';
import { gradeDomain } from '../grade/grade-domain.js';
import {
  applyChanges,
  changeKinds,
  compareSnapshots,
  snapshotOf,
  type DomainSnapshot,
} from './changes.js';

const server = testServer(['mx.example.net']);
const scanned = {
  domain: testDomain('example.com', ['mx.example.net']),
  hosts: [
    {
      host: testHost('mx.example.net', ['192.0.2.1']),
      visits: [testVisit('mx.example.net', server)],
    },
  ],
};
const grade = gradeDomain(scanned);
const snapshot = snapshotOf(scanned, grade);

test('an unknown fact is not a change and keeps the last known value', () => {
  const unknown = gradeWith(grade, {
    verdict: 'inconclusive',
    classes: ['could-not-tell'],
    measures: { mtaSts: 'unobtainable', tlsRpt: 'unknown', signed: 'unknown' },
  });
  const failed = {
    ...scanned,
    domain: {
      ...scanned.domain,
      route: { kind: 'error', dnssec: 'indeterminate', status: 'failed' },
    },
  } as const;
  const { changes, stands } = compareSnapshots(snapshot, snapshotOf(failed, unknown));
  assert.deepEqual(changes, []);
  assert.deepEqual(stands, snapshot);
});

test('a value after unknown ones is compared with the last known value', () => {
  const { stands } = compareSnapshots(snapshot, {});
  const { changes } = compareSnapshots(stands, { ...snapshot, 'sts-mode': 'enforce' });
  assert.deepEqual(changes, [{ kind: 'sts-mode', was: 'absent', is: 'enforce' }]);
});

test('a fact that becomes known for the first time is not a change', () => {
  assert.deepEqual(compareSnapshots({}, snapshot).changes, []);
});

test('a new provider is a change of mx and provider', () => {
  const moved = {
    domain: testDomain('example.com', ['mx.provider.test']),
    hosts: [{ host: testHost('mx.provider.test', []), visits: [] }],
  };
  const kinds = compareSnapshots(snapshot, snapshotOf(moved, grade)).changes.map(
    ({ kind }) => kind,
  );
  assert.deepEqual(kinds, ['mx', 'provider']);
});

test('the order of MX and TLSA records is not a change', () => {
  const two = { ...snapshot, mx: ['a', 'b'] };
  const hosts = scanned.hosts.map(({ host, visits }) => ({
    host: { ...host, tlsa: { ...host.tlsa, records: ['3 1 1 bb', '3 1 1 aa'] } },
    visits,
  }));
  assert.deepEqual(snapshotOf({ ...scanned, hosts }, grade).tlsa, [
    'mx.example.net 3 1 1 aa',
    'mx.example.net 3 1 1 bb',
  ]);
  assert.deepEqual(compareSnapshots(two, { ...snapshot, mx: ['a', 'b'] }).changes, []);
});

test('applying the changes to the first snapshot gives the present one', () => {
  const values = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined });
  const snapshots = fc.array(
    fc.record(Object.fromEntries(changeKinds.map((kind) => [kind, values]))),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(snapshots, (series) => {
      let replayed: DomainSnapshot = {};
      let stands: DomainSnapshot = {};
      for (const next of series as DomainSnapshot[]) {
        const compared = compareSnapshots(stands, next);
        // The first known value of a fact is recorded, and every later value is a change.
        replayed = applyChanges({ ...compared.stands, ...replayed }, compared.changes);
        ({ stands } = compared);
      }
      assert.deepEqual(replayed, stands);
    }),
    { numRuns: 100 },
  );
});
