import assert from 'node:assert/strict';
import test from 'node:test';
import type { Action, Alert } from '../actions.js';
import { publishSection } from '../config.js';
import { withBlocker, type SubjectPlan } from './plan.js';

const section = publishSection.parse({
  hosts: { 'mx.example.com': { certificates: 'acme' }, 'mx2.example.com': {} },
  domains: { 'example.com': { mx: ['mx.example.com'] } },
  acme: { directory: 'https://ca.example/dir', agreed: true },
});

const actions: readonly Action[] = [
  { kind: 'make-key', host: 'mta-sts.example.com', key: 'ecdsa-1', type: 'ecdsa' },
  { kind: 'certify', host: 'mta-sts.example.com', key: 'ecdsa-1' },
  { kind: 'serve-policy', domain: 'example.com', id: '1', body: '' },
];

/** Returns a plan with the given actions. */
function planned(kind: SubjectPlan['kind'], subject: string, steps = actions) {
  return {
    kind,
    subject,
    dns: 'print',
    place: '',
    steps: steps.map((action) => ({ action, because: '', clause: '' })),
    waits: [],
    alerts: [],
    proposals: [],
    save: () => Promise.resolve(true),
  };
}

/** Returns a function that blocks these hosts, and the hosts that were queried. */
function blocking(...hosts: readonly string[]) {
  const asked: string[] = [];
  const findBlocker = (subject: string): Promise<Alert | undefined> => {
    asked.push(subject);
    const alert = { code: 'publish-caa-refuses', subject, detail: 'CAA at example.com' };
    return Promise.resolve(hosts.includes(subject) ? alert : undefined);
  };
  return { asked, findBlocker };
}

test('a plan with a refused certificate starts no order and publishes no record', async () => {
  const { findBlocker } = blocking('mta-sts.example.com');
  const plan = await withBlocker(planned('domain', 'example.com'), { section, findBlocker });
  assert.deepEqual(
    plan.steps.map(({ action }) => action.kind),
    ['make-key'],
  );
  assert.deepEqual(
    plan.alerts.map(({ code, subject }) => [code, subject]),
    [['publish-caa-refuses', 'mta-sts.example.com']],
  );
  assert.match(plan.waits[0]?.why ?? '', /mta-sts\.example\.com is not ordered: CAA at example/);
});

test('a coming renewal that is refused is an alert, and other steps go on', async () => {
  const { findBlocker } = blocking('mx.example.com');
  const [make] = actions;
  assert.ok(make);
  const plan = await withBlocker(planned('host', 'mx.example.com', [make]), {
    section,
    findBlocker,
  });
  assert.equal(plan.steps.length, 1);
  assert.equal(plan.alerts.length, 1);
  assert.deepEqual(plan.waits, []);
});

test('a host with a certificate of another origin causes no query', async () => {
  const { asked, findBlocker } = blocking();
  const subject = planned('host', 'mx2.example.com');
  assert.deepEqual(await withBlocker(subject, { section, findBlocker }), subject);
  assert.deepEqual(asked, []);
  const domain = planned('domain', 'example.com');
  assert.deepEqual(await withBlocker(domain, { section, findBlocker }), domain);
  assert.deepEqual(await withBlocker(domain, { section }), domain);
});
