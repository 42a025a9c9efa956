import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Runs the command with a real limit of open files. */
function limited(openFiles: number, command: string): { code: number | null; err: string } {
  const line = `ulimit -n ${openFiles}; exec "${process.execPath}" "${main}" ${command}`;
  const { status, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' });
  return { code: status, err: stderr };
}

for (const openFiles of [48, 64, 128, 200, 255])
  test(`a limit of ${openFiles} open files is refused with the number and the fix`, () => {
    for (const command of ['--version', 'serve --check --config /nonexistent.yaml']) {
      const { code, err } = limited(openFiles, command);
      assert.equal(code, 2, err);
      assert.match(
        err,
        new RegExp(`^hermetic: only ${openFiles} files may be open, and the program`),
      );
      assert.match(err, /descriptors-too-few\)\n {2}Set LimitNOFILE=1024/);
      assert.doesNotMatch(err, /\bat .*:\d+:\d+/, 'a stack trace');
    }
  });

test('a limit of 256 open files loads every command', () => {
  assert.equal(limited(256, '--version').code, 0);
  const { code, err } = limited(256, 'serve --check --config /nonexistent.yaml');
  assert.equal(code, 2);
  assert.match(err, /nonexistent\.yaml/);
});
