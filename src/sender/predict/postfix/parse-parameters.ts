import { enclosed, splitOutsideBraces } from './braces.js';

/** One parameter as `postconf` prints it or `main.cf` sets it. */
export interface PostfixParameter {
  readonly name: string;
  /** Without expansion of `$name`; a value of several lines is joined by spaces. */
  readonly value: string;
}

/** The parameters of an input, and the lines that are not parameters. */
export interface ParsedParameters {
  /** The last line of a name applies, as in Postfix. */
  readonly parameters: ReadonlyMap<string, string>;
  /**
   * Parameters of one service, from `postconf -P` (`smtp/unix/smtp_tls_loglevel = 1`) or
   * the options `-o` of `postconf -M`.
   */
  readonly services: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The program of each service, from `postconf -M` or master.cf. */
  readonly programs: ReadonlyMap<string, string>;
  /** The first lines that could not be read, each cut to 80 characters. */
  readonly unread: readonly string[];
}

/** Maximum number of unreadable lines in the result. */
const MAX_UNREAD = 5;
const MAX_LINE_SHOWN = 80;

/**
 * Parses `postconf -n`, `postconf -P` and `main.cf` (postconf(5), "General format"). A
 * line that starts with white space continues the line before; comments and empty lines
 * in between do not end that line. Pure; works in time linear in the input.
 */
export function parseParameters(text: string): ParsedParameters {
  const parameters = new Map<string, string>();
  const services = new Map<string, Map<string, string>>();
  const programs = new Map<string, string>();
  const unread: string[] = [];
  for (const line of logicalLines(text)) {
    const entry = parseService(line);
    if (entry !== undefined) {
      programs.set(entry.service, entry.program);
      const own = servicesOf(services, entry.service);
      for (const { name, value } of entry.options) own.set(name, value);
      continue;
    }
    const parsed = parseLine(line);
    if (parsed === undefined) {
      if (unread.length < MAX_UNREAD) unread.push(line.slice(0, MAX_LINE_SHOWN));
      continue;
    }
    const [, service, name] = /^([^/]+\/[^/]+)\/([^/]+)$/.exec(parsed.name) ?? [];
    if (service === undefined || name === undefined) parameters.set(parsed.name, parsed.value);
    else servicesOf(services, service).set(name, parsed.value);
  }
  return { parameters, services, programs, unread };
}

function servicesOf(
  services: Map<string, Map<string, string>>,
  service: string,
): Map<string, string> {
  const parameters = services.get(service) ?? new Map<string, string>();
  services.set(service, parameters);
  return parameters;
}

/**
 * Returns a service of master.cf (master(5)): eight fields, then arguments of its
 * program.
 */
function parseService(
  line: string,
): { service: string; program: string; options: readonly PostfixParameter[] } | undefined {
  const [, name, type, program, rest = ''] =
    /^(\S+)\s+(inet|unix|unix-dgram|fifo|pass)\s+(?:\S+\s+){5}(\S+)(.*)$/.exec(line) ?? [];
  if (name === undefined || type === undefined || program === undefined) return undefined;
  return { service: `${name}/${type}`, program, options: optionsIn(rest) };
}

/** Returns the options `-o name=value` and `-o { name = value }` of a service. */
function optionsIn(text: string): readonly PostfixParameter[] {
  const words = splitOutsideBraces(text, /\s/);
  return words.flatMap((word, index) => {
    const argument = word === '-o' ? words[index + 1] : /^-o(.+)$/s.exec(word)?.[1];
    if (argument === undefined) return [];
    return parseLine(argument.startsWith('{') ? (enclosed(argument) ?? '') : argument) ?? [];
  });
}

/** Returns `name = value` as a parameter; undefined for any other line. */
function parseLine(line: string): PostfixParameter | undefined {
  const equals = line.indexOf('=');
  if (equals < 0) return undefined;
  const name = line.slice(0, equals).trim();
  // Service names of `postconf -P` may be addresses, such as 127.0.0.1:10025/inet.
  if (!/^[A-Za-z0-9_.:[\]-]+(\/[a-z-]+\/[A-Za-z0-9_.-]+)?$/.test(name)) return undefined;
  return { name, value: line.slice(equals + 1).trim() };
}

/**
 * Returns the logical lines of a Postfix file: continuation lines are joined by a space.
 * A carriage return is white space, so CRLF and LF give the same result.
 */
export function logicalLines(text: string): readonly string[] {
  const lines: string[][] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    if (/^\s/.test(line)) lines.at(-1)?.push(trimmed);
    else lines.push([trimmed]);
  }
  return lines.map((parts) => parts.join(' '));
}
