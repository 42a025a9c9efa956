import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { HermeticError, isHermeticError } from '../../base/index.js';
import { runCli } from '../../../test/support/run-cli.js';
import { nodeMachine, type Machine } from './machine.js';
import { planPostfix } from './plan-postfix.js';
import { readPostfixFacts } from './postfix-facts.js';
import { applySetup, journalPath, undoSetup, type SetupStep } from './setup-plan.js';

function system(t: TestContext): Machine {
  const root = mkdtempSync(join(tmpdir(), 'hermetic-setup-test-'));
  t.after(() => rmSync(root, { recursive: true }));
  return nodeMachine(root);
}

const step = (path: string, text: string, activated: string[], fails = false): SetupStep => ({
  path,
  text,
  purpose: 'tests',
  activate() {
    activated.push(path);
    const refused = new HermeticError('reload-failed', 'refused', { fix: 'none' });
    return fails ? Promise.reject(refused) : Promise.resolve();
  },
});

const none = (): Promise<void> => Promise.resolve();

test('setup writes in order, and undo restores in reverse order', async (t) => {
  const machine = system(t);
  machine.write('/etc/b', 'before\n', 0o640);
  const activated: string[] = [];
  await applySetup('x', [step('/etc/a', 'a', activated), step('/etc/b', 'b', activated)], machine);
  assert.deepEqual(activated, ['/etc/a', '/etc/b']);
  assert.equal(machine.read('/etc/b'), 'b');
  assert.equal(machine.facts(journalPath('x'))?.mode, 0o600);
  const undone: string[] = [];
  const left = await undoSetup('x', (path) => Promise.resolve(void undone.push(path)), machine);
  assert.deepEqual([left, undone], [undefined, ['/etc/b', '/etc/a']]);
  assert.equal(machine.read('/etc/a'), undefined);
  assert.equal(machine.read('/etc/b'), 'before\n');
  assert.equal(machine.facts('/etc/b')?.mode, 0o640);
  assert.equal(machine.read(journalPath('x')), undefined);
});

test('a step that fails restores every file and leaves no record', async (t) => {
  const machine = system(t);
  machine.write('/etc/a', 'before');
  const activated: string[] = [];
  const steps = [step('/etc/a', 'a', activated), step('/etc/b', 'b', activated, true)];
  await assert.rejects(applySetup('x', steps, machine), /refused/);
  assert.equal(machine.read('/etc/a'), 'before');
  assert.equal(machine.read('/etc/b'), undefined);
  assert.deepEqual(activated, ['/etc/a', '/etc/b', '/etc/b', '/etc/a']);
  assert.equal(machine.read(journalPath('x')), undefined);
});

test('a second setup keeps the state before the first', async (t) => {
  const machine = system(t);
  machine.write('/etc/a', 'original');
  await applySetup('x', [step('/etc/a', 'one', [])], machine);
  await applySetup('x', [step('/etc/a', 'two', []), step('/etc/b', 'b', [])], machine);
  await undoSetup('x', none, machine);
  assert.equal(machine.read('/etc/a'), 'original');
  assert.equal(machine.read('/etc/b'), undefined);
});

test('undo leaves a file that the operator changed after setup', async (t) => {
  const machine = system(t);
  await applySetup('x', [step('/etc/a', 'one', []), step('/etc/b', 'b', [])], machine);
  machine.write('/etc/a', 'mine');
  assert.equal(await undoSetup('x', none, machine), '/etc/a');
  assert.equal(machine.read('/etc/a'), 'mine');
  assert.equal(machine.read('/etc/b'), undefined);
  assert.ok(machine.read(journalPath('x')));
});

test('undo keeps files that a changed file needs, and continues later', async (t) => {
  const machine = system(t);
  await applySetup('x', [step('/etc/a', 'answers', []), step('/etc/b', 'asks', [])], machine);
  machine.write('/etc/b', 'asks otherwise');
  assert.equal(await undoSetup('x', none, machine), '/etc/b');
  assert.equal(machine.read('/etc/a'), 'answers');
  machine.remove('/etc/b');
  assert.equal(await undoSetup('x', none, machine), undefined);
  assert.equal(machine.read('/etc/a'), undefined);
});

test('undo removes its lines from a main.cf that changed after setup', async (t) => {
  const machine = system(t);
  machine.write('/etc/main.cf', 'a=1\nlevel=may\nz = 9\n');
  await applySetup('x', [step('/etc/main.cf', 'a=1\nlevel = dane\nz = 9\nmap = m\n', [])], machine);
  machine.write('/etc/main.cf', 'a=1\nlevel = dane\nz = 9\nmap = m\nlater = yes\n');
  assert.equal(await undoSetup('x', none, machine), undefined);
  assert.equal(machine.read('/etc/main.cf'), 'a=1\nlevel=may\nz = 9\nlater = yes\n');
});

test('undo keeps a file whose setup lines were changed', async (t) => {
  const machine = system(t);
  machine.write('/etc/main.cf', 'a = 1\n');
  await applySetup('x', [step('/etc/main.cf', 'a = 1\nmap = m\n', [])], machine);
  machine.write('/etc/main.cf', 'a = 1\nmap = other\n');
  assert.equal(await undoSetup('x', none, machine), '/etc/main.cf');
});

test('undo without a setup is an error that names the record', async (t) => {
  await assert.rejects(undoSetup('x', none, system(t)), /there is no setup to undo/);
});

/** Returns a Postfix whose `postconf` works on lines of main.cf. */
function withPostfix(machine: Machine, chroot: 'y' | 'n', mainCf: string): Machine {
  mkdirSync(machine.path('/etc/postfix'), { recursive: true });
  writeFileSync(machine.path('/etc/postfix/main.cf'), mainCf);
  const valueOf = (folder: string, name: string): string =>
    new RegExp(`^${name} = (.*)$`, 'm').exec(readFileSync(join(folder, 'main.cf'), 'utf8'))?.[1] ??
    { mail_version: '3.7.11', queue_directory: '/var/spool/postfix' }[name] ??
    '';
  return {
    ...machine,
    run([, , folder = '', option, ...words]) {
      const ran = (out: string) => ({ status: 0, out: `${out}\n`, err: '' });
      if (option === '-F') return ran(`smtp/unix/chroot = ${chroot}`);
      if (option === '-h') return ran(valueOf(folder, words[0] ?? ''));
      const file = join(folder, 'main.cf');
      const names = words.map((word) => word.split(' = ')[0]);
      const others = readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !names.includes(line.split(' = ')[0]));
      writeFileSync(file, `${[...others, ...words].join('\n')}\n`);
      return ran('');
    },
  };
}

test('setup postfix keeps the maps of the operator first and changes no other line', (t) => {
  const before = 'myhostname = mx.example.com\nsmtp_tls_policy_maps = hash:/etc/postfix/tls\n';
  const machine = withPostfix(system(t), 'y', before);
  const [daemon, mainCf] = planPostfix(machine);
  assert.match(daemon?.text ?? '', /version: "3\.7\.11"/);
  assert.match(daemon?.text ?? '', /file: \/var\/spool\/postfix\/etc\/resolv\.conf/);
  assert.match(
    mainCf?.text ?? '',
    /^smtp_tls_policy_maps = hash:\/etc\/postfix\/tls, socketmap:inet:127\.0\.0\.1:8461:hermetic$/m,
  );
  assert.match(mainCf?.text ?? '', /^myhostname = mx\.example\.com$/m);
  assert.equal(machine.read('/etc/postfix/main.cf'), before, 'a plan writes nothing');
});

test('setup postfix twice plans the same files', (t) => {
  const machine = withPostfix(system(t), 'n', '');
  const first = planPostfix(machine);
  for (const { path, text } of first) machine.write(path, text);
  assert.deepEqual(planPostfix(machine), first);
  assert.equal(readPostfixFacts(machine).resolvConf, '/etc/resolv.conf');
});

test('without Postfix, setup reports that it is missing', (t) => {
  const machine: Machine = {
    ...system(t),
    run: () => ({ status: 127, out: '', err: 'ENOENT' }),
  };
  assert.throws(() => planPostfix(machine), /Postfix is not installed/);
});

test('setup refuses a name that is not a domain, and shows no file', async (t) => {
  const root = system(t).path('/');
  const { code, out, err } = await runCli(['setup', 'watch', '--domain', 'a b', '--root', root]);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /--domain: a b is not a domain name \(usage\)/);
});

test('an unwritable file is an error with its path, without a partial file', (t) => {
  const machine = system(t);
  machine.write('/etc/a', 'before');
  for (const path of ['/etc/a/b', '/etc'])
    assert.throws(
      () => machine.write(path, 'text'),
      (error) => isHermeticError(error) && error.code === 'file-unwritable',
    );
  assert.deepEqual(readdirSync(machine.path('/')), ['etc']);
});

test('a file is replaced atomically and keeps its mode', (t) => {
  const machine = system(t);
  machine.write('/etc/x/y', 'one', 0o600);
  machine.write('/etc/x/y', 'two');
  assert.equal(statSync(machine.path('/etc/x/y')).mode & 0o777, 0o600);
  assert.equal(machine.read('/etc/x/y'), 'two');
});
