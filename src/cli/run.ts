import { readFileSync } from 'node:fs';
import { Command, CommanderError, type Option } from 'commander';
import { checkCommand } from './commands/check.js';
import { configCommand } from './commands/config.js';
import { diffCommand } from './commands/diff.js';
import { dnssecCommand } from './commands/dnssec.js';
import { explainCommand } from './commands/explain.js';
import { gradeCommand } from './commands/grade.js';
import { labCommand } from './commands/lab.js';
import { publishCommand } from './commands/publish.js';
import { policyCommand } from './commands/policy.js';
import { recordsCommand } from './commands/records.js';
import { sendCommand } from './commands/send.js';
import { serveCommand } from './commands/serve.js';
import { reportCommand } from './commands/report.js';
import { tlsaCommand } from './commands/tlsa.js';
import { exitCodes } from './exit-codes.js';
import { complain, type Output } from './output.js';
import { isHermeticError, neutralise } from '../base/index.js';

/** Runs one command line (without node and script) and resolves to its exit status. */
export async function run(
  args: readonly string[],
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  let code: number = exitCodes.good;
  const finish = (status: number): void => {
    code = status;
  };
  const program = new Command('hermetic')
    .description(
      'Mail between servers under TLS: check it, enforce it, publish what others need, read what they report',
    )
    .enablePositionalOptions()
    .version(version(), '--version', 'print the version')
    .usage('<command> [options]')
    .commandsGroup('Check')
    .addCommand(checkCommand(output, signal, finish))
    .addCommand(gradeCommand(output, finish))
    .addCommand(diffCommand(output, finish))
    .addCommand(dnssecCommand(output, signal, finish))
    .commandsGroup('Send')
    .addCommand(policyCommand(output, signal, finish))
    .addCommand(sendCommand(output, signal, finish))
    .commandsGroup('Publish')
    .addCommand(recordsCommand(output, signal, finish))
    .addCommand(tlsaCommand(output, finish))
    .addCommand(configCommand(output, finish))
    .addCommand(publishCommand(output, signal, finish))
    .commandsGroup('Report')
    .addCommand(reportCommand(output, signal, finish))
    .commandsGroup('Run')
    .addCommand(serveCommand(output, signal, finish))
    .commandsGroup('Learn')
    .addCommand(explainCommand(output, signal, finish))
    .addCommand(labCommand(output, signal, finish))
    .helpCommand(true)
    .addHelpText(
      'after',
      '\nExample:\n  hermetic check example.com\n  hermetic explain stripping\n  hermetic help check',
    );
  for (const command of withAllBelow(program)) {
    command
      .exitOverride()
      .configureHelp({
        subcommandTerm: (c) =>
          `${c.name()} ${c.usage().replace(/\[(options|command)\] ?/g, '')}`.trimEnd(),
        optionDescription: described,
      })
      .configureOutput({
        writeOut: output.out,
        writeErr: output.err,
        outputError: (text, write) => write(usageError(text, command)),
      });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (signal.aborted) {
      output.err('hermetic: interrupted: nothing is said of what was not finished (interrupted)\n');
      return exitCodes.interrupted;
    }
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
    if (!isHermeticError(error)) throw error;
    complain(output, error);
    return exitCodes.usage;
  }
}

function withAllBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)];
}

function described({ description, defaultValue, required }: Option): string {
  return `${description}${required && defaultValue !== undefined ? ` (default ${String(defaultValue)})` : ''}`;
}

function usageError(text: string, command: Command): string {
  const says = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
  const path: string[] = [];
  for (let at: Command | null = command; at; at = at.parent) path.unshift(at.name());
  return `hermetic: ${neutralise(says)} (usage)\n  See ${path.join(' ')} --help.\n`;
}

function version(): string {
  const { version: own } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  return own;
}
