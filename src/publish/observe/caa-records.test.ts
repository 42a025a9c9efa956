import assert from 'node:assert/strict';
import test from 'node:test';
import { planCaaRecords, type CaaHost, type CertificateInUse } from './caa-records.js';

const binding = { issuers: ['ca.example'], accountUri: 'https://ca.example/acct/7' };
const bound = '0 issue "ca.example; accounturi=https://ca.example/acct/7"';

/** Returns the properties of CAA records in zone file format. */
function properties(records: readonly string[]): CaaHost['properties'] {
  return records.map((record) => {
    const [, flags, tag = '', value = ''] = /^(\d+) (\w+) "(.*)"$/.exec(record) ?? [];
    return { critical: flags === '128', tag, value };
  });
}

const own: CertificateInUse = {
  issuers: ['ca.example'],
  issuer: 'CN=CA',
  names: ['mx.a.example'],
  isOwn: true,
};
const foreign: CertificateInUse = { ...own, issuers: ['other.example'], isOwn: false };

/** Returns a host with the given CAA records; by default it has none. */
function host(records: readonly string[] = [], more: Partial<CaaHost> = {}): CaaHost {
  return {
    name: 'mx.a.example',
    at: records.length > 0 ? 'a.example' : '.',
    isUnknown: false,
    properties: properties(records),
    inUse: [own],
    ...more,
  };
}

const steps = (one: CaaHost, account = binding): readonly string[] =>
  planCaaRecords([one], account).map(({ kind, text }) => `${kind} ${text}`);
const records = (one: CaaHost): readonly string[] =>
  planCaaRecords([one], binding).flatMap(({ record }) => record?.value ?? []);

// [8657-3-1]
test('a host is bound to the account, at its own name and not at the domain', () => {
  const [note = '', record, ...more] = steps(host());
  assert.match(note, /^note mx\.a\.example: if another service there has a certificate/);
  assert.equal(record, `record mx.a.example. 3600 IN CAA ${bound}`);
  assert.deepEqual(more, []);
});

test('the CA of every shown certificate stays permitted', () => {
  assert.deepEqual(records(host([], { inUse: [own, foreign] })), [
    bound,
    '0 issue "other.example"',
  ]);
  assert.deepEqual(records(host([], { inUse: [foreign] })), [bound, '0 issue "other.example"']);
});

test('what the domain permits today stays permitted at the host', () => {
  const present = ['0 issue "other.example"', '0 issuewild ";"', '0 iodef "mailto:a@a.example"'];
  assert.deepEqual(records(host(present)), [bound, ...present]);
  assert.deepEqual(records(host(present, { inUse: [foreign, own] })), [bound, ...present]);
});

test('an unbound property of the same CA is replaced, one for another account stays', () => {
  const other = '0 issue "ca.example; accounturi=https://ca.example/acct/8"';
  assert.deepEqual(records(host(['0 issue "ca.example"', other])), [bound, other]);
  assert.deepEqual(records(host(['0 issue ";"'])), [bound]);
});

test('a host that another account of the same CA certifies is not bound', () => {
  const shared = { ...own, isOwn: false };
  assert.deepEqual(records(host([], { inUse: [own, shared] })), ['0 issue "ca.example"']);
});

test('a wildcard below the host keeps its CA', () => {
  const wild = { ...foreign, names: ['*.mx.a.example'] };
  const refused = ['0 issue "ca.example"', '0 issuewild "third.example"'];
  assert.deepEqual(records(host(refused, { inUse: [own, wild] })), [
    bound,
    '0 issue "other.example"',
    '0 issuewild "other.example"',
    '0 issuewild "third.example"',
  ]);
  // Without issuewild, the issue properties apply to the wildcard.
  assert.deepEqual(records(host([], { inUse: [own, wild] })), [bound, '0 issue "other.example"']);
});

test('records that are complete at the host are not printed again', () => {
  assert.deepEqual(steps(host([bound], { at: 'mx.a.example' })), []);
  const incomplete = steps(host(['0 issue "ca.example"'], { at: 'mx.a.example' }));
  assert.equal(incomplete.length, 2);
  const [, { why = '' } = {}] = planCaaRecords(
    [host(['0 issue "ca.example"'], { at: 'mx.a.example' })],
    binding,
  );
  assert.match(why, /replace every CAA record there/);
});

for (const [says, one, account, expected] of [
  [
    'an unknown CA in use',
    host([], { inUse: [{ ...foreign, issuers: undefined }] }),
    binding,
    /^note .*CAA name is not known/,
  ],
  ['an alias', host([], { alias: 'web.b.example' }), binding, /^note .*alias of web\.b\.example/],
  ['a failed lookup', host([], { isUnknown: true }), binding, /^unknown /],
  [
    'a critical property',
    host(['128 newtag "x"']),
    binding,
    /^note .*correct the CAA records at a\.example/,
  ],
  [
    'no account yet',
    host(),
    { ...binding, accountUri: undefined },
    /^note run hermetic publish apply/,
  ],
  ['a CA without CAA names', host(), { ...binding, issuers: undefined }, /^note ask the CA/],
] as const)
  test(`no record is printed for ${says}`, () => {
    const found = planCaaRecords([one], account).map(({ kind, text }) => `${kind} ${text}`);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', expected);
  });

test('a domain without hosts of the account has no CAA step', () => {
  assert.deepEqual(planCaaRecords([], binding), []);
});
