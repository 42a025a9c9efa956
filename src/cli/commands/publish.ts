import type { Command } from 'commander';
import { formatTime, HermeticError, neutralise } from '../../base/index.js';
import {
  describeAction,
  type ActionOutcome,
  type Alert,
  type Applied,
  type Proposal,
  type SubjectPlan,
  type Wait,
} from '../../publish/index.js';
import type { Publishing } from '../../server/index.js';
import { exitCodes } from '../exit-codes.js';
import { findFailure } from '../../catalogue/index.js';
import { sayFailure } from '../failure-text.js';
import { DEFAULT_CONFIG, readConfig } from '../config-files.js';
import { addHelpPage, type HelpPage } from '../help.js';
import { collectValues, misuse } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { renderCertificate } from '../render-certificate.js';

/** The options of the subcommands of `hermetic publish`. */
interface PublishFlags {
  readonly config: string;
  readonly json?: boolean;
  /** Tokens from a plan: each permits one proposed step. */
  readonly confirm?: readonly string[];
}

/** The opened state, the flags and the output of one run of a subcommand. */
interface PublishRun {
  readonly publishing: Publishing;
  readonly flags: PublishFlags;
  readonly output: Output;
}

/** A subcommand of `publish`. */
interface Subcommand {
  readonly name: string;
  readonly summary: string;
  readonly help: HelpPage;
  readonly access: Access;
  readonly run: (publishRun: PublishRun) => Promise<number>;
}

/**
 * With `read` the command writes nothing, so any user with read access to the state may
 * run it.
 */
type Access = 'read' | 'write';

/** The option that every example shows. */
const CONFIG = '--config /etc/hermetic/hermetic.yaml';

/**
 * `publish plan`: observes DNS, policy host and mail servers, and prints the next actions
 * with their reasons. It writes nothing and needs no permission beyond reading the state.
 */
const plan: Subcommand = {
  name: 'plan',
  summary: 'show the next actions, why they are safe now, and why other actions must wait',
  help: { examples: [`hermetic publish plan ${CONFIG}`] },
  access: 'read',
  async run({ publishing, flags, output }) {
    const subjectPlans = await publishing.plan();
    output.out(flags.json ? jsonLines(subjectPlans) : subjectPlans.map(planText).join('\n'));
    return exitCodes.good;
  },
};

/**
 * `publish apply`: one round of observe, plan, save, execute for each domain and host. It
 * changes the DNS, policy files, keys and certificates as the configuration permits, and
 * saves the plan in the ledger before its execution. Exit status 1 when an action failed;
 * the next round tries it again.
 */
const apply: Subcommand = {
  name: 'apply',
  summary: 'execute the next actions: one round',
  help: {
    exitStatus: [
      [exitCodes.good, 'every action succeeded'],
      [exitCodes.fail, 'an action failed'],
      [exitCodes.usage, 'the configuration is invalid'],
    ],
    examples: [`hermetic publish apply ${CONFIG}`],
  },
  access: 'write',
  async run({ publishing, flags, output }) {
    for (const token of flags.confirm ?? []) await confirm(publishing, token);
    const rounds = await publishing.apply();
    output.out(
      flags.json
        ? jsonLines(rounds)
        : rounds.map((round) => subjectText(round, round.outcomes.map(outcomeText))).join('\n'),
    );
    const hasFailed = rounds.some(({ outcomes }) =>
      outcomes.some((applied) => applied.outcome.status === 'failed'),
    );
    if (hasFailed) return exitCodes.fail;
    return exitCodes.good;
  },
};

/**
 * `publish status`: the same observation as `plan` without the actions, then the last
 * actions from the ledger, oldest first. It writes nothing.
 */
const status: Subcommand = {
  name: 'status',
  summary: 'show the state of each domain and host, and the last actions',
  help: { examples: [`hermetic publish status ${CONFIG}`] },
  access: 'read',
  async run({ publishing, flags, output }) {
    const subjectPlans = await publishing.plan();
    const ledgerNotes = publishing.ledger.notes(MAX_NOTES);
    if (flags.json) {
      output.out(jsonLines([...subjectPlans, ...ledgerNotes]));
      return exitCodes.good;
    }
    for (const one of subjectPlans) output.out(statusText(one));
    for (const { at, subject, says } of [...ledgerNotes].reverse())
      output.out(`${formatTime(at)}  ${safe(subject)}: ${safe(says)}\n`);
    return exitCodes.good;
  },
};

/**
 * `publish account-key`: changes the key of the ACME account (RFC 8555 §7.3.5). The
 * command is for an exposed key; certificates are not affected.
 */
const accountKey: Subcommand = {
  name: 'account-key',
  summary: 'change the key of the account at the certification authority',
  help: { examples: [`hermetic publish account-key ${CONFIG}`] },
  access: 'write',
  run: changeAccountKey,
};

/** Number of recent actions that `status` shows. */
const MAX_NOTES = 20;

/**
 * Defines `hermetic publish`, which brings domains and mail hosts to the state that the
 * section `publish` of the configuration describes, in steps that are safe for mail.
 *
 * Standard output: plans, outcomes and states, as text or as lines of JSON. Standard
 * error: the log of the run, and problems of the configuration. Exit status: 0, 1 when an
 * action failed, 2 when the configuration or an option cannot be used.
 */
export function definePublish(command: Command, context: CommandContext): void {
  addHelpPage(command, context.output, { examples: [`hermetic publish plan ${CONFIG}`] });
  const add = (entry: Subcommand): Command => {
    const child = command
      .command(entry.name)
      .description(entry.summary)
      .option('--config <file>', 'configuration with a section publish', DEFAULT_CONFIG)
      .action(async (publishFlags: PublishFlags) =>
        context.finish(await open(entry, publishFlags, context)),
      );
    addHelpPage(child, context.output, entry.help);
    return child;
  };
  add(plan).option('--json', 'print each plan as one line of JSON');
  add(apply)
    .option('--json', 'print each round as one line of JSON')
    .option(
      '--confirm <token>',
      'confirm the proposed step of a plan that has this token; repeatable',
      collectValues,
    );
  add(status).option('--json', 'print each plan and action as one line of JSON');
  const roll = command
    .command('roll')
    .description('request a new key of a mail host; the change begins with the next round')
    .argument('<host>', 'MX host of the configuration')
    .option('--config <file>', 'configuration with a section publish', DEFAULT_CONFIG)
    .action(async (hostName: string, publishFlags: PublishFlags) => {
      const run = (of: PublishRun): Promise<number> => requestNewKey(hostName, of);
      context.finish(await open({ access: 'write', run }, publishFlags, context));
    });
  addHelpPage(roll, context.output, {
    examples: [`hermetic publish roll mx1.example.com ${CONFIG}`],
  });
  add(accountKey);
}

/**
 * Opens the state that the configuration names, runs a subcommand on it, and closes it.
 */
async function open(
  { access, run }: Pick<Subcommand, 'access' | 'run'>,
  publishFlags: PublishFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  const server = await import('../../server/index.js');
  const config = readConfig(publishFlags.config, server.parseConfigFiles, output);
  if (!config) return exitCodes.usage;
  const section = server.publishSettings(config);
  if (!section)
    throw new HermeticError('config-invalid', `${publishFlags.config}: no section publish`, {
      fix: 'Add it: docs/publish.md shows the form.',
    });
  // Opening for reading creates nothing, not even tables, so `plan` can run next to the
  // daemon.
  const openContext = access === 'read' ? server.openReadOnlyContext : server.openJobContext;
  const jobContext = await openContext(
    config,
    server.createLog({ format: 'plain', write: output.err, now: Date.now }),
  );
  try {
    const publishing = await server.openPublishing(section, jobContext, { signal });
    return await run({ publishing, flags: publishFlags, output });
  } finally {
    await jobContext.close();
  }
}

/**
 * Records the permission for one proposed step. The token names the step, the subject and
 * its policy, so that a token of an old plan permits no later step.
 */
async function confirm({ ledger }: Publishing, token: string): Promise<void> {
  if (
    !/^(leave-enforce|leave-testing|enforce|begin):[a-z0-9.-]+:[0-9a-zA-Z]{1,8}-[0-9]{1,6}$/.test(
      token,
    )
  )
    throw misuse(
      '--confirm',
      `${token} is not a token of a plan`,
      'Copy the token from the plan that proposes the step.',
    );
  await ledger.confirm(token, Date.now());
}

/**
 * Marks the current keys of a host for replacement. Nothing changes at once: the next
 * round publishes the TLSA record of the new key and uses the key two TTLs later (RFC
 * 7671 §8.1).
 */
async function requestNewKey(
  hostName: string,
  { publishing, output }: PublishRun,
): Promise<number> {
  const { ledger } = publishing;
  const serverKeys = Object.values(ledger.host(hostName).slots).flatMap(({ current }) =>
    current ? [current] : [],
  );
  if (serverKeys.length === 0)
    throw misuse(hostName, 'no key of this host is known', 'Run hermetic publish apply first.');
  for (const { sha256, name } of serverKeys) {
    await ledger.confirm(`leave:${hostName}:${sha256}`, Date.now());
    output.out(`${hostName}: key ${name} will be replaced\n`);
  }
  return exitCodes.good;
}

/** Changes the key of the ACME account. Throws HermeticError when the CA refuses. */
async function changeAccountKey({ publishing, flags, output }: PublishRun): Promise<number> {
  const { changeAccountKey: change } = publishing;
  if (!change)
    throw new HermeticError('config-invalid', `${flags.config}: no publish.acme`, {
      fix: 'Describe the CA there: docs/publish.md shows the form.',
    });
  const changed = await change();
  if (changed.status === 'failed')
    throw new HermeticError(changed.code, changed.detail, {
      fix: 'The account keeps its key; try again later.',
    });
  output.out('the key of the account was changed\n');
  return exitCodes.good;
}

/** Returns the plan of one domain or host, each action with its reason below it. */
function planText(subject: SubjectPlan): string {
  const steps = subject.steps.map(
    ({ action, because }) => `  do    ${describeAction(action)}\n        ${because}`,
  );
  return subjectText(subject, steps);
}

/** Returns a domain or host with its alerts, failures, actions, proposals and waits. */
function subjectText(plan: Omit<SubjectPlan, 'save'>, actions: readonly string[]): string {
  const { subject, place, alerts, failures, proposals, waits, certificates = [] } = plan;
  const isIdle = actions.length + waits.length + proposals.length === 0;
  return [
    `${subject}: ${place}`,
    ...alerts.map(alertText),
    ...failures.map(failureTextOf),
    ...actions,
    ...proposals.map(proposalText),
    ...(isIdle ? ['  nothing to do'] : []),
  ]
    .map(safeLines)
    .concat(
      waits.map(waitText),
      certificates.map((one) => renderCertificate(one, WIDTH)),
    )
    .join('');
}

/** Returns the state of one domain or host, without actions and proposals. */
function statusText(subjectPlan: SubjectPlan): string {
  const { subject, place, alerts, waits, failures, certificates = [] } = subjectPlan;
  return [`${subject}: ${place}`, ...alerts.map(alertText), ...failures.map(failureTextOf)]
    .map(safeLines)
    .concat(
      certificates.map((one) => renderCertificate(one, WIDTH)),
      waits.map(waitText),
    )
    .join('');
}

/**
 * Width of certificate lines, in columns; other lines contain names and records that must
 * not wrap.
 */
const WIDTH = 80;

/**
 * Returns the outcome of an action; for a manual action, the text that the operator must
 * act on.
 */
function outcomeText({ says, because, outcome }: Applied['outcomes'][number]): string {
  const outputLines = [`  ${outcomeWord(outcome)}  ${says}`, `        ${because}`];
  if (outcome.status === 'manual') outputLines.push(indent(outcome.text));
  if (outcome.status === 'failed') outputLines.push(`        ${outcome.detail} (${outcome.code})`);
  return outputLines.join('\n');
}

/** Returns the word at the start of the line; `YOU` marks work for the operator. */
function outcomeWord({ status }: ActionOutcome): string {
  return { done: 'done', manual: 'YOU ', failed: 'FAIL' }[status];
}

/** Returns an alert with its fix. */
function alertText({ code, subject, detail }: Alert): string {
  return `  !     ${subject}: ${sayFailure({ code, detail: detail ?? '' })}\n        ${findFailure(code)?.fix ?? ''}`;
}

/**
 * Returns the last failure of an action, with its cause and the time of the next attempt.
 */
function failureTextOf(failure: SubjectPlan['failures'][number]): string {
  const { says, code, detail, at, retry } = failure;
  const next = retry === undefined ? 'with the next apply' : `not before ${formatTime(retry)}`;
  return [
    `  FAIL  ${says}`,
    `        ${formatTime(at)}: ${sayFailure({ code, detail })}`,
    `        ${findFailure(code)?.fix ?? ''}`,
    `        next attempt ${next}`,
  ].join('\n');
}

/**
 * Returns a step that needs the operator's permission, and the command that grants the
 * permission.
 */
function proposalText({ token, what, why }: Proposal): string {
  return `  ?     ${what}: needs your confirmation, since ${why}\n        hermetic publish apply --confirm ${token}`;
}

/** Returns the reason for a delay, and the end of the delay if it is known. */
function waitText({ why, until }: Wait): string {
  return `  wait  ${safe(why)}${until === undefined ? '' : `, until ${formatTime(until)}`}\n`;
}

function indent(outputText: string): string {
  return outputText
    .split('\n')
    .map((textLine) => `        ${textLine}`)
    .join('\n');
}

/** Neutralises each line: names, replies and details come from other machines. */
function safeLines(outputText: string): string {
  return `${outputText.split('\n').map(safe).join('\n')}\n`;
}

function safe(outputText: string): string {
  return neutralise(outputText, 4000);
}

function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${formatJson(value)}\n`).join('');
}
