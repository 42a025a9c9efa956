import assert from 'node:assert/strict';
import test from 'node:test';
import { parseConfig } from './config.js';
import { showConfig } from './show-config.js';

test('the configuration is shown with defaults and without secrets', () => {
  const config = parseConfig(`
watch: {domains: [a.example], notify: {webhook: 'https://user:word@chat.example/hook/T0KEN?k=s3cret'}}
pages: {operatorPort: 8080}
`);
  assert.ok(config.ok);
  const text = showConfig(config.value);
  assert.match(text, /everyHours: \d+/);
  assert.match(text, /running: 8/);
  assert.match(text, /https:\/\/chat\.example\/\(hidden\)/);
  assert.doesNotMatch(text, /T0KEN|s3cret|word@|user:/);
});

test('values under keys of secrets are hidden, and paths stay', () => {
  const config = parseConfig('metrics: {listen: 9461}');
  assert.ok(config.ok);
  const jobs = {
    future: {
      apiToken: 'abc123',
      password: 'hunter2',
      keys: '/var/lib/hermetic/keys',
      tsig: { hmacSecret: 'c2VjcmV0' },
      list: [{ secret: 'x9' }],
    },
  };
  const text = showConfig({ ...config.value, jobs });
  assert.match(text, /\/var\/lib\/hermetic\/keys/);
  assert.doesNotMatch(text, /abc123|hunter2|c2VjcmV0|x9/);
});
