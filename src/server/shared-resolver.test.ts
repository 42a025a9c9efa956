import assert from 'node:assert/strict';
import test from 'node:test';
import { parseUpstream } from '../dns/index.js';
import { nodeNetwork } from '../net/index.js';
import { SharedResolver } from './shared-resolver.js';

const options = (address: string, clockSkew?: number) => {
  const upstream = parseUpstream(address);
  assert.ok(upstream.ok);
  return { network: nodeNetwork(), upstreams: [upstream.value], clockSkew };
};

test('a reload keeps the resolver, and its cache, while the settings are the same', () => {
  const shared = new SharedResolver();
  const first = shared.with(options('192.0.2.1'));
  assert.equal(shared.with(options('192.0.2.1')), first);
});

test('another upstream, port or clock skew gives another resolver', () => {
  const shared = new SharedResolver();
  const first = shared.with(options('192.0.2.1'));
  const others = [options('192.0.2.2'), options('192.0.2.2', 60), options('192.0.2.1:5353', 60)];
  const made = others.map((one) => shared.with(one));
  assert.equal(new Set([first, ...made]).size, 4);
});
