import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import dns, { resolve4 } from 'node:dns';
import { resolveMx } from 'node:dns/promises';
import net from 'node:net';
import { request } from 'node:https';
import test from 'node:test';
import tls from 'node:tls';
import { guardNetwork } from './support/guard-network.js';

test('the network guard refuses every other API', () => {
  const guard = guardNetwork();
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
    for (const way of ways) assert.throws(way, /outside src/, String(way));
    assert.equal(guard.leaks.length, ways.length);
  } finally {
    guard.restore();
  }
});
