import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { version } from './version.js';

test('the version of the program is that of the package', () => {
  const { version: packaged } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    version: string;
  };
  assert.equal(version, packaged);
});
