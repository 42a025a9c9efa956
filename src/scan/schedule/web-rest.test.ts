import assert from 'node:assert/strict';
import test from 'node:test';
import type { PolicyHostReply } from '../../mta-sts/index.js';
import { rested, type RestState } from './rest.js';
import { decideWebRest } from './web-rest.js';

const MINUTE = 60_000;
const answered: PolicyHostReply = { dial: 'open', secured: true, status: 200 };
const busy = (status: number, retryAfterMs?: number): PolicyHostReply => ({
  ...answered,
  status,
  retryAfterMs,
});
const after = (...replies: readonly PolicyHostReply[]): RestState =>
  replies.reduce((state, reply) => decideWebRest(state, reply).state, rested);

test('status 429 and 503 rest for the time in Retry-After, between a minute and a day', () => {
  const restAfter = (reply: PolicyHostReply) => decideWebRest(rested, reply).restMs / MINUTE;
  assert.deepEqual(
    [busy(503), busy(429), busy(503, 40 * MINUTE), busy(503, 0), busy(429, 1e12)].map(restAfter),
    [15, 15, 40, 1, 24 * 60],
  );
});

test('rests grow with each refusal, and end with an answer', () => {
  let state = rested;
  const rests = [1, 2, 3, 4, 5].map(() => {
    const decision = decideWebRest(state, busy(503, 2 * MINUTE));
    ({ state } = decision);
    return decision.isFinal;
  });
  assert.deepEqual(rests, [false, false, false, false, true]);
  assert.equal(decideWebRest(after(busy(503)), busy(503)).restMs, 60 * MINUTE);
  assert.equal(decideWebRest(after(busy(503), answered), busy(503)).restMs, 15 * MINUTE);
});

test('status 429 doubles the spacing, 503 does not', () => {
  assert.equal(after(busy(429), answered).slow, true);
  assert.equal(after(busy(503), answered).slow, false);
});

test('a fault of one policy domain causes no rest of the address', () => {
  for (const status of [200, 301, 403, 404, 500, 502, 504])
    assert.equal(decideWebRest(after(answered), busy(status)).restMs, 0, `${status}`);
  const untrusted: PolicyHostReply = { dial: 'open', secured: true };
  const noHandshake: PolicyHostReply = { dial: 'open', secured: false };
  for (const reply of [untrusted, noHandshake])
    assert.equal(decideWebRest(after(answered), reply).restMs, 0);
});

test('three timeouts in succession or a refusal after an answer cause a rest', () => {
  const silent: PolicyHostReply = { dial: 'net-timeout', secured: false };
  const refused: PolicyHostReply = { dial: 'net-refused', secured: false };
  assert.equal(decideWebRest(after(silent), silent).reason, undefined);
  assert.equal(decideWebRest(after(silent, silent), silent).reason, 'silent');
  assert.equal(decideWebRest(after(silent, answered, silent), silent).reason, undefined);
  assert.equal(decideWebRest(rested, refused).reason, undefined);
  assert.equal(decideWebRest(after(answered), refused).reason, 'refused');
});
