import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import test, { after, before } from 'node:test';

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
let folder: string;
let installed: string;

/** The package as published, in an empty folder with only its declared dependencies. */
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-pack-'));
  const packed = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder],
    { encoding: 'utf8' },
  ).trim();
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  execFileSync('tar', ['-xzf', join(folder, packed.split('\n').at(-1) ?? ''), '-C', modules]);
  cpSync(join(modules, 'package'), join(modules, 'hermetic'), { recursive: true });
  const production = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .slice(1);
  assert.ok(production.length >= Object.keys(manifest.dependencies).length);
  for (const path of production)
    cpSync(path, join(modules, relative('node_modules', path)), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  installed = join(modules, 'hermetic');
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('every subpath can be imported', () => {
  const paths = Object.keys(manifest.exports).filter(
    (p) => !p.includes('*') && !p.endsWith('.json'),
  );
  assert.equal(paths.length, 10);
  const names = paths.map((p) => `hermetic${p.slice(1)}`);
  const code = `for (const name of ${JSON.stringify(names)}) if (Object.keys(await import(name)).length === 0) throw new Error(name);`;
  execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: folder,
    stdio: 'pipe',
  });
});

test('the command runs', () => {
  const main = join(installed, manifest.bin['hermetic'] ?? '');
  const listed = execFileSync(process.execPath, [main, 'lab', 'list'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.match(listed, /^good\.example/m);
});

test('the package contains the root list', () => {
  const code = `const { baseline, check } = await import('hermetic/check'); if (!baseline || !check) throw new Error();
    const { builtinTrustStore } = await import(${JSON.stringify(join(installed, 'dist/src/tls/index.js'))});
    if (builtinTrustStore().certificates.length < 100) throw new Error('no roots');`;
  execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: folder,
    stdio: 'pipe',
  });
});

test('the package has types, schemas and documents, and no tests or tools', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    files.filter((f) => /\.test\.|testing|(^|\/)(test|tools|bench|fuzz)\//.test(f)),
    ['bench/results.md'],
  );
  for (const file of [
    'LICENSE',
    'README.md',
    'schemas/hermetic.check-1.json',
    'dist/src/api/index.d.ts',
    'docs/postfix.md',
    'packaging/hermetic.service',
    'examples/check.ts',
  ])
    assert.ok(existsSync(join(installed, file)), file);
});

test("the README's examples equal those in examples/ and give the stated results", () => {
  const blocks = [
    ...['README.md', 'docs/send.md']
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n')
      .matchAll(/```ts\n([\s\S]*?)```/g),
  ].map(([, code]) => code ?? '');
  const says = {
    check: /^stripped\.example: fail\n/,
    send: /^mx\.stripped\.example: server-no-starttls \(dane-usable, sts-enforce\)\n$/,
    nodemailer: /^mx\.good\.example: TLSv1\.3, authenticated by dane and pkix\n$/,
  };
  for (const [name, expected] of Object.entries(says)) {
    const code = readFileSync(`examples/${name}.ts`, 'utf8');
    assert.ok(blocks.includes(code), `${name} is not in the documentation`);
    assert.ok(code.trim().split('\n').length <= 20, name);
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, code);
    assert.match(
      execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' }),
      expected,
    );
  }
});

test('no lock file entry contains a registry', () => {
  assert.doesNotMatch(readFileSync('package-lock.json', 'utf8'), /"resolved"/);
});

test('every link of a page is valid in the package', () => {
  const pages = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  assert.ok(pages.length >= 30, `${pages.length} pages`);
  const absent = pages.flatMap((page) =>
    [...readFileSync(join(installed, page), 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^(https?|mailto):/.test(link))
      .filter((link) => !existsSync(join(installed, page, '..', link)))
      .map((link) => `${page}: ${link}`),
  );
  assert.deepEqual(absent, []);
});

test('messages point only to files that the package contains', () => {
  const files = readdirSync(join(installed, 'dist/src'), { recursive: true, encoding: 'utf8' });
  const named = new Set<string>();
  for (const file of files.filter((name) => name.endsWith('.js')))
    for (const [path] of readFileSync(join(installed, 'dist/src', file), 'utf8').matchAll(
      /\b(?:docs|schemas|examples|spec)\/[\w./-]+\.(?:md|json|yaml|ts)\b/g,
    ))
      named.add(path);
  assert.ok(named.has('docs/serve.md'));
  assert.deepEqual(
    [...named].filter((path) => !existsSync(join(installed, path))),
    [],
  );
});

test('the package contains the documentation of hermetic --help', () => {
  const main = join(installed, manifest.bin['hermetic'] ?? '');
  const help = execFileSync(process.execPath, [main, '--help'], {
    encoding: 'utf8',
    env: { ...process.env, COLUMNS: '500' },
  });
  const [, folder = ''] = /^Documentation: (.+)$/m.exec(help) ?? [];
  assert.ok(existsSync(join(folder, 'serve.md')), folder);
});
