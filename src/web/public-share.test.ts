import assert from 'node:assert/strict';
import test from 'node:test';
import { movedClock, TestPages } from '../../test/support/testing-pages.js';
import { waitUntil } from '../../test/support/wait-until.js';
import { PublicShare } from './clients/public-share.js';

const limits = { share: 0.1, burstMs: 10, waiting: 3 };

test('public requests use their burst, then their share of the time', async () => {
  const clock = movedClock();
  const share = new PublicShare(clock, limits);
  for (let n = 0; n < 3; n++) {
    await share.enter();
    clock.move(4);
    share.spend(4);
  }
  // The requests used 12 ms. The burst, and the share of the first 8 ms, cover only 10.8
  // ms.
  let entered = false;
  const late = share.enter().then(() => (entered = true));
  await waitUntil('the request waits', () => clock.pauses.length > 0);
  const [pause = 0] = clock.pauses;
  assert.ok(pause >= 8 && pause <= 14, String(pause));
  assert.ok(!entered);
  clock.move(pause);
  await late;
});

test('a request that waits for a disk does not count its whole time', async () => {
  const clock = movedClock();
  const share = new PublicShare(clock, limits);
  await share.enter();
  share.spend(60_000);
  await share.enter();
  assert.deepEqual(clock.pauses, []);
});

test('under a flood public pages are refused, and accounts are answered', async (t) => {
  const clock = movedClock();
  const site = await TestPages.open(t, { signIn: {} }, { clock });
  await site.addUser('alice', 'viewer');
  const cookie = await site.session('alice');
  const { share } = site.pages;
  for (let n = 0; n < 60; n++) share.spend(5);
  const waiting = Array.from({ length: 40 }, () => site.ask('/'));
  await waitUntil('the queue is full', () => share.isExhausted);
  const refused = await site.ask('/');
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '5');
  assert.equal(site.pages.refusal('GET', 'check.example', '/')?.status, 503);
  assert.equal(site.pages.refusal('GET', 'check.example', '/o'), undefined);
  // A cookie without a session gives no access.
  const forged = { cookie: `__Host-hermetic=${'a'.repeat(43)}` };
  assert.equal((await site.ask('/o', { headers: forged })).status, 503);
  assert.equal((await site.ask('/o', { headers: { cookie } })).status, 200);
  assert.equal((await site.ask('/', { operator: true, from: '127.0.0.1' })).status, 200);
  const all = Promise.all(waiting);
  const mover = setInterval(() => clock.move(10_000), 1);
  const statuses = (await all).map(({ status }) => status);
  clearInterval(mover);
  assert.deepEqual([...new Set(statuses)], [200]);
});
