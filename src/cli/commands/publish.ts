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

interface PublishFlags {
  readonly config: string;
  readonly json?: boolean;
  readonly confirm?: readonly string[];
}

/** One run of a subcommand: what it works on, and how it was called. */
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
  readonly run: (run: PublishRun) => Promise<number>;
}

/** With `read` nothing is written: any user who can read the state may run the command. */
type Access = 'read' | 'write';

const CONFIG = '--config /etc/hermetic/hermetic.yaml';

const plan: Subcommand = {
  name: 'plan',
  summary: 'show the next actions, why they are safe now, and what the others wait for',
  help: { examples: [`hermetic publish plan ${CONFIG}`] },
  access: 'read',
  async run({ publishing, flags, output }) {
    const plans = await publishing.plan();
    output.out(flags.json ? jsonLines(plans) : plans.map(planText).join('\n'));
    return exitCodes.good;
  },
};

const apply: Subcommand = {
  name: 'apply',
  summary: 'execute the next actions: one round',
  help: {
    exitStatus: [
      [exitCodes.good, 'every action succeeded'],
      [exitCodes.fail, 'an action failed'],
      [exitCodes.usage, 'the configuration cannot be used'],
    ],
    examples: [`hermetic publish apply ${CONFIG}`],
  },
  access: 'write',
  async run({ publishing, flags, output }) {
    for (const token of flags.confirm ?? []) confirm(publishing, token);
    const rounds = await publishing.apply();
    output.out(
      flags.json
        ? jsonLines(rounds)
        : rounds.map((round) => subjectText(round, round.outcomes.map(outcomeText))).join('\n'),
    );
    const hasFailed = rounds.some(({ outcomes }) =>
      outcomes.some((o) => o.outcome.status === 'failed'),
    );
    return hasFailed ? exitCodes.fail : exitCodes.good;
  },
};

const status: Subcommand = {
  name: 'status',
  summary: 'show the state of each domain and host, and the last actions',
  help: { examples: [`hermetic publish status ${CONFIG}`] },
  access: 'read',
  async run({ publishing, flags, output }) {
    const plans = await publishing.plan();
    const notes = publishing.ledger.notes(MAX_NOTES);
    if (flags.json) {
      output.out(jsonLines([...plans, ...notes]));
      return exitCodes.good;
    }
    for (const one of plans) output.out(statusText(one));
    for (const { at, subject, says } of [...notes].reverse())
      output.out(`${formatTime(at)}  ${safe(subject)}: ${safe(says)}\n`);
    return exitCodes.good;
  },
};

const accountKey: Subcommand = {
  name: 'account-key',
  summary: 'change the key of the account at the certification authority',
  help: { examples: [`hermetic publish account-key ${CONFIG}`] },
  access: 'write',
  run: changeAccountKey,
};

/** The last actions that `status` shows. */
const MAX_NOTES = 20;

/**
 * `hermetic publish`: brings domains and mail hosts to the state that the section `publish`
 * of the configuration describes, in steps that are safe for mail.
 */
export function definePublish(command: Command, context: CommandContext): void {
  addHelpPage(command, context.output, { examples: [`hermetic publish plan ${CONFIG}`] });
  const add = (entry: Subcommand): Command => {
    const child = command
      .command(entry.name)
      .description(entry.summary)
      .option('--config <file>', 'configuration with a section publish', DEFAULT_CONFIG)
      .action(async (flags: PublishFlags) => context.finish(await open(entry, flags, context)));
    addHelpPage(child, context.output, entry.help);
    return child;
  };
  add(plan).option('--json', 'print each plan as one line of JSON');
  add(apply)
    .option('--json', 'print each round as one line of JSON')
    .option('--confirm <token>', 'allow what a plan proposes; repeatable', collectValues);
  add(status).option('--json', 'print each plan and action as one line of JSON');
  const roll = command
    .command('roll')
    .description('request a new key of a mail host; the change begins with the next round')
    .argument('<host>', 'MX host of the configuration')
    .option('--config <file>', 'configuration with a section publish', DEFAULT_CONFIG)
    .action(async (host: string, flags: PublishFlags) => {
      const run = async (of: PublishRun): Promise<number> => requestNewKey(host, of);
      context.finish(await open({ access: 'write', run }, flags, context));
    });
  addHelpPage(roll, context.output, {
    examples: [`hermetic publish roll mx1.example.com ${CONFIG}`],
  });
  add(accountKey);
}

/** Opens the state that the configuration names, runs a subcommand on it, and closes it. */
async function open(
  { access, run }: Pick<Subcommand, 'access' | 'run'>,
  flags: PublishFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  const server = await import('../../server/index.js');
  const config = readConfig(flags.config, server.parseConfigFiles, output);
  if (!config) return exitCodes.usage;
  const section = server.publishSettings(config);
  if (!section)
    throw new HermeticError('config-invalid', `${flags.config}: no section publish`, {
      fix: 'Add it: docs/publish.md shows the form.',
    });
  const openContext = access === 'read' ? server.openHouseToRead : server.openHouse;
  const jobContext = await openContext(
    config,
    server.createLog({ format: 'plain', write: output.err, now: Date.now }),
  );
  try {
    const publishing = server.openPublishing(section, jobContext, { signal });
    return await run({ publishing, flags, output });
  } finally {
    await jobContext.close();
  }
}

function confirm({ ledger }: Publishing, token: string): void {
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
  ledger.confirm(token, Date.now());
}

function requestNewKey(host: string, { publishing, output }: PublishRun): number {
  const { ledger } = publishing;
  const keys = Object.values(ledger.host(host).slots).flatMap(({ current }) =>
    current ? [current] : [],
  );
  if (keys.length === 0)
    throw misuse(host, 'no key of this host is known', 'Run hermetic publish apply first.');
  for (const { sha256, name } of keys) {
    ledger.confirm(`leave:${host}:${sha256}`, Date.now());
    output.out(`${host}: key ${name} will be replaced\n`);
  }
  return exitCodes.good;
}

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

function planText(subject: SubjectPlan): string {
  const steps = subject.steps.map(
    ({ action, because }) => `  do    ${describeAction(action)}\n        ${because}`,
  );
  return subjectText(subject, steps);
}

/** A domain or host with its alerts, failures, actions, proposals and waits. */
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

function statusText(plan: SubjectPlan): string {
  const { subject, place, alerts, waits, failures, certificates = [] } = plan;
  return [`${subject}: ${place}`, ...alerts.map(alertText), ...failures.map(failureTextOf)]
    .map(safeLines)
    .concat(
      certificates.map((one) => renderCertificate(one, WIDTH)),
      waits.map(waitText),
    )
    .join('');
}

/** Columns of certificates; the other lines hold names and records that must not break. */
const WIDTH = 80;

function outcomeText({ says, because, outcome }: Applied['outcomes'][number]): string {
  const lines = [`  ${outcomeWord(outcome)}  ${says}`, `        ${because}`];
  if (outcome.status === 'manual') lines.push(indent(outcome.text));
  if (outcome.status === 'failed') lines.push(`        ${outcome.detail} (${outcome.code})`);
  return lines.join('\n');
}

function outcomeWord({ status }: ActionOutcome): string {
  return { done: 'done', manual: 'YOU ', failed: 'FAIL' }[status];
}

function alertText({ code, subject, detail }: Alert): string {
  return `  !     ${subject}: ${sayFailure({ code, detail: detail ?? '' })}\n        ${findFailure(code)?.fix ?? ''}`;
}

/** The last failure of an action, with its cause and the time of the next attempt. */
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

function proposalText({ token, what, why }: Proposal): string {
  return `  ?     ${what}: needs your confirmation, since ${why}\n        hermetic publish apply --confirm ${token}`;
}

function waitText({ why, until }: Wait): string {
  return `  wait  ${safe(why)}${until === undefined ? '' : `, until ${formatTime(until)}`}\n`;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `        ${line}`)
    .join('\n');
}

function safeLines(text: string): string {
  return `${text.split('\n').map(safe).join('\n')}\n`;
}

function safe(text: string): string {
  return neutralise(text, 4000);
}

function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${formatJson(value)}\n`).join('');
}
