/** Options of one block of `exim -bP`: a flag has the value `true` or `false`. */
export type EximOptions = ReadonlyMap<string, string>;

/** The output of `exim -bV`, `-bP`, `-bP routers` and `-bP transports`. */
export interface EximOutput {
  /** Version from `-bV`, such as `4.96`. */
  readonly version: string | undefined;
  /** Words of the line "Support for:" of `-bV`; undefined without `-bV`. */
  readonly support: readonly string[] | undefined;
  readonly main: EximOptions;
  /** The routers in the order of the configuration, which is the routing order. */
  readonly routers: ReadonlyMap<string, EximOptions>;
  readonly transports: ReadonlyMap<string, EximOptions>;
}

/** Maximum number of routers and transports that are read. */
const MAX_BLOCKS = 1000;

/**
 * Parses the configuration as Exim prints it: `name = value` or a flag on each line, and
 * a head such as `remote_smtp transport:` before each block. Exim prints every option of
 * a driver, so the build does not support an option that is absent. Pure; CRLF and LF
 * give the same result.
 */
export function parseEximOutput(text: string): EximOutput {
  const main = new Map<string, string>();
  const routers = new Map<string, Map<string, string>>();
  const transports = new Map<string, Map<string, string>>();
  let [version, support]: [string | undefined, readonly string[] | undefined] = [
    undefined,
    undefined,
  ];
  let block = main;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const head = /^(\S+) (router|transport|authenticator):$/.exec(line);
    if (head) {
      block = new Map();
      const [, name = '', kind] = head;
      const blocks = kind === 'router' ? routers : transports;
      if (kind !== 'authenticator' && blocks.size < MAX_BLOCKS) blocks.set(name, block);
      continue;
    }
    // The main options end where an empty line opens the first block.
    version ??= /^Exim version (\d{1,3}\.\d{1,3})/.exec(line)?.[1];
    const supported = /^Support for: (.*)$/.exec(line)?.[1];
    support ??= supported?.split(' ');
    const [, name = '', value] = /^([a-z][a-z0-9_]*)(?: = (.*)| =)?$/.exec(line) ?? [];
    if (name === '') continue;
    if (line.includes('=')) block.set(name, (value ?? '').trim());
    else if (name.startsWith('no_')) block.set(name.slice(3), 'false');
    else block.set(name, 'true');
  }
  return { version, support, main, routers, transports };
}

/** Whether a list covers a host or domain. */
export type Coverage = 'yes' | 'no' | 'unknown';

/** An item of a list; `open` if it is not evaluated. */
interface ListItem {
  readonly text: string;
  readonly isNegated: boolean;
  readonly isOpen: boolean;
}

/**
 * Splits a list (specification, "Lists"). An expansion, a lookup, a named list, a file or
 * a network of all addresses is not evaluated, and neither is a separator other than the
 * colon.
 */
function listItems(list: string): readonly ListItem[] {
  return list
    .split(':')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => {
      const text = item.replace(/^!\s*/, '').toLowerCase();
      return { text, isNegated: text !== item.toLowerCase(), isOpen: OPEN_ITEM.test(text) };
    });
}

const OPEN_ITEM = /[$;{}]|^[+/@<^]|\/0$/;

/**
 * Returns the result for a name that no item matches: a list that ends with a negated
 * item matches every such name.
 */
function endOf(items: readonly ListItem[]): Coverage {
  return items.at(-1)?.isNegated ? 'yes' : 'no';
}

/** Evaluates a host list (specification, "Host lists") for a host that no item names. */
export function coverageOf(list: string): Coverage {
  const items = listItems(list);
  for (const { text, isNegated, isOpen } of items) {
    if (isOpen) return 'unknown';
    if (text === '*') return isNegated ? 'no' : 'yes';
  }
  return endOf(items);
}

/**
 * Evaluates the option `domains` of a router for a domain whose mail other servers
 * receive. An unevaluated negated item lists local domains, so it does not match.
 */
export function routes(list: string, domain: string): Coverage {
  const items = listItems(list);
  if (items.length === 0) return 'yes';
  let found = endOf(items);
  for (const { text, isNegated, isOpen } of items) {
    if (isOpen && !isNegated) found = 'unknown';
    const isMatch = text === domain || (text.startsWith('*') && domain.endsWith(text.slice(1)));
    if (isMatch && !isOpen) return isNegated ? noUnless(found) : 'yes';
  }
  return found;
}

/**
 * Returns `no` unless an unevaluated item before the exclusion may already have matched.
 */
function noUnless(found: Coverage): Coverage {
  return found === 'unknown' ? found : 'no';
}
