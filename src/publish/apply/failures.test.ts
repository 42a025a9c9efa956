import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { openStore } from '../../store/index.js';
import type { SetRrset } from '../actions.js';
import { openLedger, type Subject } from '../ledger/ledger.js';
import { actionKey, dropFailures, recordOutcome } from './record-outcome.js';
import type { ActionOutcome } from '../actions.js';

const subject: Subject = { kind: 'domain', name: 'one.example' };
const set: SetRrset = {
  kind: 'set-rrset',
  name: '_mta-sts.one.example',
  type: 'TXT',
  from: [],
  to: ['"v=STSv1; id=1;"'],
  ttl: 60,
};
const certify = { kind: 'certify', host: 'mta-sts.one.example', key: 'ecdsa-1' } as const;
const refused: ActionOutcome = {
  status: 'failed',
  code: 'dns-update-refused',
  detail: 'TXT of _mta-sts.one.example: REFUSED',
};

async function ledgerFor(t: TestContext) {
  const store = await openStore(':memory:');
  t.after(() => store.close());
  return openLedger(store);
}

test('a failure persists until the action succeeds', async (t) => {
  const ledger = await ledgerFor(t);
  await recordOutcome(ledger, subject, { action: set, outcome: refused }, 1000);
  await recordOutcome(ledger, subject, { action: set, outcome: refused }, 2000);
  assert.deepEqual(ledger.failures(subject), [
    {
      action: 'set-rrset _mta-sts.one.example TXT',
      says: 'set TXT of _mta-sts.one.example to "v=STSv1; id=1;"',
      code: 'dns-update-refused',
      detail: 'TXT of _mta-sts.one.example: REFUSED',
      at: 2000,
    },
  ]);
  assert.deepEqual(ledger.failures({ kind: 'host', name: 'one.example' }), []);
  assert.deepEqual(
    ledger.failing(10).map(({ kind, name, code }) => ({ kind, name, code })),
    [{ ...subject, code: 'dns-update-refused' }],
  );
  await recordOutcome(ledger, subject, { action: set, outcome: { status: 'done' } }, 3000);
  assert.deepEqual(ledger.failures(subject), []);
  assert.deepEqual(ledger.failing(10), []);
});

const minute = 60_000;
const done: ActionOutcome = { status: 'done' };

// Possible causes: a hook that reports success without a change, a change that waits for
// approval, or a zone that is not loaded.
test('a change that succeeds for an hour and is planned again is a failure', async (t) => {
  const ledger = await ledgerFor(t);
  const round = async (action: SetRrset, at: number): Promise<readonly string[]> => {
    await recordOutcome(ledger, subject, { action, outcome: done }, at);
    await dropFailures(ledger, subject, [action]);
    return ledger.failures(subject).map(({ code, detail }) => `${code} ${detail}`);
  };
  for (const at of [0, 10, 59]) assert.deepEqual(await round(set, at * minute), []);
  assert.deepEqual(ledger.failing(10), []);
  const lost = ['publish-change-unseen reported as done since 1970-01-01T00:00:00.000Z'];
  assert.deepEqual(await round(set, 60 * minute), lost);
  assert.deepEqual(await round(set, 5000 * minute), lost);
  // The hour starts again with a different change of the same record, and with a change
  // after the clock was set back.
  const other = { ...set, to: ['"v=STSv1; id=2;"'] };
  assert.deepEqual(await round(other, 5010 * minute), []);
  assert.deepEqual(await round(other, 20 * minute), []);
  assert.equal((await round(other, 80 * minute)).length, 1);
  await recordOutcome(ledger, subject, { action: other, outcome: refused }, 90 * minute);
  assert.deepEqual(
    ledger.failures(subject).map(({ code }) => code),
    ['dns-update-refused'],
  );
});

test('a change that became visible or that the operator makes is not a failure', async (t) => {
  const ledger = await ledgerFor(t);
  await recordOutcome(ledger, subject, { action: set, outcome: done }, 0);
  await dropFailures(ledger, subject, []);
  await recordOutcome(ledger, subject, { action: set, outcome: done }, 100 * minute);
  assert.deepEqual(ledger.failures(subject), []);
  await recordOutcome(ledger, subject, { action: set, outcome: done }, 200 * minute);
  assert.equal(ledger.failures(subject).length, 1);
  const manual: ActionOutcome = { status: 'manual', text: '' };
  await recordOutcome(ledger, subject, { action: set, outcome: manual }, 210 * minute);
  assert.deepEqual(ledger.attempts(subject), []);
});

test('the same record with another id is the same action', async (t) => {
  const ledger = await ledgerFor(t);
  await recordOutcome(ledger, subject, { action: set, outcome: refused }, 1000);
  const other = { ...set, to: ['"v=STSv1; id=2;"'] };
  await recordOutcome(ledger, subject, { action: other, outcome: { status: 'done' } }, 2000);
  assert.deepEqual(ledger.failures(subject), []);
});

test('a pause moves the next attempt and keeps the cause', async (t) => {
  const ledger = await ledgerFor(t);
  const cause: ActionOutcome = {
    status: 'failed',
    code: 'acme-refused',
    detail: '403 caa',
    until: 5000,
  };
  const paused: ActionOutcome = {
    status: 'failed',
    code: 'acme-limited',
    detail: 'until later',
    until: 9000,
    untried: true,
  };
  await recordOutcome(ledger, subject, { action: certify, outcome: cause }, 1000);
  await recordOutcome(ledger, subject, { action: certify, outcome: paused }, 2000);
  const [failure] = ledger.failures(subject);
  assert.deepEqual(
    [failure?.code, failure?.detail, failure?.at, failure?.until],
    ['acme-refused', '403 caa', 1000, 9000],
  );
});

test('a pause without an earlier failure is shown, another process at work is not', async (t) => {
  const ledger = await ledgerFor(t);
  const busy: ActionOutcome = {
    status: 'failed',
    code: 'acme-pending',
    detail: 'busy',
    untried: true,
  };
  await recordOutcome(ledger, subject, { action: certify, outcome: busy }, 1000);
  assert.deepEqual(ledger.failures(subject), []);
  const paused: ActionOutcome = { ...busy, code: 'acme-limited', until: 9000 };
  await recordOutcome(ledger, subject, { action: certify, outcome: paused }, 2000);
  assert.equal(ledger.failures(subject)[0]?.until, 9000);
});

test('failures of actions that are no longer planned are dropped, renewals excepted', async (t) => {
  const ledger = await ledgerFor(t);
  await recordOutcome(ledger, subject, { action: set, outcome: refused }, 1000);
  await recordOutcome(ledger, subject, { action: certify, outcome: refused }, 1000);
  await dropFailures(ledger, subject, [set]);
  assert.equal(ledger.failures(subject).length, 2);
  await dropFailures(ledger, subject, []);
  assert.deepEqual(
    ledger.failures(subject).map(({ action }) => action),
    [actionKey(certify)],
  );
});
