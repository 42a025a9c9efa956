import type { Command, Option } from 'commander';

/** An incomplete command line, and the words that may follow it. */
interface Words {
  /** The command path: empty for the program itself, otherwise as in `publish plan`. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly text: string }[];
  readonly options: readonly { readonly name: string; readonly text: string }[];
}

/** Returns completion scripts by shell, generated from the commands. */
export function completions(program: Command): Readonly<Record<'bash' | 'zsh' | 'fish', string>> {
  const all = collectWords(program, '');
  return { bash: bash(all), zsh: zsh(all), fish: fish(all) };
}

function collectWords(command: Command, path: string): readonly Words[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  return [
    {
      path,
      commands: children.map((child) => ({ name: child.name(), text: child.description() })),
      options: command.options.flatMap(longOption),
    },
    ...children.flatMap((child) => collectWords(child, `${path} ${child.name()}`.trim())),
  ];
}

function longOption({ long, hidden, description }: Option): Words['options'] {
  return long === undefined || long === null || hidden ? [] : [{ name: long, text: description }];
}

const GENERATED = '# Made from the commands by `npm run package`.';

function wordsOf({ commands, options }: Words): string {
  return [...commands, ...options].map(({ name }) => name).join(' ');
}

function bash(all: readonly Words[]): string {
  return `${GENERATED}
_hermetic() {
  local word path='' next
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${all.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`])).join('|')}) path=$next ;;
    esac
  done
  case "$path" in
${all.map((words) => `    '${words.path}') word='${wordsOf(words)}' ;;`).join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$word" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _hermetic hermetic
`;
}

function zsh(all: readonly Words[]): string {
  const described = ({ commands, options }: Words): string =>
    [...commands, ...options].map(({ name, text }) => quote(`${name}:${text}`)).join(' ');
  return `#compdef hermetic
${GENERATED}
local word at='' next
local -a candidates
for word in \${words[2,CURRENT-1]}; do
  next="\${at:+$at }$word"
  case "$next" in
    ${all.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`])).join('|')}) at=$next ;;
  esac
done
case "$at" in
${all.map((words) => `  '${words.path}') candidates=(${described(words)}) ;;`).join('\n')}
esac
_describe hermetic candidates
_files
`;
}

function fish(all: readonly Words[]): string {
  const lines = all.flatMap(({ path, commands, options }) => {
    const condition = `-n '__hermetic_at "${path}"'`;
    return [
      ...commands.map(
        ({ name, text }) => `complete -c hermetic ${condition} -a ${name} -d ${quote(text)}`,
      ),
      ...options.map(
        ({ name, text }) =>
          `complete -c hermetic ${condition} -l ${name.slice(2)} -d ${quote(text)}`,
      ),
    ];
  });
  const paths = all.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`])).join(' ');
  return `${GENERATED}
function __hermetic_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$at $word")
    contains -- "$next" ${paths}; and set at $next
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

/**
 * Returns a word of the shell; fish, bash and zsh read it alike without a backslash or
 * quote.
 */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\$`]/g, '')}"`;
}
