import type { Command, Option } from 'commander';
import { exitStatusTexts } from '../../src/cli/exit-codes.js';
import { describeOption, helpPage } from '../../src/cli/help.js';

/** Manual pages of section 1 by file name. */
export type ManPages = ReadonlyMap<string, string>;

/**
 * Returns the manual pages: one for the program, and one for each command and subcommand.
 */
export function manPages(program: Command, version: string): ManPages {
  const pages = new Map<string, string>();
  const all = withPaths(program, []);
  for (const { command, path } of all) {
    const others = all.filter((one) => one.path.length === 1 || one.path[0] === path[0]);
    pages.set(
      `${['hermetic', ...path].join('-')}.1`,
      manPage(command, path, {
        version,
        seeAlso: path.length === 0 ? others.slice(1) : [{ path: [] }],
      }),
    );
  }
  return pages;
}

interface Located {
  readonly command: Command;
  readonly path: readonly string[];
}

function withPaths(command: Command, path: readonly string[]): readonly Located[] {
  return [
    { command, path },
    ...command.commands.flatMap((child) =>
      child.name() === 'help' ? [] : withPaths(child, [...path, child.name()]),
    ),
  ];
}

interface PageContext {
  readonly version: string;
  readonly seeAlso: readonly { readonly path: readonly string[] }[];
}

function manPage(
  command: Command,
  path: readonly string[],
  { version, seeAlso }: PageContext,
): string {
  const name = ['hermetic', ...path].join('-');
  const page = helpPage(command);
  const statuses = page?.exitStatus ?? exitStatusTexts;
  const children = command.commands.filter((child) => child.name() !== 'help');
  return [
    `.TH ${name.toUpperCase()} 1 "" "hermetic ${version}" "Hermetic"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(command.description())}`,
    '.SH SYNOPSIS',
    `.B ${roff(['hermetic', ...path].join(' '))}`,
    roff(command.usage()),
    ...section('DESCRIPTION', page?.note === undefined ? [] : [roff(page.note)]),
    ...section(
      'COMMANDS',
      children.flatMap((child) => entry(child.name(), child.description())),
    ),
    ...section('OPTIONS', command.options.filter(isShown).flatMap(option)),
    ...section(
      'EXIT STATUS',
      statuses.flatMap(([status, meaning]) => entry(String(status), meaning)),
    ),
    ...section(
      'EXAMPLES',
      (page?.examples ?? []).flatMap((line) => ['.PP', '.EX', roff(line), '.EE']),
    ),
    ...section('SEE ALSO', [
      seeAlso.map((one) => `.BR ${roff(['hermetic', ...one.path].join('-'))} (1)`).join(',\n'),
    ]),
    '',
  ].join('\n');
}

function isShown({ hidden }: Option): boolean {
  return !hidden;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

function option(one: Option): readonly string[] {
  return entry(one.flags, describeOption(one));
}

function entry(term: string, text: string): readonly string[] {
  return ['.TP', `.B ${roff(term)}`, roff(text)];
}

/** Escapes text for roff: a leading dot or quote would be a request, a dash a hyphen. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}
