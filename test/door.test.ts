import assert from 'node:assert/strict';
import childProcess, { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import dns, { resolve4 } from 'node:dns';
import { resolveMx } from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { request } from 'node:https';
import test from 'node:test';
import tls from 'node:tls';
import { grade } from '../src/check/index.js';
import type { Evidence } from '../src/evidence/index.js';
import { createLab } from '../src/lab/index.js';
import { checkDomains } from '../src/cli/check-domains.js';

/** Records all traffic of this process outside `src/net/node-network`. */
function watchTheDoor(): {
  readonly leaks: readonly string[];
  readonly passed: () => number;
  restore(): void;
} {
  const leaks: string[] = [];
  let passed = 0;
  const replaced: (() => void)[] = [];
  const guard = (owner: object, method: string): void => {
    const slots = owner as Record<string, (...args: unknown[]) => unknown>;
    const original = slots[method];
    assert.ok(original, method);
    slots[method] = function (this: unknown, ...args: unknown[]): unknown {
      const stack = new Error().stack ?? '';
      // The lab listens, and answers datagrams from its listening sockets; it never
      // starts a conversation. A datagram of an unbound socket waits in Node's own queue,
      // and the guard recorded it on entry.
      if (stack.includes('Socket.clearQueue')) return original.apply(this, args);
      if (
        /[\\/]net[\\/]node-[a-z-]+\.(js|ts)/.test(stack) ||
        ((method === 'send' || method === 'lookup') && /lab-network\.(js|ts)/.test(stack))
      )
        passed++;
      else {
        leaks.push(`${method}: ${stack}`);
        throw new Error(`${method} outside the door`);
      }
      return original.apply(this, args);
    };
    replaced.push(() => (slots[method] = original));
  };
  guard(net.Socket.prototype, 'connect');
  guard(dgram.Socket.prototype, 'send');
  guard(dgram.Socket.prototype, 'connect');
  for (const asking of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype])
    for (const method of Object.getOwnPropertyNames(asking))
      if (/^(lookup|resolve|reverse)/.test(method)) guard(asking, method);
  guard(globalThis, 'fetch');
  for (const method of [
    'spawn',
    'spawnSync',
    'exec',
    'execSync',
    'execFile',
    'execFileSync',
    'fork',
  ])
    guard(childProcess, method);
  // Named imports of these modules get the guards too.
  syncBuiltinESMExports();
  const restore = (): void => {
    replaced.forEach((undo) => undo());
    syncBuiltinESMExports();
  };
  return { leaks, passed: () => passed, restore };
}

test(
  'the whole lab is checked with every socket outside the door patched to fail',
  { timeout: 1_200_000 },
  async () => {
    const door = watchTheDoor();
    try {
      const lab = await createLab();
      const seen = await Promise.all(
        checkDomains(
          lab,
          lab.scenarios.map(({ domain }) => domain),
        ),
      );
      await lab.close();
      const verdicts = lab.scenarios.map(
        (s, i) => grade(seen[i] as Evidence).verdict === s.expect.verdict,
      );
      assert.deepEqual(door.leaks, []);
      assert.ok(door.passed() > 300, `${door.passed()} uses of the door`);
      assert.ok(verdicts.every(Boolean));
    } finally {
      door.restore();
    }
  },
);

test('the watch itself sees what goes another way', () => {
  const door = watchTheDoor();
  try {
    const ways: readonly (() => unknown)[] = [
      () => net.connect(9, '127.0.0.1'),
      () => tls.connect(9, '127.0.0.1'),
      () => request({ host: '127.0.0.1', port: 9, agent: false }),
      () => dgram.createSocket('udp4').send('x', 9, '127.0.0.1'),
      () => dgram.createSocket('udp4').connect(9, '127.0.0.1'),
      () => dns.lookup('good.example', () => undefined),
      () => resolve4('good.example', () => undefined),
      () => resolveMx('good.example'),
      () => new dns.Resolver().resolveNs('good.example', () => undefined),
      () => fetch('http://127.0.0.1:9/'),
      () => spawnSync('true'),
    ];
    for (const way of ways) assert.throws(way, /outside the door/, String(way));
    assert.equal(door.leaks.length, ways.length);
  } finally {
    door.restore();
  }
});
