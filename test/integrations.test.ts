import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { parseConfig } from '../src/server/index.js';
import { createProgram } from '../src/cli/run.js';
import { runProgram } from './interop/process.js';
import { runCli } from './support/run-cli.js';

const read = (file: string): string => readFileSync(file, 'utf8');

/** Returns the long options in a text that are not options of the command `check`. */
async function unknownCheckOptions(text: string): Promise<readonly string[]> {
  const output = { out: ignore, err: ignore, width: 80, color: false, interactive: false };
  const context = { output, signal: new AbortController().signal, finish: ignore };
  const program = await createProgram(['check'], context);
  const check = program.commands.find((command) => command.name() === 'check');
  const known = new Set(check?.options.map(({ long }) => long));
  return [...text.matchAll(/(?<=[\s"])--[a-z-]+/g)]
    .map(([option]) => option)
    .filter((option) => !known.has(option));
}

function ignore(): void {
  // Nothing is printed while the commands are only defined.
}

test('the script of the GitHub Action writes SARIF and returns the exit status', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-action-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const run = async (domains: string, failOn = 'fail') =>
    runProgram('sh', ['packaging/action/check.sh'], {
      anyStatus: true,
      env: {
        HERMETIC_DOMAINS: domains,
        HERMETIC_PROFILE: 'baseline',
        HERMETIC_FAIL_ON: failOn,
        HERMETIC_SARIF: join(folder, 'out.sarif'),
        HERMETIC_OPTIONS: '--lab --depth triage',
        GITHUB_OUTPUT: join(folder, 'output'),
      },
    });
  const good = await run('good.example\nsts-only.example');
  assert.equal(good.code, 0, good.err);
  const bad = await run('stripped.example *');
  assert.notEqual(bad.code, 0);
  assert.match(bad.err, /\*/, 'a pattern is not expanded to names of files');
  assert.equal((await run('stripped.example')).code, 1);
  const sarif = JSON.parse(read(join(folder, 'out.sarif'))) as { readonly version: string };
  assert.equal(sarif.version, '2.1.0');
  assert.match(read(join(folder, 'output')), /^status=0\nstatus=2\nstatus=1\n$/);
});

test('the GitHub Action uses no other action, and no input becomes part of the script', () => {
  const action = parse(read('action.yml')) as {
    readonly inputs: object;
    readonly runs: {
      readonly using: string;
      readonly steps: readonly { readonly run: string; readonly uses?: string }[];
    };
  };
  assert.equal(action.runs.using, 'composite');
  assert.deepEqual(Object.keys(action.inputs), [
    'domains',
    'profile',
    'fail-on',
    'sarif',
    'options',
  ]);
  for (const { run, uses } of action.runs.steps) {
    assert.equal(uses, undefined);
    assert.ok(!run.includes('${{'), run);
    const [script = ''] = /packaging\S+\.sh/.exec(run) ?? [];
    assert.ok(existsSync(script), run);
  }
});

test('the commands for Icinga and Nagios have options that exist', async () => {
  for (const file of ['examples/icinga/hermetic.conf', 'examples/nagios/hermetic.cfg'])
    assert.deepEqual(await unknownCheckOptions(read(file)), [], file);
  for (const [domain, status] of [
    ['good.example', 0],
    ['opportunistic.example', 1],
    ['stripped.example', 2],
    ['absent.example', 3],
  ] as const) {
    const { code, out } = await runCli(['check', '--lab', '--nagios', '--depth', 'triage', domain]);
    assert.equal(code, status, out);
    assert.match(out, /^MAILTLS \w+ - [^|\n]+ \| fail=\d+ warn=\d+ connections=\d+\n$/);
  }
});

test('every task for Ansible has a name and one module', () => {
  const plays = parse(read('examples/ansible/hermetic.yml')) as readonly {
    readonly tasks: readonly Readonly<Record<string, unknown>>[];
  }[];
  const tasks = plays.flatMap((play) => play.tasks);
  assert.ok(tasks.length >= 5);
  for (const task of tasks) {
    assert.equal(typeof task['name'], 'string');
    assert.equal(Object.keys(task).filter((key) => key.startsWith('ansible.builtin.')).length, 1);
  }
});

test('the lines for cron have five fields of time and a user', () => {
  const lines = read('examples/cron/hermetic')
    .split('\n')
    .filter((line) => /^[\d*]/.test(line));
  assert.equal(lines.length, 3);
  for (const line of lines) assert.match(line, /^(?:[\d*/]+ ){5}(hermetic|root) hermetic [a-z]/);
  // cron treats an unescaped percent sign as the end of the command.
  for (const line of lines) assert.doesNotMatch(line, /[^\\]%/);
});

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly build?: { readonly context: string; readonly dockerfile: string };
        readonly depends_on?: readonly string[];
        readonly volumes?: readonly string[];
        readonly read_only?: boolean;
        readonly networks: { readonly inside: { readonly ipv4_address: string } };
      }
    >
  >;
}

test('the compose files name files that exist, and the resolver of the configuration', () => {
  const folder = 'packaging/docker';
  const config = parseConfig(read(join(folder, 'hermetic.yaml')));
  assert.ok(config.ok);
  const base = parse(read(join(folder, 'compose.yaml'))) as Compose;
  const proxy = parse(read(join(folder, 'compose.proxy.yaml')), { logLevel: 'silent' }) as Compose;
  const { hermetic, unbound } = base.services;
  assert.deepEqual(config.value.resolver.addresses, [unbound?.networks.inside.ipv4_address]);
  assert.equal(hermetic?.read_only, true);
  for (const { build, volumes = [], depends_on = [] } of [
    ...Object.values(base.services),
    ...Object.values(proxy.services),
  ]) {
    if (build) assert.ok(existsSync(join(folder, build.context, build.dockerfile)));
    for (const volume of volumes)
      if (volume.startsWith('./')) assert.ok(existsSync(join(folder, volume.split(':')[0] ?? '')));
    for (const name of depends_on) assert.ok(name in base.services);
  }
  const address = hermetic?.networks.inside.ipv4_address ?? '';
  assert.ok(read(join(folder, 'haproxy.cfg')).includes(`${address}:443`));
});

test('the Dockerfile installs the package of this version and runs as its user', () => {
  const text = read('packaging/docker/Dockerfile');
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  assert.ok(text.includes(`hermetic_${version}-1_amd64.deb`));
  const instructions = text
    .replaceAll(/\\\n/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ')[0]);
  assert.ok(
    instructions.every((word) =>
      /^(FROM|ARG|COPY|RUN|USER|ENV|VOLUME|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD)$/.test(word ?? ''),
    ),
  );
  assert.ok(instructions.indexOf('USER') > instructions.lastIndexOf('RUN'));
  assert.ok(existsSync(dirname('packaging/docker/unbound.conf')));
});
