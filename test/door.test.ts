import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import dns from 'node:dns';
import net from 'node:net';
import test from 'node:test';
import { check } from '../src/check/index.js';
import { labOptions } from '../src/cli/commands/lab-options.js';
import { createLab } from '../src/lab/index.js';

/** Everything that leaves this process by another door than `src/net/node-network`. */
function watchTheDoor(): { readonly leaks: readonly string[]; readonly passed: () => number; restore(): void } {
  const leaks: string[] = [];
  let passed = 0;
  const replaced: (() => void)[] = [];
  const guard = (owner: object, method: string): void => {
    const slots = owner as Record<string, (...args: unknown[]) => unknown>;
    const original = slots[method];
    assert.ok(original, method);
    slots[method] = function (this: unknown, ...args: unknown[]): unknown {
      const stack = new Error().stack ?? '';
      // The lab listens, and answers datagrams from the sockets it listens on; it never starts a conversation.
      // A datagram of an unbound socket waits in Node's own queue, and was seen when it was put there.
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
  guard(dns, 'lookup');
  guard(dns.promises, 'lookup');
  guard(dns.Resolver.prototype, 'resolve');
  guard(globalThis, 'fetch');
  return { leaks, passed: () => passed, restore: () => replaced.forEach((undo) => undo()) };
}

test('the whole lab is checked with every socket outside the door patched to fail', { timeout: 60_000 }, async () => {
  const door = watchTheDoor();
  try {
    const lab = await createLab();
    const verdicts = await Promise.all(
      lab.scenarios.map(async (s) => (await check(s.domain, labOptions(lab))).verdict === s.expect.verdict),
    );
    await lab.close();
    assert.deepEqual(door.leaks, []);
    assert.ok(door.passed() > 300, `${door.passed()} uses of the door`);
    assert.ok(verdicts.every(Boolean));
  } finally {
    door.restore();
  }
});

test('the watch itself sees what goes another way', () => {
  const door = watchTheDoor();
  try {
    assert.throws(() => net.connect(9, '127.0.0.1'), /outside the door/);
    assert.equal(door.leaks.length, 1);
  } finally {
    door.restore();
  }
});
