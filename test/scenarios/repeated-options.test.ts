import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import {
  checkCommand,
  checkElsewhere,
  type FindingValues,
} from '../../src/check/findings/entry.js';
import { repeatedOptions } from '../../src/cli/repeat-options.js';

test('defaults are not repeated', () => {
  const flags = { smtpPort: '25', httpsPort: '443', profile: 'baseline' };
  assert.deepEqual(repeatedOptions(flags), { network: '', resolver: '', check: '' });
});

test('the lab, resolvers, ports and the profile are repeated', () => {
  const flags = {
    lab: true,
    resolver: ['192.0.2.53', 'tls://192.0.2.54#dns.example'],
    smtpPort: '2525',
    profile: 'ncsc-nl',
    mx: 'mx.example.com',
    address: '192.0.2.25',
  };
  assert.deepEqual(repeatedOptions(flags), {
    network: ' --lab',
    resolver: " --resolver 192.0.2.53 --resolver 'tls://192.0.2.54#dns.example'",
    check: ' --smtp-port 2525 --mx mx.example.com --address 192.0.2.25 --profile ncsc-nl',
  });
});

test('a step with another resolver omits the one of the check', () => {
  const options = repeatedOptions({ resolver: ['192.0.2.53'], systemCa: true });
  const values = { domain: 'a.example', options } as FindingValues;
  assert.equal(checkCommand(values), 'hermetic check a.example --system-ca --resolver 192.0.2.53');
  assert.equal(checkElsewhere(values), 'hermetic check a.example --system-ca --resolver ADDRESS');
});

for (const file of ['my own.pem', "it's.pem", '$(id).pem', 'a;b', '`x`', '"q"', '-x y'])
  test(`a shell parses the option unchanged: ${file}`, () => {
    const { network } = repeatedOptions({ ca: file });
    const read = execFileSync('/bin/sh', ['-c', `printf '%s\\n'${network}`], { encoding: 'utf8' });
    assert.equal(read, `--ca\n${file}\n`);
  });
