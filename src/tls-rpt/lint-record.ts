import { explainNearRecord, trimBlanks } from '../base/index.js';

/** A TXT record, or an address in it, with its fault. */
export interface RptLint {
  readonly text: string;
  readonly message: string;
}

/**
 * TXT records at `_smtp._tls` that reporters discard although their publisher meant
 * TLS-RPT (RFC 8460 §3).
 */
export function nearRptRecords(texts: readonly string[]): readonly RptLint[] {
  return texts.flatMap((text) => {
    const message =
      explainNearRecord(text, { version: 'TLSRPTv1', field: 'rua' }) ?? otherKind(text);
    return message === undefined ? [] : [{ text, message }];
  });
}

/** The record of another mechanism that was published at the wrong name. */
function otherKind(text: string): string | undefined {
  if (/^v=STSv1/i.test(text)) return 'it belongs at _mta-sts, this is MTA-STS';
  return /^v=DMARC1/i.test(text) ? 'it belongs at _dmarc, this is DMARC' : undefined;
}

/**
 * Departures of a record that `parseTlsRptRecord` accepts: it is as tolerant as a
 * reporter has to be, this is as strict as the publisher should be (RFC 8460 §3, RFC 6068
 * §2 [8460-3-24]).
 */
export function lintRptRecord(texts: readonly string[]): readonly RptLint[] {
  return texts
    .filter((text) => /^v=TLSRPTv1[ \t]*(;|$)/.test(text))
    .flatMap((text) =>
      text
        .split(';')
        .slice(1)
        .map(trimBlanks)
        .filter((field) => field !== '')
        .flatMap(lintField),
    );
}

/** The faults of one field. Unknown fields are allowed and mostly typing errors. */
function lintField(field: string): readonly RptLint[] {
  const [, name = '', value = ''] = /^([^=]*?)[ \t]*=[ \t]*(.*)$/.exec(field) ?? [];
  if (name.toLowerCase() === 'rua' && name !== 'rua')
    return [{ text: field, message: 'field names are case-sensitive, write rua' }];
  if (name !== 'rua') return [{ text: field, message: 'no such field is defined' }];
  const uris = value.split(',').map(trimBlanks);
  return uris.flatMap((uri, i) => {
    const message = uris.indexOf(uri) === i ? explainRua(uri) : 'it is listed twice';
    return message === undefined ? [] : [{ text: uri, message }];
  });
}

/**
 * Explains why reports do not arrive at a URI; undefined for one that follows its
 * grammar. The order goes from characters to syntax, so that the first explanation names
 * the cause.
 */
export function explainRua(uri: string): string | undefined {
  if (uri === '') return 'an empty address, from a comma too many';
  if (/[^\x21-\x7e]/.test(uri))
    return 'a blank or a character outside US-ASCII has to be percent-encoded';
  if (uri.includes('!'))
    return 'an exclamation mark has to be written %21, and there are no sizes as in DMARC';
  if (/%(?![0-9a-f]{2})/i.test(uri)) return 'a percent sign begins two hexadecimal digits';
  if (/^mailto:/i.test(uri)) return explainMailto(uri.slice('mailto:'.length));
  if (/^https:/i.test(uri)) return explainHttps(uri.slice('https:'.length));
  if (/^http:/i.test(uri)) return 'reports are sent to https only';
  return /^[^:/]+@[^:/]+$/.test(uri)
    ? 'a mail address needs mailto: before it'
    : 'only mailto: and https: are defined';
}

/** The faults of a mailto URI: RFC 6068 §2 has an addr-spec without slashes before it. */
function explainMailto(rest: string): string | undefined {
  const [address = ''] = rest.split('?');
  if (address.startsWith('//'))
    return `mailto: takes no slashes: the mailbox would be "${address}"`;
  const at = address.lastIndexOf('@');
  const [local, domain] = [address.slice(0, Math.max(0, at)), address.slice(at + 1)];
  if (at < 1) return 'a mail address has a mailbox, @ and a domain';
  // RFC 6068 §2: dot-atom-text; other characters stand percent-encoded.
  if (!/^([\w!$'*+^`{|}~%/?#&=-]+)(\.[\w!$'*+^`{|}~%/?#&=-]+)*$/.test(local))
    return `"${local}" is not a mailbox`;
  return explainHost(domain);
}

/**
 * The faults of an https URI: RFC 9110 §4.2.2 requires a host, and a user name is not
 * sent.
 */
function explainHttps(rest: string): string | undefined {
  const authority = /^\/\/([^/?#]*)/.exec(rest)?.[1];
  if (authority === undefined) return 'https: is followed by // and a host';
  if (authority.includes('@')) return 'a URI for reports has no user name or password';
  if (rest.includes('#')) return 'a fragment is not sent';
  const [host = '', port] = authority.split(/:(?=[^:]*$)/);
  if (
    port !== undefined &&
    !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)
  )
    return `"${port}" is not a port`;
  return explainHost(host);
}

/**
 * The faults of a host name. A name with one label is not reachable from the internet.
 */
function explainHost(host: string): string | undefined {
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  if (!new RegExp(`^${label}(\\.${label})*$`, 'i').test(host))
    return `"${host}" is not a domain name`;
  return host.includes('.') ? undefined : `"${host}" is a name with one label`;
}
