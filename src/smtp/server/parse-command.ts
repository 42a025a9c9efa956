/** A command of a client, or the reason why a line is not a command. */
export type Command =
  | { readonly verb: 'HELO' | 'EHLO'; readonly name: string }
  | { readonly verb: 'MAIL' | 'RCPT'; readonly address: string; readonly parameters: Parameters }
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' | 'NOOP' | 'HELP' | 'VRFY' }
  | { readonly verb: 'not-offered' | 'unknown' | 'http' }
  | { readonly verb: 'invalid'; readonly why: string };

/**
 * The values of parameters by keyword in upper case; empty for a keyword without a value.
 */
export type Parameters = ReadonlyMap<string, string>;

const PATH = /^(?:FROM|TO): *<((?:"(?:\\.|[^"\\])*"|[^<>"])*)>(?: +(.*))?$/i;
const SOURCE_ROUTE = /^@[^:]*:/;
const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e]+))?$/;
const HTTP = /^[A-Z]+ \S+ HTTP\/\d/i;
/** Maximum octets of a domain or address literal (RFC 5321 §4.5.3.1.2). */
const MAX_NAME = 255;
/** Maximum octets of a path without its brackets (RFC 5321 §4.5.3.1.3). */
const MAX_PATH = 254;

/**
 * Parses a command line without its CR LF (RFC 5321 §4.1.1). White space at the end of
 * the line is accepted.
 */
export function parseCommand(commandLine: string): Command {
  // A control character is not part of any command, and the logs would contain it.
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(commandLine))
    return invalid('Control characters in a command');
  const commandText = commandLine.trimEnd();
  if (HTTP.test(commandText)) return { verb: 'http' };
  const [, name = '', rest = ''] = /^(\S*)[ \t]*(.*)$/.exec(commandText) ?? [];
  const verb = name.toUpperCase();
  switch (verb) {
    case 'HELO':
    case 'EHLO':
      if (rest === '' || rest.length > MAX_NAME || /\s/.test(rest))
        return invalid(`${verb} needs the name of the client`);
      return { verb, name: rest };
    case 'MAIL':
    case 'RCPT':
      return parsePath(verb, rest);
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      if (rest === '') return { verb };
      return invalid(`${verb} takes no argument`);
    case 'NOOP':
    case 'HELP':
    case 'VRFY':
      return { verb };
    case 'AUTH':
    case 'BDAT':
    case 'ETRN':
    case 'EXPN':
    case 'TURN':
      return { verb: 'not-offered' };
    default:
      return { verb: 'unknown' };
  }
}

function parsePath(verb: 'MAIL' | 'RCPT', commandText: string): Command {
  const keyword = verb === 'MAIL' ? 'FROM:' : 'TO:';
  const [, path, more = ''] = PATH.exec(commandText) ?? [];
  if (path === undefined || !commandText.toUpperCase().startsWith(keyword))
    return invalid(`Write ${verb} ${keyword}<address>`);
  // RFC 5321 §4.1.1.3: a source route is accepted and ignored.
  const address = path.replace(SOURCE_ROUTE, '');
  if (address.length > MAX_PATH) return invalid('The address is too long');
  const parameters = new Map<string, string>();
  for (const part of more.split(' ').filter((part) => part !== '')) {
    const [, key, value = ''] = PARAMETER.exec(part) ?? [];
    if (key === undefined) return invalid('A parameter is malformed');
    if (parameters.has(key.toUpperCase())) return invalid('A parameter is given twice');
    parameters.set(key.toUpperCase(), value);
  }
  return { verb, address, parameters };
}

function invalid(why: string): Command {
  return { verb: 'invalid', why };
}
