import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after } from 'node:test';
import { commandTexts } from '../../tools/package/stage-documents.js';

// The linters that Debian packages. Debian has no linter for Dockerfiles: this test
// examines their commands as scripts, and test/integrations.test.ts examines their
// instructions.

const folder = mkdtempSync(join(tmpdir(), 'hermetic-linters-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs a linter, which must exit with status 0 and print no complaint. */
function accepts(program: string, args: readonly string[], cwd = '.'): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, HOME: folder, ANSIBLE_HOME: folder },
  });
  assert.equal(error, undefined);
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`);
}

/** Writes a script for shellcheck, and returns its path. */
function saved(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('shellcheck accepts every script of the packages and the action', () => {
  const scripts = [
    'packaging/action/check.sh',
    ...['postinst', 'postrm', 'prerm'].map((name) => `packaging/debian/${name}`),
  ];
  accepts('shellcheck', scripts);
});

test('shellcheck accepts the commands of the Dockerfiles', () => {
  const files = readdirSync('packaging/docker').filter((name) => name.endsWith('Dockerfile'));
  assert.equal(files.length, 2);
  for (const name of files) {
    const text = readFileSync(join('packaging/docker', name), 'utf8').replaceAll('\\\n', ' ');
    const commands = [...text.matchAll(/^RUN (.*)$/gm)].map(([, command = '']) => command);
    assert.ok(commands.length > 0, name);
    accepts('shellcheck', ['-s', 'sh', saved(`${name}.sh`, `${commands.join('\n')}\n`)]);
  }
});

test('shellcheck accepts the scripts of the documentation', () => {
  const scripts = readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => [
      ...readFileSync(join('docs', name), 'utf8').matchAll(/^```sh\n(#![\s\S]*?)^```/gm),
    ])
    .map(([, script = ''], index) => saved(`docs-${index}.sh`, script));
  assert.ok(scripts.length > 0);
  accepts('shellcheck', scripts);
});

test('shellcheck accepts the completion script of bash', async () => {
  const { shells } = await commandTexts('1.0.0');
  accepts('shellcheck', ['-s', 'bash', saved('completion.bash', shells.bash)]);
});

test('ansible-lint accepts the tasks by its strictest profile', () => {
  const file = 'examples/ansible/hermetic.yml';
  accepts('ansible-lint', ['--offline', '--strict', '--profile', 'production', file]);
  accepts('ansible-playbook', ['--syntax-check', file]);
});

test('docker-compose accepts both compose files', () => {
  for (const name of readdirSync('packaging/docker')) {
    // Compose in Debian 12 does not support this newer tag.
    const text = readFileSync(join('packaging/docker', name), 'utf8').replace('!reset []', '[]');
    saved(name, text);
  }
  accepts('docker-compose', ['-f', 'compose.yaml', 'config', '-q'], folder);
  const both = ['-f', 'compose.yaml', '-f', 'compose.proxy.yaml'];
  accepts('docker-compose', [...both, 'config', '-q'], folder);
});

test('yamllint accepts the YAML of packages and examples', () => {
  const files = [
    'action.yml',
    'packaging/hermetic.yaml',
    ...['packaging/docker', 'examples/ansible', 'examples/prometheus'].flatMap((path) =>
      readdirSync(path)
        .filter((name) => /\.ya?ml$/.test(name))
        .map((name) => join(path, name)),
    ),
  ];
  assert.ok(files.length >= 8);
  const rules = ['line-length', 'document-start', 'braces', 'truthy'];
  const settings = `{extends: default, rules: {${rules.map((rule) => `${rule}: disable`).join(', ')}}}`;
  accepts('yamllint', ['--strict', '-d', settings, ...files]);
});

test('systemd-analyze accepts the units that reload other services', () => {
  for (const suffix of ['path', 'service']) {
    const source = `packaging/hermetic-reload@.${suffix}`;
    copyFileSync(source, join(folder, basename(source)));
  }
  const units = ['service', 'path'].map((suffix) => join(folder, `hermetic-reload@.${suffix}`));
  accepts('systemd-analyze', ['verify', '--man=no', ...units]);
});
