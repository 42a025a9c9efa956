import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { checkCommand } from './commands/check.js';
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
import { isHermeticError } from '../base/index.js';

/** Runs one command line (without node and script) and resolves to its exit status. */
export async function run(args: readonly string[], output: Output, signal: AbortSignal): Promise<number> {
  let code: number = exitCodes.good;
  const finish = (status: number): void => {
    code = status;
  };
  const program = new Command('hermetic')
    .description('TLS for mail between servers: check it, and see why')
    .version(version(), '--version', 'print the version')
    .addCommand(checkCommand(output, signal, finish))
    .addCommand(gradeCommand(output, finish))
    .addCommand(diffCommand(output, finish))
    .addCommand(explainCommand(output, signal, finish))
    .addCommand(dnssecCommand(output, signal, finish))
    .addCommand(policyCommand(output, signal, finish))
    .addCommand(sendCommand(output, signal, finish))
    .addCommand(serveCommand(output, signal, finish))
    .addCommand(reportCommand(output, signal, finish))
    .addCommand(publishCommand(output, signal, finish))
    .addCommand(recordsCommand(output, signal, finish))
    .addCommand(tlsaCommand(output, finish))
    .addCommand(labCommand(output, signal, finish));
  for (const command of [program, ...program.commands, ...program.commands.flatMap((c) => c.commands)]) {
    command.exitOverride().configureOutput({
      writeOut: output.out,
      writeErr: output.err,
      outputError: (text, write) =>
        write(
          `hermetic: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' ')} (usage)\n  See hermetic --help.\n`,
        ),
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
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
    if (!isHermeticError(error)) throw error;
    complain(output, error);
    return exitCodes.usage;
  }
}

function version(): string {
  const { version: own } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  return own;
}
