import type { Command } from 'commander';
import { liveWork, type LiveWork, type WorkerOptions } from '../../scan/index.js';
import type { Lab } from '../../lab/index.js';
import { profileNamed, readCheckFlags, type CheckFlags } from './check-options.js';
import { withPeers, readPeerFlags } from './peer-options.js';
import { withResolver } from './resolver-options.js';
import { labOptions } from '../lab.js';
import { present, readNumber } from '../options.js';

/** The options of a command that runs a worker. */
export interface WorkerFlags extends CheckFlags {
  readonly spacing: string;
  readonly budget: string;
  readonly rate: string;
  readonly inFlight: string;
  readonly maxRests: string;
  readonly policyBudget: string;
  readonly policySpacing: string;
}

/** Adds the options of observations and of politeness to a command. */
export function withWorker(command: Command): Command {
  return withPeers(withResolver(command), '15')
    .optionsGroup('Politeness:')
    .option('--spacing <seconds>', 'wait between connections to an address', '5')
    .option('--budget <n>', 'open at most n connections to an address in a day', '60')
    .option('--rate <n>', 'open at most n connections in a second', '100')
    .option('--in-flight <n>', 'visit at most n addresses at the same time', '1000')
    .option(
      '--max-rests <n>',
      'skip an address after n pauses (of 15 minutes, then 1, 6 and 24 hours)',
      '1',
    )
    .option(
      '--policy-spacing <seconds>',
      'wait between two policy fetches from one address',
      '0.05',
    )
    .option('--policy-budget <n>', 'fetch at most n policies from an address in a day', '10000')
    .optionsGroup('Grading:')
    .option('--profile <name>', 'grade by this profile, or a .json file', 'baseline');
}

/** Reads the options of a worker. Throws HermeticError for each invalid flag. */
export function readWorker(
  flags: WorkerFlags,
  lab: Lab | undefined,
): { readonly work: LiveWork; readonly rules: NonNullable<WorkerOptions['rules']> } {
  const integer = (option: string, text: string, most: number, least = 1): number =>
    readNumber(option, text, { least, most });
  const pause = (option: string, text: string): number =>
    1000 * readNumber(option, text, { least: 0, most: 600, fractions: true });
  const { timeoutMs } = readPeerFlags(flags);
  const { budget: _, spacing: __, ...checking } = flags;
  const settings = readCheckFlags({ ...checking, depth: 'triage' });
  return {
    work: liveWork({
      ...settings,
      ...(lab && labOptions(lab)),
      profile: profileNamed(flags.profile),
      maxRests: integer('--max-rests', flags.maxRests, 4, 0),
    }),
    rules: present({
      spacingMs: pause('--spacing', flags.spacing),
      webSpacingMs: pause('--policy-spacing', flags.policySpacing),
      webDailyBudget: integer('--policy-budget', flags.policyBudget, 1_000_000),
      dailyBudget: integer('--budget', flags.budget, 10_000),
      connectionsPerSecond: integer('--rate', flags.rate, 10_000),
      maxInFlight: integer('--in-flight', flags.inFlight, 20_000),
      // Greeting, EHLO, STARTTLS, handshake, EHLO and QUIT: each has its own time limit.
      visitMs: Math.max(60_000, 6 * timeoutMs),
    }),
  };
}
