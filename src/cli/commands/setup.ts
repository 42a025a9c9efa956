import { Option, type Command } from 'commander';
import { HermeticError, parseDomain } from '../../base/index.js';
import { nodeNetwork } from '../../net/index.js';
import { probeResolver } from '../../send/index.js';
import { ask } from '../ask.js';
import { DEFAULT_CONFIG, describeProblem, readConfigSources } from '../config-files.js';
import { askDaemon, DEFAULT_SOCKET } from '../control-client.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { collectValues, misuse, readWord } from '../options.js';
import { complain, type CommandContext, type Output } from '../output.js';
import { nodeMachine, programError, type Machine } from '../setup/machine.js';
import {
  planKeyAccess,
  planPublish,
  planReport,
  planWatch,
  planWeb,
  type JobAnswers,
} from '../setup/plan-jobs.js';
import type { PlannedFile } from '../setup/job-file.js';
import { planPostfix } from '../setup/plan-postfix.js';
import { POSTFIX_FOLDER, readPostfixFacts } from '../setup/postfix-facts.js';
import { applySetup, journalPath, undoSetup, type SetupStep } from '../setup/setup-plan.js';

const uses = ['postfix', 'publish', 'report', 'watch', 'web'] as const;
type Use = (typeof uses)[number];

interface SetupFlags extends JobAnswers {
  readonly yes?: boolean;
  readonly undo?: boolean;
  readonly socket: string;
  /** The root folder of a simulated system, for tests. */
  readonly root?: string;
}

/**
 * Defines `hermetic setup`, which writes the configuration for one use, and can restore
 * the previous files.
 */
export function defineSetup(command: Command, context: CommandContext): void {
  command
    .argument('<use>', `${uses.join(', ')}`)
    .option('--yes', 'write the files; otherwise they are only shown')
    .option('--undo', 'restore the files that setup changed for this use')
    .option('--domain <domain>', 'publish, report, watch: a domain (repeatable)', collectValues)
    .option('--host <host>', 'publish: a mail server of the domains (repeatable)', collectValues)
    .option('--policy-host <host>', 'publish: the name of this machine')
    .option('--report-to <uri>', 'publish: address for TLS reports (default mailto:tlsrpt@DOMAIN)')
    .option('--dns-server <address>', 'publish: primary name server that accepts updates')
    .option('--dns-zone <zone>', 'publish: its zone (default: the first domain)')
    .option('--dns-key <file>', 'publish: its TSIG key (default /etc/hermetic/dns.key)')
    .addOption(
      new Option('--directory <url>', 'publish: ACME directory of the CA').default(
        'https://acme-v02.api.letsencrypt.org/directory',
        "Let's Encrypt",
      ),
    )
    .option('--agree', 'publish: agree to the terms of the CA')
    .option('--recipient <address>', 'report: a mail address for reports', collectValues)
    .option('--listen <address>', 'report, web: the address to listen on')
    .option('--alarm-to <address>', 'watch: a mail address for alarms')
    .option('--mail-server <host>', 'watch: the mail server for alarms', '127.0.0.1')
    .option('--webhook <url>', 'watch: a chat service or program for alarms')
    .option('--socket <path>', 'control socket of the daemon', DEFAULT_SOCKET)
    .option('--root <folder>', 'change the system in this folder')
    .action(async (use: string, flags: SetupFlags) =>
      context.finish(await setUp(readWord('use', use, uses), flags, context)),
    );
  addHelpPage(command, context.output, {
    note:
      'Each use has a separate file in /etc/hermetic/conf.d. Without --yes the command shows the ' +
      'files and writes nothing. It saves the former content of every file that it changes.',
    exitStatus: [
      [exitCodes.good, 'the files are written and in effect, or shown'],
      [exitCodes.fail, 'undo stopped at a file that was changed after setup'],
      [exitCodes.usage, 'nothing was changed'],
    ],
    examples: [
      'hermetic setup postfix',
      'hermetic setup postfix --yes',
      'hermetic setup postfix --undo',
      'hermetic setup watch --domain example.com --alarm-to postmaster@example.com',
    ],
  });
}

async function setUp(
  use: Use,
  flags: SetupFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  const machine = nodeMachine(flags.root);
  const activate = (path: string): Promise<void> => activateFile(path, machine, flags);
  if (flags.undo) {
    const path = await undoSetup(use, activate, machine);
    if (path === undefined) {
      output.out(`the state before setup ${use} is restored\n`);
      return exitCodes.good;
    }
    complain(
      output,
      new HermeticError('setup-changed', `${path}: changed after setup; undo stopped here`, {
        fix: `Restore it manually, then repeat the command. ${journalPath(use)} has the former content.`,
      }),
    );
    return exitCodes.fail;
  }
  const files = planFiles(use, await complete(use, flags, signal), machine).filter(
    ({ path, text }) => machine.read(path) !== text,
  );
  if (files.length === 0) {
    output.out(`setup ${use} is complete already\n`);
    return exitCodes.good;
  }
  for (const file of files) output.out(describe(file, machine));
  if (use === 'postfix') await warnAboutResolver(machine, output);
  const isConfirmed =
    flags.yes ?? /^y(es)?$/i.test(await ask('Write these files? [y/N] ', { signal }));
  if (!isConfirmed) {
    output.out('nothing was written; add --yes to write the files\n');
    return exitCodes.good;
  }
  const steps = files.map((file): SetupStep => ({ ...file, activate: () => activate(file.path) }));
  await applySetup(use, steps, machine);
  output.out(`setup ${use} is complete; hermetic setup ${use} --undo restores the former state\n`);
  return exitCodes.good;
}

function planFiles(use: Use, answers: JobAnswers, machine: Machine): readonly PlannedFile[] {
  switch (use) {
    case 'postfix':
      return planPostfix(machine);
    case 'web':
      return [planWeb(answers)];
    case 'report':
      return [planReport(answers)];
    case 'watch':
      return [planWatch(answers)];
    case 'publish': {
      const web = hasSection('web', machine) ? [] : [planWeb({ ...answers, listen: undefined })];
      return [planKeyAccess(), ...web, planPublish(answers)];
    }
  }
}

function hasSection(section: string, machine: Machine): boolean {
  const pattern = new RegExp(`^${section}:`, 'm');
  return readConfigSources(machine.path(DEFAULT_CONFIG)).some(({ text }) => pattern.test(text));
}

/** A flag whose value the operator may enter on a terminal instead. */
interface Question {
  readonly name: 'domain' | 'host' | 'policyHost' | 'recipient' | 'alarmTo';
  readonly flag: string;
  readonly text: string;
  readonly isOptional?: boolean;
}

const mailDomain: Question = {
  name: 'domain',
  flag: '--domain',
  text: 'Domain that receives mail',
};

const questions: Readonly<Record<Use, readonly Question[]>> = {
  postfix: [],
  web: [],
  report: [
    mailDomain,
    {
      name: 'recipient',
      flag: '--recipient',
      text: 'Mail address for reports (empty: no port for mail)',
      isOptional: true,
    },
  ],
  watch: [
    { name: 'domain', flag: '--domain', text: 'Domain to watch' },
    {
      name: 'alarmTo',
      flag: '--alarm-to',
      text: 'Mail address for alarms (empty: only the log)',
      isOptional: true,
    },
  ],
  publish: [
    mailDomain,
    { name: 'host', flag: '--host', text: 'Mail server of the domain' },
    { name: 'policyHost', flag: '--policy-host', text: 'Name of this machine' },
  ],
};

async function complete(use: Use, flags: SetupFlags, signal: AbortSignal): Promise<JobAnswers> {
  const asked: Record<string, string | readonly string[]> = {};
  for (const { name, flag, text, isOptional } of questions[use]) {
    if (flags[name] !== undefined) continue;
    const answer = await ask(`${text}: `, { signal });
    if (answer) asked[name] = name === 'policyHost' || name === 'alarmTo' ? answer : [answer];
    else if (!isOptional) throw misuse(flag, `setup ${use} needs this option`, `Add ${flag}.`);
  }
  const answers: JobAnswers = { ...flags, ...asked };
  assertNames('--domain', answers.domain);
  assertNames('--host', answers.host);
  if (answers.policyHost !== undefined) assertNames('--policy-host', [answers.policyHost]);
  return answers;
}

function assertNames(flag: string, names: readonly string[] = []): void {
  for (const name of names)
    if (!parseDomain(name).ok)
      throw misuse(flag, `${name} is not a domain name`, 'Write a name such as example.com.');
}

function describe({ path, text, purpose }: PlannedFile, machine: Machine): string {
  const before = machine.read(path);
  const old = new Set((before ?? '').split('\n'));
  const fresh = text.split('\n').filter((line) => before === undefined || !old.has(line));
  const verb = before === undefined ? 'create' : 'change';
  return `${verb} ${path}: ${purpose}\n${fresh.map((line) => `  + ${line}`.trimEnd()).join('\n')}\n\n`;
}

async function warnAboutResolver(machine: Machine, output: Output): Promise<void> {
  const { resolvConf } = readPostfixFacts(machine);
  const probe = await probeResolver({
    network: nodeNetwork(),
    resolvConf: machine.path(resolvConf),
  });
  if (probe.validates) return;
  output.err(`hermetic: ${probe.says}, so Postfix defers mail to domains with DANE\n`);
  output.err(`  Before you continue, ${probe.fix}.\n`);
}

/** Makes a written or restored file effective. Throws HermeticError. */
async function activateFile(path: string, machine: Machine, flags: SetupFlags): Promise<void> {
  if (path.startsWith(POSTFIX_FOLDER)) return reloadPostfix(machine);
  if (path.startsWith('/etc/systemd/')) {
    machine.run(['systemctl', 'daemon-reload']);
    return;
  }
  await reloadDaemon(machine, flags);
}

/** Reloads Postfix if it is running; otherwise Postfix reads main.cf when it starts. */
function reloadPostfix(machine: Machine): void {
  const folder = machine.path(POSTFIX_FOLDER);
  const { status, err } = machine.run(['postfix', '-c', folder, 'check']);
  if (status !== 0)
    throw new HermeticError('postfix-unreadable', programError('postfix check', err), {
      fix: 'Correct main.cf.',
    });
  machine.run(['postfix', '-c', folder, 'reload']);
}

async function reloadDaemon(machine: Machine, { socket }: SetupFlags): Promise<void> {
  const server = await import('../../server/index.js');
  const parsed = server.parseConfigFiles(readConfigSources(machine.path(DEFAULT_CONFIG)));
  if (!parsed.ok && parsed.failure[0]) throw describeProblem(parsed.failure[0]);
  const path = machine.path(socket);
  const started = machine.facts(socket) === undefined && startDaemon(machine);
  if (started) return;
  const answer = await askDaemon(path, { do: 'reload' }, RELOAD);
  const [problem] = answer.ok ? [] : answer.problems;
  if (problem) throw new HermeticError(problem.code, problem.message, { fix: problem.fix });
}

/** Milliseconds. */
const RELOAD = 110_000;

function startDaemon(machine: Machine): boolean {
  return machine.run(['systemctl', 'enable', '--now', 'hermetic']).status === 0;
}
