import type { Command, Option } from 'commander';
import { wrap } from '../base/index.js';
import type { Output } from './output.js';

/** The parts of a help page below the options. */
export interface HelpPage {
  /** Command lines, each on one line or wrapped so that it can be pasted. */
  readonly examples: readonly string[];
  /** Exit statuses with a special meaning for this command. */
  readonly exitStatus?: readonly (readonly [status: number, meaning: string])[];
  /** A paragraph under the options. */
  readonly note?: string;
}

/** The help pages by command, for the generated reference in docs. */
const pages = new WeakMap<Command, HelpPage>();

/** Returns the help page of a command. */
export function helpPage(command: Command): HelpPage | undefined {
  return pages.get(command);
}

/** Adds examples and exit statuses to the help of a command. */
export function addHelpPage(command: Command, output: Output, page: HelpPage): Command {
  pages.set(command, page);
  return command.addHelpText('after', () => formatPage(page, output.width));
}

/** Returns note, exit statuses and examples as blocks with an empty line in front. */
function formatPage({ examples, exitStatus = [], note }: HelpPage, lineWidth: number): string {
  const heading = examples.length === 1 ? 'Example:' : 'Examples:';
  const blocks = [
    note === undefined ? [] : wrap(note, lineWidth),
    exitStatus.length === 0 ? [] : ['Exit status:', ...exitStatus.flatMap(statusLines(lineWidth))],
    [heading, ...examples.flatMap((textLine) => breakCommand(`  ${textLine}`, lineWidth))],
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `\n${lines.join('\n')}`)
    .join('\n');
}

/** Returns the lines of one exit status, wrapped under its meaning. */
function statusLines(lineWidth: number) {
  return ([status, meaning]: readonly [number, string]): readonly string[] =>
    wrap(meaning, lineWidth, `  ${String(status).padEnd(4)}`, '      ');
}

/**
 * Breaks a command line between words with a backslash, as a shell continues it.
 *
 * A line that fits stays whole.
 */
export function breakCommand(textLine: string, lineWidth: number): readonly string[] {
  if (textLine.length <= lineWidth) return [textLine];
  const outputLines: string[] = [];
  let current = '';
  for (const word of textLine.trimStart().split(' ')) {
    const joined = current === '' ? `  ${word}` : `${current} ${word}`;
    // Two columns are reserved for the space and the backslash.
    if (joined.length <= lineWidth - 2 || current === '') {
      current = joined;
      continue;
    }
    outputLines.push(`${current} \\`);
    current = `      ${word}`;
  }
  return [...outputLines, current];
}

/**
 * Returns the description of an option, with ` (default 25)` for options whose default is
 * not in the description.
 */
export function describeOption(option: Option): string {
  const { description, defaultValueDescription, required } = option;
  const value: unknown = option.defaultValue;
  if (!required || value === undefined) return description;
  return `${description} (default ${defaultValueDescription ?? (value as string)})`;
}
