/** Options of one block of `exim -bP`: a flag has the value `true` or `false`. */
export type EximOptions = ReadonlyMap<string, string>;

/** The output of `exim -bV`, `-bP`, `-bP routers` and `-bP transports`. */
export interface EximOutput {
  /** From `-bV`, such as `4.96`. */
  readonly version: string | undefined;
  /** Words of the line "Support for:" of `-bV`; undefined without `-bV`. */
  readonly support: readonly string[] | undefined;
  readonly main: EximOptions;
  /** In the order of the configuration, which is that of routing. */
  readonly routers: ReadonlyMap<string, EximOptions>;
  readonly transports: ReadonlyMap<string, EximOptions>;
}

/** Routers and transports that are read. */
const MAX_BLOCKS = 1000;

/**
 * Parses the configuration as Exim prints it: `name = value` or a flag on each line,
 * and a head such as `remote_smtp transport:` before each block. Exim prints every option
 * of a driver, so an absent one is unknown to that build. Pure; CRLF reads the same.
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

/** Whether a host list covers a host that it does not name. */
export type Coverage = 'yes' | 'no' | 'unknown';

/**
 * Evaluates a host list (specification, "Host lists") for a host that no item names. An
 * expansion, a lookup, a named list, a file or a network of all addresses leaves it unknown.
 */
export function coverageOf(list: string): Coverage {
  const items = list
    .split(':')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  let negated = false;
  for (const item of items) {
    negated = item.startsWith('!');
    const bare = item.replace(/^!\s*/, '');
    if (/[$;{}]|^[+/@<^]|\/0$/.test(bare)) return 'unknown';
    if (bare === '*') return negated ? 'no' : 'yes';
  }
  // A list that ends with a negated item goes on with an asterisk.
  return negated ? 'yes' : 'no';
}
