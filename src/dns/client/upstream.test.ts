import assert from 'node:assert/strict';
import test from 'node:test';
import { parseUpstream } from './upstream.js';

test('resolver addresses: with and without port, IPv6, TCP, TLS', () => {
  const label = (text: string): string => {
    const parsed = parseUpstream(text);
    return parsed.ok ? parsed.value.label : parsed.failure.code;
  };
  assert.equal(label('192.0.2.53'), '192.0.2.53:53');
  assert.equal(label('192.0.2.53:5353'), '192.0.2.53:5353');
  assert.equal(label('2001:db8::53'), '[2001:db8::53]:53');
  assert.equal(label('[2001:db8::53]:5353'), '[2001:db8::53]:5353');
  assert.equal(label('tls://192.0.2.53#dns.example'), 'tls://192.0.2.53:853#dns.example');
  assert.equal(label('tcp://127.0.0.1'), 'tcp://127.0.0.1:53');
  assert.equal(label('tcp://[::1]:5353'), 'tcp://[::1]:5353');
  assert.equal(label('tls://[::1]:8853#dns.example'), 'tls://[::1]:8853#dns.example');
  for (const bad of [
    '',
    'tcp://',
    'tcp://dns.example',
    'tcp://127.0.0.1#dns.example',
    'udp://127.0.0.1',
    '127.0.0.1#dns.example',
    'tls://127.0.0.1#a#b',
    'tcp://tcp://127.0.0.1',
    'dns.example',
    '192.0.2.53:0',
    '192.0.2.53:99999',
    'tls://192.0.2.53',
    '[::1',
    '192.0.2.300',
  ])
    assert.equal(label(bad), 'dns-bad-upstream', bad);
});
