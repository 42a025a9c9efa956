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

test('a failure stands until the action succeeds', async (t) => {
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
  await recordOutcome(ledger, subject, { action: set, outcome: { status: 'done' } }, 3000);
  assert.deepEqual(ledger.failures(subject), []);
});

test('the same record with another id is the same action', async (t) => {
  const ledger = await ledgerFor(t);
  await recordOutcome(ledger, subject, { action: set, outcome: refused }, 1000);
  const other = { ...set, to: ['"v=STSv1; id=2;"'] };
  await recordOutcome(ledger, subject, { action: other, outcome: { status: 'done' } }, 2000);
  assert.deepEqual(ledger.failures(subject), []);
});

test('a pause moves the time of the next attempt and leaves the cause', async (t) => {
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
