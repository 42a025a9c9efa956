import { Command } from 'commander';
import { HermeticError, neutralise } from '../../base/index.js';
import {
  describe,
  type Alert,
  type Applied,
  type HostCertificate,
  type ActionOutcome,
  type Proposal,
  type SubjectPlan,
  type Wait,
} from '../../publish/index.js';
import type { Publishing } from '../../server/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { DEFAULT_CONFIG, readConfig } from '../read-config.js';
import { failureEntry, sayFailure } from '../say-failure.js';
import { sayCertificate } from '../say-certificate.js';
import { formatJson } from '../format-json.js';
import { misuse } from './resolver-options.js';

const WIDTH = 80;

interface Flags {
  readonly config: string;
  readonly json?: boolean;
  readonly confirm?: readonly string[];
}

/**
 * `hermetic publish`: brings domains and mail hosts to what the section `publish` of the
 * configuration wants, step by safe step.
 */
export function publishCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  const command = new Command('publish')
    .description('publish MTA-STS and TLSA records in the order that never holds mail back')
    .addHelpText('after', '\nExample:\n  hermetic publish plan --config /etc/hermetic.yaml');
  const add = (
    name: string,
    says: string,
    run: (publishing: Publishing, flags: Flags) => Promise<number>,
    opening: Opening = 'read',
  ): Command =>
    command
      .command(name)
      .description(says)
      .option('--config <file>', 'configuration with a section publish', DEFAULT_CONFIG)
      .option('--json', 'for machines')
      .action(async (flags: Flags) =>
        finish(
          await withPublishing({ flags, output, signal, opening }, (publishing) =>
            run(publishing, flags),
          ),
        ),
      );
  add(
    'plan',
    'say what would be done, why it is safe now, and what is waited for',
    async (publishing, flags) => {
      const plans = await publishing.plan();
      output.out(
        flags.json
          ? lines(plans)
          : plans
              .map((plan) =>
                shown(
                  plan,
                  plan.steps.map(
                    ({ action, because }) => `  do    ${describe(action)}\n        ${because}`,
                  ),
                ),
              )
              .join('\n'),
      );
      return exitCodes.good;
    },
  ).addHelpText('after', '\nExample:\n  hermetic publish plan --config /etc/hermetic.yaml');
  add(
    'apply',
    'do it: one round',
    async (publishing, flags) => {
      for (const token of flags.confirm ?? []) confirm(publishing, token);
      const rounds = await publishing.apply();
      output.out(
        flags.json
          ? lines(rounds)
          : rounds.map((round) => shown(round, round.outcomes.map(outcome))).join('\n'),
      );
      return rounds.some(({ outcomes }) => outcomes.some((o) => o.outcome.status === 'failed'))
        ? exitCodes.fail
        : exitCodes.good;
    },
    'write',
  )
    .option(
      '--confirm <token>',
      'allow what a plan proposes; repeatable',
      (value: string, all: string[] = []) => [...all, value],
    )
    .addHelpText('after', '\nExample:\n  hermetic publish apply --config /etc/hermetic.yaml');
  add(
    'status',
    'where each domain and host stands, and what was done last',
    async (publishing, flags) => {
      const plans = await publishing.plan();
      const notes = publishing.ledger.notes(20);
      if (flags.json) output.out(lines([...plans, ...notes]));
      else {
        for (const { subject, place, alerts, waits, failures, certificates = [] } of plans)
          output.out(
            [`${subject}: ${place}`, ...alerts.map(alerting), ...failures.map(failed)]
              .map(safeLines)
              .concat(certificates.map(certificate), waits.map(waiting))
              .join(''),
          );
        for (const { at, subject, says } of [...notes].reverse())
          output.out(`${time(at)}  ${safe(subject)}: ${safe(says)}\n`);
      }
      return exitCodes.good;
    },
  ).addHelpText('after', '\nExample:\n  hermetic publish status --config /etc/hermetic.yaml');
  command
    .command('roll')
    .description('ask for a new key of a mail host; the change begins with the next round')
    .argument('<host>', 'MX host of the configuration')
    .option('--config <file>', 'configuration with a section publish', DEFAULT_CONFIG)
    .addHelpText(
      'after',
      '\nExample:\n  hermetic publish roll mx1.example.com --config /etc/hermetic.yaml',
    )
    .action(async (host: string, flags: Flags) =>
      finish(
        await withPublishing({ flags, output, signal, opening: 'write' }, async (publishing) =>
          roll(host, publishing, output),
        ),
      ),
    );
  command
    .command('account-key')
    .description('give the account at the certification authority another key')
    .option('--config <file>', 'configuration with a section publish', DEFAULT_CONFIG)
    .addHelpText('after', '\nExample:\n  hermetic publish account-key --config /etc/hermetic.yaml')
    .action(async (flags: Flags) =>
      finish(
        await withPublishing({ flags, output, signal, opening: 'write' }, (publishing) =>
          changeAccountKey(publishing, flags, output),
        ),
      ),
    );
  return command;
}

/** `read`: nothing is written, so that any user who can read the state can look at it. */
type Opening = 'read' | 'write';

interface Run {
  readonly flags: Flags;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly opening: Opening;
}

async function withPublishing(
  { flags, output, signal, opening }: Run,
  run: (publishing: Publishing) => Promise<number>,
): Promise<number> {
  const server = await import('../../server/index.js');
  const config = readConfig(flags.config, server.parseConfig, output);
  if (!config) return exitCodes.usage;
  const section = server.publishSettings(config);
  if (!section)
    throw new HermeticError('config-invalid', `${flags.config}: no section publish`, {
      fix: 'Add it; docs/publish.md shows the form.',
    });
  const open = opening === 'read' ? server.openHouseToRead : server.openHouse;
  const house = await open(
    config,
    server.createLog({ format: 'plain', write: output.err, now: Date.now }),
  );
  try {
    return await run(server.openPublishing(section, house, { signal }));
  } finally {
    await house.close();
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
      `${token} is no token of a plan`,
      'Copy the token from the plan that proposes the step.',
    );
  ledger.confirm(token, Date.now());
}

function roll(host: string, { ledger }: Publishing, output: Output): number {
  const keys = Object.values(ledger.host(host).slots).flatMap(({ current }) =>
    current ? [current] : [],
  );
  if (keys.length === 0)
    throw misuse(
      host,
      'no key of it is in use as far as is known',
      'Run hermetic publish apply first.',
    );
  for (const { sha256, name } of keys) {
    ledger.confirm(`leave:${host}:${sha256}`, Date.now());
    output.out(`${host}: ${name} is to be left\n`);
  }
  return exitCodes.good;
}

async function changeAccountKey(
  { changeAccountKey: change }: Publishing,
  { config }: Flags,
  output: Output,
): Promise<number> {
  if (!change)
    throw new HermeticError('config-invalid', `${config}: no publish.acme`, {
      fix: 'Describe the CA there; docs/publish.md shows the form.',
    });
  const changed = await change();
  if (changed.status === 'failed')
    throw new HermeticError(changed.code, changed.detail, {
      fix: 'The account goes on with the key it has; try again later.',
    });
  output.out('the account has another key\n');
  return exitCodes.good;
}

function shown(plan: Omit<SubjectPlan, 'save'>, done: readonly string[]): string {
  return [
    `${plan.subject}: ${plan.place}`,
    ...plan.alerts.map(alerting),
    ...plan.failures.map(failed),
    ...done,
    ...plan.proposals.map(proposing),
    ...(done.length + plan.waits.length + plan.proposals.length === 0 ? ['  nothing to do'] : []),
  ]
    .map(safeLines)
    .concat(plan.waits.map(waiting), (plan.certificates ?? []).map(certificate))
    .join('');
}

function outcome({ says, because, outcome: result }: Applied['outcomes'][number]): string {
  return `  ${word(result)}  ${says}\n        ${because}${result.status === 'manual' ? `\n${indent(result.text)}` : ''}${result.status === 'failed' ? `\n        ${result.detail} (${result.code})` : ''}`;
}

function word({ status }: ActionOutcome): string {
  return { done: 'done', manual: 'YOU ', failed: 'FAIL' }[status];
}

function alerting({ code, subject, detail }: Alert): string {
  return `  !     ${subject}: ${sayFailure({ code, detail: detail ?? '' })}\n        ${failureEntry(code)?.fix ?? ''}`;
}

/** The last failure of an action, with its cause and the time of the next attempt. */
function failed({ says, code, detail, at, retry }: SubjectPlan['failures'][number]): string {
  const next = retry === undefined ? 'by the next apply' : `not before ${time(retry)}`;
  return `  FAIL  ${says}\n        ${time(at)}: ${sayFailure({ code, detail })}\n        ${failureEntry(code)?.fix ?? ''}\n        tried again ${next}`;
}

function proposing({ token, what, why }: Proposal): string {
  return `  ?     ${what}: only with your word, since ${why}\n        hermetic publish apply --confirm ${token}`;
}

function certificate(certificate: HostCertificate): string {
  return sayCertificate(certificate, WIDTH);
}

function waiting({ why, until }: Wait): string {
  return `  wait  ${safe(why)}${until === undefined ? '' : `, until ${time(until)}`}\n`;
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
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

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${formatJson(value)}\n`).join('');
}
