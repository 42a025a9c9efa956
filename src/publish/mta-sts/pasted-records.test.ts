import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyId } from '../records/policy-id.js';
import { startPolicy, stepPolicy } from './step-policy.js';
import { stepReports } from './step-reports.js';
import type { PolicyObservation, DesiredPolicy, ServerAnswer } from './types.js';

const domain = 'one.example';
const body = 'version: STSv1\r\nmode: testing\r\nmx: mx1.one.example\r\nmax_age: 86400\r\n';
const id = policyId(body);
const at = Date.UTC(2026, 0, 1);
const both = (records: readonly string[], others = records): readonly ServerAnswer[] => [
  { server: 'ns1', rrset: { records, ttl: 300 } },
  { server: 'ns2', rrset: { records: others, ttl: 600 } },
];

const desired: DesiredPolicy = {
  mode: 'testing',
  mx: ['mx1.one.example'],
  maxAges: [86_400],
  ttl: 3600,
  reporters: [],
  days: 1,
  minReports: 0,
  confirmed: [],
};

function stepWith(records: readonly string[], others = records) {
  const served = { id, body, mode: 'testing', maxAge: 86_400, mx: desired.mx, first: 0 } as const;
  const observed: PolicyObservation = {
    at,
    txt: both(records, others),
    alias: both([]),
    mx: both(['10 mx1.one.example']),
    policyHosts: [{ address: '192.0.2.80', fetched: { body } }],
    hosts: [],
    reports: [],
  };
  return stepPolicy({ ...startPolicy(domain), served: [served] }, observed, desired);
}

for (const text of [
  `v=STSv1; id=${id};`,
  `v=STSv1; id=${id}`,
  `v=STSv1;id=${id}`,
  `v=STSv1 ; id=${id} ;`,
  `v=STSv1;  id=${id}; note=ours`,
])
  test(`"${text.replace(id, 'ID')}" is recognised as published`, () => {
    const { steps, state } = stepWith([text, 'v=spf1 -all']);
    assert.deepEqual(steps, []);
    assert.equal(state.served[0]?.announced?.at, at);
  });

for (const records of [
  [`v=STSv1; id=${id}0`],
  [`v=STSv1; id=${id}`, 'v=STSv1; id=old'],
  [`v=STSv1 id=${id}`],
  [`v=STSv10; id=${id}`],
  [],
])
  test(`${JSON.stringify(records).replaceAll(id, 'ID')} is not the announcement`, () => {
    const { steps, state } = stepWith(records);
    assert.equal(state.served[0]?.announced, undefined);
    const [action] = steps.map((step) => step.action);
    assert.ok(action?.kind === 'set-rrset');
    assert.ok(action.to.includes(`"v=STSv1; id=${id};"`));
  });

for (const [one, other] of [
  [`v=STSv1; id=${id};`, `v=STSv1; id=${id}`],
  [`v=STSv1;id=${id}`, `v=STSv1; a=b; id=${id};`],
] as const)
  test(`"${one}" and "${other}" on two servers are one announcement`.replaceAll(id, 'ID'), () => {
    const { steps, waits, state } = stepWith([one], ['v=spf1 -all', other]);
    assert.deepEqual([steps, waits], [[], []]);
    assert.deepEqual(state.served[0]?.announced, { at, ttl: 600 });
  });

test('another id, or no record, on one of two servers announces nothing', () => {
  for (const others of [[`v=STSv1; id=${id}0`], [], [`v=STSv1; id=${id}`, 'v=STSv1; id=old']]) {
    const { steps, waits, state } = stepWith([`v=STSv1; id=${id}`], others);
    assert.deepEqual([steps, state.served[0]?.announced], [[], undefined]);
    assert.match(waits[0]?.why ?? '', /do not all answer with the same _mta-sts record/);
  }
});

const rua = ['mailto:a@one.example', 'https://rpt.one.example/v1'];
const wanted = `v=TLSRPTv1; rua=${rua.join(',')}`;

for (const text of [
  wanted,
  `v=TLSRPTv1;rua=${rua.join(' , ')};`,
  `v=TLSRPTv1; rua=${[...rua].reverse().join(',')}`,
  'v=TLSRPTv1; rua=mailto:a@ONE.example,https://RPT.one.example/v1',
])
  test(`reports: "${text}" is the desired record`, () => {
    assert.deepEqual(stepReports(domain, both([text]), { rua, ttl: 60 }).steps, []);
    const gone = stepReports(domain, both([text]), { rua: [], ttl: 60, written: wanted });
    assert.deepEqual(gone.waits, []);
    assert.deepEqual(gone.steps[0]?.action.to, []);
  });

for (const text of ['v=TLSRPTv1; rua=mailto:a@one.example', 'v=TLSRPTv1; rua=mailto:b@one.example'])
  test(`reports: "${text}" differs from the desired record`, () => {
    assert.equal(stepReports(domain, both([text]), { rua, ttl: 60 }).steps.length, 1);
    const gone = stepReports(domain, both([text]), { rua: [], ttl: 60, written: wanted });
    assert.deepEqual(gone.steps, []);
  });
