import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { isHermeticError, neutralise } from '../base/index.js';
import { commands, type CommandEntry } from './commands.js';
import { exitCodes, exitStatusTexts } from './exit-codes.js';
import { addHelpPage, describeOption } from './help.js';
import { packageVersion } from './version.js';
import { ColorSwitch, complain, type CommandContext, type Output } from './output.js';

/** The forms of `--color` in other programs, as options of this program. */
const colorForms = new Map([
  ['--color=always', ['--color']],
  ['--color=never', ['--no-color']],
  ['--color=auto', []],
]);

/**
 * Runs one command line (without node and script) and resolves to its exit status.
 *
 * Throws only for faults of this program. Errors of usage, input and output are printed
 * as `hermetic: <what>: <why> (<code>)` with a fix, and give status 2.
 */
export async function run(
  args: readonly string[],
  output: Output,
  abortSignal: AbortSignal,
): Promise<number> {
  let code: number = exitCodes.good;
  const shown = new ColorSwitch(output);
  const finish = (status: number): void => {
    code = status;
  };
  const program = await createProgram(args, { output: shown, signal: abortSignal, finish });
  for (const command of withSubcommands(program)) configure(command, shown);
  try {
    const words = args.flatMap((word) => colorForms.get(word) ?? word);
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (abortSignal.aborted) {
      output.err('hermetic: interrupted; unfinished work is not reported (interrupted)\n');
      return exitCodes.interrupted;
    }
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
    if (!isHermeticError(error)) throw error;
    complain(output, error);
    return exitCodes.usage;
  }
}

/**
 * Returns the program with every command. Loads only the command that the arguments name;
 * the others have a name, arguments and a summary.
 */
export async function createProgram(
  args: readonly string[],
  context: CommandContext,
): Promise<Command> {
  const program = new Command('hermetic')
    .description(
      'Keep mail between servers private: check it, enforce TLS, publish policies, read reports',
    )
    .enablePositionalOptions()
    .version(packageVersion(), '-V, --version', 'print the version')
    .usage('<command> [options]')
    .addHelpCommand(
      new Command('help')
        .argument('[command]')
        .description('show the help of a command')
        .helpGroup('Learn:'),
    );
  addHelpPage(program, context.output, {
    note: `Documentation: ${fileURLToPath(new URL('../../../docs', import.meta.url))}`,
    exitStatus: exitStatusTexts,
    examples: [
      'hermetic check example.com',
      'hermetic check --lab good.example',
      'hermetic explain stripping',
      'hermetic help check',
    ],
  });
  const named = commandNamed(args);
  for (const commandEntry of commands) {
    program.commandsGroup(`${commandEntry.group}:`);
    program.addCommand(await createCommand(commandEntry, commandEntry.name === named, context));
  }
  return program;
}

/** Returns the command that the arguments run, or request help for. */
function commandNamed(args: readonly string[]): string | undefined {
  const words = args.filter((word) => !word.startsWith('-'));
  if (words[0] === 'help') return words[1];
  return words[0];
}

/** Creates a command: with all of its options, or only as the entry of a list. */
async function createCommand(
  commandEntry: CommandEntry,
  whole: boolean,
  context: CommandContext,
): Promise<Command> {
  const command = new Command(commandEntry.name).description(commandEntry.summary);
  if (whole) (await commandEntry.load())(command, context);
  else command.usage(commandEntry.usage);
  return command;
}

/** Returns the command and all its subcommands. */
function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Sets the behaviour of all commands: colour, width of the help, errors as text. */
function configure(command: Command, output: ColorSwitch): void {
  const isGrouped = command.options.some((option) => option.helpGroupHeading !== undefined);
  const general = isGrouped ? 'General options:' : 'Options:';
  command
    .addOption(new Option('--color', 'use colour; --no-color: use none').helpGroup(general))
    .addOption(new Option('--no-color').hideHelp())
    .addHelpOption(new Option('-h, --help', 'show this help').helpGroup(general))
    .on('option:color', () => void (output.color = true))
    .on('option:no-color', () => void (output.color = false))
    .exitOverride()
    .configureHelp({
      minWidthToWrap: 16,
      subcommandTerm: (shown) =>
        `${shown.name()} ${shown.usage().replace(/\[(options|command)\] ?/g, '')}`.trimEnd(),
      optionDescription: describeOption,
    })
    .configureOutput({
      writeOut: (text) => output.out(text),
      writeErr: (text) => output.err(text),
      getOutHelpWidth: () => output.width,
      getErrHelpWidth: () => output.width,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(formatUsageError(text, command)),
    });
}

/**
 * Returns the error of commander in the form of all other errors. A missing argument is
 * shown with its description, such as the possible words.
 */
function formatUsageError(text: string, command: Command): string {
  const error = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
  const missing = /^missing required argument '(.*)'$/.exec(error)?.[1];
  const argument = command.registeredArguments.find((one) => one.name() === missing);
  const says = argument ? `${error}: ${argument.description}` : error;
  const path: string[] = [];
  for (let at: Command | null = command; at; at = at.parent) path.unshift(at.name());
  return `hermetic: ${neutralise(says)} (usage)\n  See ${path.join(' ')} --help.\n`;
}
