import assert from 'node:assert/strict';
import test from 'node:test';
import type { AddressEvidence } from '../../evidence/index.js';
import { ConnectionLimiter } from './connection-limiter.js';
import { parseOptOut } from './opt-out.js';

const reachable = (ip: string): AddressEvidence => ({ ip, status: 'reachable', connections: [] });
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('one connection per address at a time and one budget for all its host names', async () => {
  const limiter = new ConnectionLimiter({ budget: 3 });
  let inside = 0;
  const left: number[] = [];
  const visit = (host: string): Promise<AddressEvidence> =>
    limiter.run(host, '192.0.2.1', async (budget) => {
      assert.equal(++inside, 1);
      left.push(budget.remaining);
      budget.consume();
      await soon();
      inside--;
      return reachable('192.0.2.1');
    });
  await Promise.all([
    visit('a.example'),
    visit('b.example'),
    visit('c.example'),
    visit('d.example'),
  ]);
  assert.deepEqual(left, [3, 2, 1, 0]);
});

test('a host that many domains share is probed once', async () => {
  const limiter = new ConnectionLimiter({ budget: 3 });
  let visits = 0;
  const once = (): Promise<AddressEvidence> =>
    limiter.run(
      'mx.example',
      '192.0.2.1',
      () => (visits++, Promise.resolve(reachable('192.0.2.1'))),
    );
  const [a, b] = await Promise.all([once(), once()]);
  assert.equal(visits, 1);
  assert.equal(a, b);
});

test('a failed probe does not block the next one', async () => {
  const limiter = new ConnectionLimiter({ budget: 3 });
  const first = limiter.run('a.example', '192.0.2.1', () => Promise.reject(new Error('aborted')));
  const second = limiter.run('b.example', '192.0.2.1', () =>
    Promise.resolve(reachable('192.0.2.1')),
  );
  await assert.rejects(first, /aborted/);
  assert.equal((await second).status, 'reachable');
});

test('opt-out list: listed names, sub-domains and networks get no connection', async () => {
  const list = parseOptOut(
    '# asked on 2026-11-01\nmx.a.example.\n*.b.example   # all of them\n192.0.2.7\n198.51.100.0/24\n2001:db8::/32\r\n',
  );
  assert.ok(list.ok);
  const limiter = new ConnectionLimiter({ budget: 3, optOut: list.value });
  const visit = (host: string, ip: string): Promise<AddressEvidence> =>
    limiter.run(host, ip, () => Promise.resolve(reachable(ip)));
  for (const [host, ip] of [
    ['MX.A.example', '192.0.2.1'],
    ['x.y.b.example', '192.0.2.1'],
    ['c.example', '192.0.2.7'],
    ['c.example', '198.51.100.200'],
    ['c.example', '2001:db8:1::1'],
  ] as const)
    assert.deepEqual(await visit(host, ip), {
      ip,
      status: 'skipped',
      reason: 'opt-out',
      connections: [],
    });
  for (const [host, ip] of [
    ['b.example', '192.0.2.1'],
    ['notb.example', '192.0.2.1'],
    ['c.example', '198.51.101.1'],
  ] as const)
    assert.equal((await visit(host, ip)).status, 'reachable');
});

test('opt-out list: a malformed line is an error, not ignored', () => {
  for (const line of ['192.0.2.0/33', 'mx example', '*', '-', '192.0.2.1/24/1', '::1/200'])
    assert.equal(parseOptOut(`mx.example.com\n${line}`).ok, false, line);
});
