import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { logLines } from '../../src/base/index.js';

test('log lines come from the journal, or else from the files of syslog', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-log-lines-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = (name: string, script: string): void =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const output = (): string =>
    execFileSync('/bin/sh', ['-c', `${logLines('a text')} | cat`], {
      encoding: 'utf8',
      env: { PATH: `${folder}:/usr/bin:/bin` },
    });
  program('journalctl', 'echo "journal: $*"');
  program('zgrep', 'echo "files: $*"; echo "no such file" >&2; exit 2');
  assert.equal(output(), 'journal: -o cat -S -30d -g a text\n');
  program('journalctl', 'exit 1');
  assert.match(output(), /^files: -h a text \/var\/log\/mail\.log\S* \/var\/log\/maillog\S*\n$/);
});
