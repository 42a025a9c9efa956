/** One parameter as `postconf` prints it or `main.cf` sets it. */
export interface Parameter {
  readonly name: string;
  /** Without expansion of `$name`; a value of several lines is joined by spaces. */
  readonly value: string;
}

/** The parameters of an input, and the lines that are not parameters. */
export interface ParsedParameters {
  /** The last line of a name counts, as in Postfix. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Parameters of one service, from `postconf -P`: `smtp/unix/smtp_tls_loglevel = 1`. */
  readonly services: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The first lines that could not be read, each cut to 80 characters. */
  readonly unread: readonly string[];
}

/** Unreadable lines that are kept. */
const MAX_UNREAD = 5;
const MAX_LINE_SHOWN = 80;

/**
 * Parses `postconf -n`, `postconf -P` and `main.cf` (postconf(5), "General format"). A
 * line that starts with white space continues the one before; comments and empty lines
 * between them do not end it. Pure; works in time linear in the input.
 */
export function parseParameters(text: string): ParsedParameters {
  const parameters = new Map<string, string>();
  const services = new Map<string, Map<string, string>>();
  const unread: string[] = [];
  for (const line of logicalLines(text)) {
    const parsed = parseLine(line);
    if (parsed === undefined) {
      if (unread.length < MAX_UNREAD) unread.push(line.slice(0, MAX_LINE_SHOWN));
      continue;
    }
    const [, service, name] = /^([^/]+\/[^/]+)\/([^/]+)$/.exec(parsed.name) ?? [];
    if (service === undefined || name === undefined) parameters.set(parsed.name, parsed.value);
    else servicesOf(services, service).set(name, parsed.value);
  }
  return { parameters, services, unread };
}

function servicesOf(
  services: Map<string, Map<string, string>>,
  service: string,
): Map<string, string> {
  const parameters = services.get(service) ?? new Map<string, string>();
  services.set(service, parameters);
  return parameters;
}

/** Returns `name = value` as a parameter; undefined for any other line. */
function parseLine(line: string): Parameter | undefined {
  const equals = line.indexOf('=');
  if (equals < 0) return undefined;
  const name = line.slice(0, equals).trim();
  // Service names of `postconf -P` may be addresses, such as 127.0.0.1:10025/inet.
  if (!/^[A-Za-z0-9_.:[\]-]+(\/[a-z-]+\/[A-Za-z0-9_.-]+)?$/.test(name)) return undefined;
  return { name, value: line.slice(equals + 1).trim() };
}

/**
 * Returns the logical lines of a Postfix file: continuation lines are joined by a space.
 * A carriage return is white space, so files with CRLF read the same.
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
