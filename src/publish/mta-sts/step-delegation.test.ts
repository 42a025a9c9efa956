import assert from 'node:assert/strict';
import test from 'node:test';
import { stepDelegation } from './step-delegation.js';
import { stepReports } from './step-reports.js';
import type { PolicyObservation, ServerAnswer } from './types.js';

const body = 'version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmax_age: 604800\r\n';
const delegation = {
  domain: 'example.com',
  to: 'example.net',
  body,
  policyHost: 'policy.example.net',
  ttl: 3600,
};
const both = (records: readonly string[]): readonly ServerAnswer[] =>
  ['a', 'b'].map((server) => ({ server, rrset: { records, ttl: 300 } }));
const observed = (change: Partial<PolicyObservation> = {}) => ({
  policyHosts: [{ address: '192.0.2.1', fetched: { body } }],
  alias: both([]),
  mx: both(['10 mx.example.net']),
  txt: both([]),
  ...change,
});
const asked = (...args: Parameters<typeof stepDelegation>): readonly string[] =>
  stepDelegation(...args).steps.map(({ action }) =>
    action.kind === 'set-rrset' ? `${action.name} ${action.type} ${action.to.join()}` : action.kind,
  );

// [8461-8.2-2]
test('the policy host comes first, the certificate next, the record alias last', () => {
  assert.deepEqual(asked(delegation, undefined, observed({ policyHosts: [] })), [
    'mta-sts.example.com CNAME policy.example.net.',
  ]);
  const uncertified = [{ address: '192.0.2.1', fetched: { failure: 'sts-policy-webpki-invalid' } }];
  assert.deepEqual(asked(delegation, undefined, observed({ policyHosts: uncertified })), [
    'make-key',
    'certify',
  ]);
  assert.deepEqual(asked(delegation, undefined, observed()), [
    '_mta-sts.example.com CNAME _mta-sts.example.net.',
  ]);
  assert.deepEqual(asked(delegation, '_mta-sts.example.net', observed({ txt: [] })), []);
});

test('a domain with another MX host or own records is not delegated', () => {
  const why = (change: Partial<PolicyObservation>, alias?: string): string =>
    stepDelegation(delegation, alias, observed(change)).waits[0]?.why ?? '';
  assert.match(why({ mx: both(['10 mx.example.com']) }), /mx\.example\.com receives mail/);
  assert.match(why({ txt: both(['v=STSv1; id=1;']) }), /has records/);
  assert.match(why({}, '_mta-sts.example.org'), /is an alias of _mta-sts\.example\.org/);
  assert.match(
    stepDelegation({ ...delegation, body: undefined }, undefined, observed()).waits[0]?.why ?? '',
    /has no announced policy/,
  );
});

test('one TLS-RPT record stays, other texts stay, a correct one is unchanged', () => {
  const to = (
    records: readonly string[],
    rua: readonly string[],
  ): readonly string[] | undefined => {
    const { steps } = stepReports('example.com', both(records), { rua, ttl: 3600 });
    return steps[0]?.action.to;
  };
  const wanted = 'v=TLSRPTv1; rua=mailto:a@example.com,https://example.com/r';
  const rua = ['mailto:a@example.com', 'https://example.com/r'];
  assert.deepEqual(to([], rua), [`"${wanted}"`]);
  assert.deepEqual(
    to(
      [
        'v=TLSRPTv1; rua=mailto:old@example.com',
        'v=TLSRPTv1; rua=mailto:older@example.com',
        'note',
      ],
      rua,
    ),
    ['"note"', `"${wanted}"`],
  );
  assert.equal(to([wanted], rua), undefined);
  assert.equal(to([], []), undefined);
  assert.deepEqual(
    stepReports('example.com', [...both([]), { server: 'c', rrset: 'unknown' }], { rua, ttl: 3600 })
      .steps,
    [],
  );
});

test('an unwanted TLS-RPT record is removed only if it is unchanged', () => {
  const written = 'v=TLSRPTv1; rua=mailto:a@example.com';
  const asked = (records: readonly string[], own?: string) =>
    stepReports('example.com', both(records), { rua: [], ttl: 3600, written: own });
  const { steps, state } = asked(['note', written], written);
  assert.deepEqual(
    [steps[0]?.action.from, steps[0]?.action.to],
    [[`"note"`, `"${written}"`], ['"note"']],
  );
  assert.deepEqual(
    state,
    { reports: written },
    'remembered until it is gone: a crash comes in between',
  );
  assert.deepEqual(asked([], written).waits, []);
  assert.deepEqual(asked([written]).steps, [], 'written by somebody else');
  const other = asked(['v=TLSRPTv1; rua=mailto:b@example.com'], written);
  assert.deepEqual(other.steps, []);
  assert.match(other.waits[0]?.why ?? '', /stays unchanged.*b@example\.com/);
});
