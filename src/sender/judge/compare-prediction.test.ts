import assert from 'node:assert/strict';
import test from 'node:test';
import { at, moment } from '../../../test/support/sender/observed.js';
import {
  comparePrediction,
  judgeSender,
  predictSender,
  readPostfix,
  renderComparison,
  senderCases,
  type ComparedCase,
  type Observation,
} from '../index.js';

/** Compares the prediction for Postfix at a level with scripted observations. */
function compared(level: string, observations: readonly Observation[]): readonly ComparedCase[] {
  const model = readPostfix({
    text: `smtp_tls_security_level = ${level}\nsmtp_dns_support_level = dnssec\n`,
    readTable: () => ({ ok: false, reason: 'no tables' }),
    domain: 'recipient.example',
    resolver: 'validates',
  });
  const result = judgeSender(observations, { now: moment(3600) });
  return comparePrediction(predictSender(model, senderCases), result);
}

const agreement = (all: readonly ComparedCase[], id: string): string | undefined =>
  all.find((one) => one.case === id)?.agrees;

test('a prediction agrees with deliveries and refusals', () => {
  const all = compared('dane', [
    ...at('plain').delivers(true),
    ...at('clear').delivers(false),
    ...at('dane-mismatch').leavesTls(),
    ...at('dane-clear').delivers(true, { reply: 450 }),
  ]);
  for (const id of ['plain', 'clear', 'dane-mismatch', 'dane-clear'])
    assert.equal(agreement(all, id), 'yes', id);
});

test('a delivery against the prediction is reported as a difference', () => {
  const all = compared('dane', at('dane-clear').delivers(false));
  assert.equal(agreement(all, 'dane-clear'), 'no');
  const text = renderComparison(all, { width: 80 });
  assert.match(text, /1 different/);
  assert.match(text, /^! dane-clear: predicted refused, observed delivered-in-plaintext/m);
});

test('silence neither agrees nor differs', () => {
  const all = compared('may', at('plain').submitted());
  assert.equal(agreement(all, 'plain'), 'not-observed');
  assert.ok(all.every(({ agrees }) => agrees !== 'no' && agrees !== 'yes'));
});

test('a case that the configuration does not decide never differs', () => {
  const all = compared('may', at('large-hello').delivers(true));
  assert.equal(agreement(all, 'large-hello'), 'not-predicted');
});

test('a fallback that takes minutes agrees with a pending message', () => {
  const all = compared('may', at('handshake-broken').breaksOff('receiver'));
  assert.equal(agreement(all, 'handshake-broken'), 'yes');
});
