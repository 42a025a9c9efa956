import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * Makes every use of sockets, lookups and child processes outside `src/net` fail, and
 * records the use in `leaks`. `passed` counts the permitted uses.
 */
export function guardNetwork(): {
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
      // starts a conversation. Node queues a datagram of an unbound socket. The guard
      // recorded this datagram before.
      if (stack.includes('Socket.clearQueue')) return original.apply(this, args);
      if (
        /[\\/]net[\\/]node-[a-z-]+\.(js|ts)/.test(stack) ||
        ((method === 'send' || method === 'lookup') && /lab-network\.(js|ts)/.test(stack))
      )
        passed++;
      else {
        leaks.push(`${method}: ${stack}`);
        throw new Error(`${method} outside src/net`);
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
  // Updates the named imports of these modules, so that they use the guards too.
  syncBuiltinESMExports();
  const restore = (): void => {
    replaced.forEach((undo) => undo());
    syncBuiltinESMExports();
  };
  return { leaks, passed: () => passed, restore };
}
