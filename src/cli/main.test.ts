import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeFile } from './write-file.js';

const main = fileURLToPath(new URL('./main.js', import.meta.url));

/**
 * Runs the command in a shell that knows its exit status as `$?` of the first of a pipe.
 */
function shell(script: string): Promise<{ readonly code: number | null; readonly err: string }> {
  return new Promise((resolve) => {
    const child = spawn(
      'bash',
      ['-c', script.replaceAll('hermetic', `"${process.execPath}" "${main}"`)],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let err = '';
    child.stderr.on('data', (part: Buffer) => (err += part.toString()));
    child.on('close', (code) => resolve({ code, err }));
  });
}

test('a reader that goes away is no error, and does not turn a failure into success', async () => {
  assert.deepEqual(await shell('hermetic check --help | true; exit ${PIPESTATUS[0]}'), {
    code: 0,
    err: '',
  });
  assert.deepEqual(
    await shell(
      'hermetic check --lab stripped.example --depth triage | true; exit ${PIPESTATUS[0]}',
    ),
    { code: 1, err: '' },
  );
  assert.deepEqual(await shell('hermetic lab | head -1; exit ${PIPESTATUS[0]}'), {
    code: 0,
    err: '',
  });
  assert.deepEqual(await shell('hermetic lab list | true; exit ${PIPESTATUS[0]}'), {
    code: 0,
    err: '',
  });
  assert.equal((await shell('hermetic grade /nonexistent 2> >(true); exit $?')).code, 2);
});

test(
  'output that cannot be written is said in words and fails',
  { skip: !existsSync('/dev/full') && 'no /dev/full here' },
  async () => {
    const { code, err } = await shell('hermetic check --help >/dev/full');
    assert.equal(code, 2);
    assert.match(err, /standard output: the disk is full \(output-unwritable\)/);
  },
);

test('a file is replaced whole or not at all', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-'));
  try {
    const file = join(folder, 'seen.json');
    writeFileSync(file, 'old');
    writeFile(file, 'new', '--evidence');
    assert.equal(readFileSync(file, 'utf8'), 'new');
    assert.deepEqual(readdirSync(folder), ['seen.json']);
    assert.throws(
      () => writeFile(join(folder, 'x'.repeat(300)), 'x', '--evidence'),
      /the name is too long/,
    );
    assert.throws(() => writeFile(folder, 'x', '--evidence'), /is a folder/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
