import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { waitUntil } from '../support/wait-until.js';
import { writeFile } from '../../src/cli/files.js';

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Runs the command as the first of a pipe, in a shell that reports its exit status. */
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

test('a reader that closes the pipe changes neither output nor exit status', async () => {
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
  'a failed write of output is an error',
  { skip: !existsSync('/dev/full') && 'no /dev/full here' },
  async () => {
    const { code, err } = await shell('hermetic check --help >/dev/full');
    assert.equal(code, 2);
    assert.match(err, /standard output: the disk is full \(output-unwritable\)/);
  },
);

test('a file is replaced completely or not at all', () => {
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

test('an old Node gets a plain message before any import', async () => {
  const { version } = process;
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    engines: { node: string };
  };
  for (const [node, isTooOld] of [
    ['18.19.0', true],
    ['20.18.9', true],
    [engines.node.replace('>=', ''), false],
    ['22.0.0', false],
    [version.slice(1), false],
  ] as const) {
    const preload = `Object.defineProperty(process.versions, "node", { value: "${node}" });`;
    const { code, err } = await shell(
      `"${process.execPath}" --import 'data:text/javascript,${preload}' "${main}" --version`,
    );
    assert.equal(code, isTooOld ? 2 : 0, node);
    if (isTooOld)
      assert.equal(
        err,
        `hermetic: Node.js ${node} is too old (node-too-old)\n  Install Node.js ${engines.node.replace('>=', '')} or later.\n`,
      );
  }
});

test('the entry file has no import and no syntax that Node 12 refuses', () => {
  const source = ts.createSourceFile('main.js', readFileSync(main, 'utf8'), ts.ScriptTarget.ES2022);
  const allowed = new Set<ts.SyntaxKind>([
    ts.SyntaxKind.VariableStatement,
    ts.SyntaxKind.IfStatement,
    // `export {}` makes the file a module.
    ts.SyntaxKind.ExportDeclaration,
  ]);
  for (const statement of source.statements) assert.ok(allowed.has(statement.kind));
  const visit = (node: ts.Node): void => {
    assert.notEqual(node.kind, ts.SyntaxKind.QuestionDotToken);
    assert.notEqual(node.kind, ts.SyntaxKind.QuestionQuestionToken);
    assert.notEqual(node.kind, ts.SyntaxKind.AwaitExpression);
    ts.forEachChild(node, visit);
  };
  visit(source);
});

test('ctrl-C ends a check with 130', async () => {
  const child = spawn(process.execPath, [
    main,
    'check',
    '--lab',
    'tarpit.example',
    '--timeout',
    '60',
  ]);
  let err = '';
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await waitUntil('the check connects', () => hasSockets(child.pid ?? 0));
  child.kill('SIGINT');
  assert.equal(await ended, 130);
  assert.match(err, /interrupted; 0 of 1 domains were checked/);
});

/**
 * Returns whether a process has more sockets than its standard streams: each server of a
 * lab would have a socket.
 */
function hasSockets(pid: number): boolean {
  try {
    const sockets = readdirSync(`/proc/${pid}/fd`).filter((fd) =>
      readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:['),
    );
    return sockets.length > 5;
  } catch {
    return false;
  }
}
