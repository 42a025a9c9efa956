import { hidden, isHermeticError, neutralise, wrap } from '../base/index.js';

/** The streams of a command line and their targets; tests supply their own. */
export interface Output {
  /** Writes results to standard output. */
  out(outputText: string): void;
  /** Writes errors, warnings and progress to standard error. */
  err(outputText: string): void;
  /**
   * The reader of standard output has closed the stream, as `| head` does: printing may
   * stop.
   */
  readonly gone?: boolean;
  /** Columns of the terminal; 80 without a terminal. */
  readonly width: number;
  /**
   * Columns for messages: the width of the terminal, else `COLUMNS`. Undefined without
   * both: a program gets each message in one line.
   */
  readonly messageWidth?: number | undefined;
  /** Write colour. */
  readonly color: boolean;
  /** Standard error is a terminal. */
  readonly interactive: boolean;
}

/** The inputs of a command from the process. */
export interface CommandContext {
  readonly output: Output;
  /** The signal that the first ctrl-C aborts. */
  readonly signal: AbortSignal;
  /** Sets the exit status. */
  finish(status: number): void;
}

/**
 * Returns the streams of this process.
 *
 * After EPIPE, `gone` is true and further writes are lost.
 */
export function processOutput(): Output {
  const { stdout, stderr } = process;
  let gone = false;
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => (gone ||= code === 'EPIPE'));
  const isUtf8 = hasUtf8(process.env);
  // Output to a file or a program is UTF-8 in every locale.
  const shown = (isTTY: boolean, outputText: string): string =>
    isTTY && !isUtf8 ? toAscii(outputText) : outputText;
  const messageWidth = (): number | undefined => columnsOf(stderr, process.env);
  return {
    out: (outputText) => void stdout.write(shown(stdout.isTTY, outputText)),
    err: (outputText) =>
      void stderr.write(shown(stderr.isTTY, fitMessage(outputText, messageWidth()))),
    get messageWidth() {
      return messageWidth();
    },
    get gone() {
      return gone;
    },
    get width() {
      return terminalWidth(stdout, process.env);
    },
    color: wantsColor(stdout, process.env),
    interactive: stderr.isTTY,
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns whether the locale of the terminal is UTF-8: `LC_ALL`, else `LC_CTYPE`, else
 * `LANG` names its character set. Without any of them UTF-8 is assumed.
 */
export function hasUtf8({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((name) => name !== undefined && name !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

/**
 * Replaces each character outside US-ASCII with one US-ASCII character, so that columns
 * stay aligned.
 */
export function toAscii(outputText: string): string {
  return outputText.replaceAll('§', 's').replace(/\P{ASCII}/gu, '?');
}

/** A stream that may be a terminal. */
interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * Returns the width of the terminal in columns, else the value of `COLUMNS`, else 80; at
 * least 40.
 */
export function terminalWidth(stdout: Terminal, env: Environment): number {
  return columnsOf(stdout, env) ?? 80;
}

function columnsOf(stream: Terminal, { COLUMNS = '' }: Environment): number | undefined {
  // A pseudo-terminal without a size reports 0 columns.
  const columns = (stream.isTTY && stream.columns) || (/^\d{1,4}$/.test(COLUMNS) && +COLUMNS);
  if (columns) return Math.max(40, columns);
  return stream.isTTY ? 80 : undefined;
}

/**
 * Wraps each line of a message that is longer than `width`. Continuation lines of a line
 * without indentation get four columns, because the fix below has two.
 */
export function fitMessage(outputText: string, width: number | undefined): string {
  if (width === undefined) return outputText;
  return outputText
    .split('\n')
    .flatMap((line) => {
      // Progress is redrawn in place by control characters.
      if (line.length <= width || line.includes('\x1b')) return line;
      const [indent = ''] = /^ */.exec(line) ?? [];
      return wrap(line.slice(indent.length), width, indent, indent || '    ');
    })
    .join('\n');
}

/**
 * Returns whether to write colour: `NO_COLOR` (not empty) forbids it, `FORCE_COLOR` (not
 * empty and not 0) enables it, else a terminal that is not `dumb` gets it.
 */
export function wantsColor(stdout: { readonly isTTY?: boolean }, env: Environment): boolean {
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return Boolean(stdout.isTTY) && env['TERM'] !== 'dumb';
}

/**
 * An output whose colour the options `--color` and `--no-color` switch.
 *
 * The help of a command is built before its options are read, so the colour must be
 * changeable afterwards.
 */
export class ColorSwitch implements Output {
  readonly #target: Output;
  color: boolean;
  // Functions and not methods: logs pass the functions on without their object.
  readonly out: (outputText: string) => void;
  readonly err: (outputText: string) => void;

  constructor(target: Output) {
    this.#target = target;
    this.color = target.color;
    this.out = (outputText) => target.out(outputText);
    this.err = (outputText) => target.err(outputText);
  }

  get gone(): boolean {
    return this.#target.gone ?? false;
  }

  get width(): number {
    return this.#target.width;
  }

  get messageWidth(): number | undefined {
    return this.#target.messageWidth;
  }

  get interactive(): boolean {
    return this.#target.interactive;
  }
}

/**
 * Prints `hermetic: <what>: <why> (<code>)` and the fix; throws any other error.
 *
 * Both texts may contain names from the network, so both are neutralised.
 */
export function complain(output: Output, error: unknown): void {
  if (!isHermeticError(error)) throw error;
  output.err(`hermetic: ${neutralise(error.message, 400)} (${error.code})\n`);
  if (error.fix) output.err(`  ${neutralise(error.fix)}\n`);
}

/**
 * Formats a value as JSON that is equivalent to the output of `JSON.stringify`, but
 * cannot control a terminal: C1 and bidi controls of foreign text, which `JSON.stringify`
 * leaves as they are, become escapes.
 */
export function formatJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(hidden, (character) =>
    character < '\x7f' ? character : escaped(character),
  );
}

/** Returns a text as JSON escapes, one for each UTF-16 unit (RFC 8259 §7). */
function escaped(outputText: string): string {
  return outputText
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
