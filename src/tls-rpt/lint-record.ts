import { explainNearRecord, trimBlanks } from '../base/index.js';

/** A TXT record, or an address in a record, and its fault. */
export interface RptLint {
  readonly text: string;
  readonly message: string;
}

/**
 * Returns the TXT records at `_smtp._tls` that reporters discard although the publisher
 * intended a TLS-RPT record (RFC 8460 §3).
 */
export function nearRptRecords(texts: readonly string[]): readonly RptLint[] {
  return texts.flatMap((recordText) => {
    const message =
      explainNearRecord(recordText, { version: 'TLSRPTv1', field: 'rua' }) ?? otherKind(recordText);
    return message === undefined ? [] : [{ text: recordText, message }];
  });
}

/** Names the mechanism whose record was published at the wrong name. */
function otherKind(recordText: string): string | undefined {
  if (/^v=STSv1/i.test(recordText)) return 'an MTA-STS record belongs at _mta-sts';
  return /^v=DMARC1/i.test(recordText)
    ? 'it is a DMARC record, which belongs at _dmarc'
    : undefined;
}

/**
 * Returns the faults of a record that `parseTlsRptRecord` nevertheless accepts: the
 * parser is as tolerant as a reporter must be, and this function is as strict as a
 * publisher should be (RFC 8460 §3, RFC 6068 §2 [8460-3-24]).
 */
export function lintRptRecord(texts: readonly string[]): readonly RptLint[] {
  return texts
    .filter((recordText) => /^v=TLSRPTv1[ \t]*(;|$)/.test(recordText))
    .flatMap((recordText) =>
      recordText
        .split(';')
        .slice(1)
        .map(trimBlanks)
        .filter((fieldText) => fieldText !== '')
        .flatMap(lintField),
    );
}

/**
 * Returns the faults of one field. RFC 8460 allows unknown fields, but most of them are
 * typing errors.
 */
function lintField(fieldText: string): readonly RptLint[] {
  const [, name = '', value = ''] = /^([^=]*?)[ \t]*=[ \t]*(.*)$/.exec(fieldText) ?? [];
  if (name.toLowerCase() === 'rua' && name !== 'rua')
    return [{ text: fieldText, message: 'field names are case-sensitive, write rua' }];
  if (!fieldText.includes('='))
    return [{ text: fieldText, message: 'a field is a name, an equals sign and a value' }];
  if (name !== 'rua') return [{ text: fieldText, message: 'the standard defines no such field' }];
  const uris = value.split(',').map(trimBlanks);
  return uris.flatMap((reportUri, index) => {
    const message =
      uris.indexOf(reportUri) === index ? explainRua(reportUri) : 'it is listed twice';
    return message === undefined ? [] : [{ text: reportUri, message }];
  });
}

/**
 * Explains why a URI receives no reports; returns undefined for a URI with valid syntax.
 * Characters are checked before the syntax, so that the explanation names the cause.
 */
export function explainRua(reportUri: string): string | undefined {
  if (reportUri === '') return 'an empty address: the list has an extra comma';
  if (/[^\x21-\x7e]/.test(reportUri))
    return 'percent-encode blanks and characters outside US-ASCII';
  if (reportUri.includes('!'))
    return 'write an exclamation mark as %21; unlike DMARC, TLS-RPT has no size limits';
  if (/%(?![0-9a-f]{2})/i.test(reportUri)) return 'a percent sign begins two hexadecimal digits';
  if (/^mailto:/i.test(reportUri)) return explainMailto(reportUri.slice('mailto:'.length));
  if (/^https:/i.test(reportUri)) return explainHttps(reportUri.slice('https:'.length));
  if (/^http:/i.test(reportUri)) return 'senders post reports to https only';
  return /^[^:/]+@[^:/]+$/.test(reportUri)
    ? 'a mail address needs mailto: before it'
    : 'only mailto: and https: are defined';
}

/**
 * Explains the first fault of a mailto URI: RFC 6068 §2 requires an addr-spec without
 * slashes before the addr-spec.
 */
function explainMailto(rest: string): string | undefined {
  const [address = ''] = rest.split('?');
  if (address.startsWith('//'))
    return `mailto: takes no slashes: the mailbox would be "${address}"`;
  const offset = address.lastIndexOf('@');
  const [local, domainName] = [address.slice(0, Math.max(0, offset)), address.slice(offset + 1)];
  if (offset < 1) return 'a mail address has a mailbox, @ and a domain';
  // RFC 6068 §2: dot-atom-text. Other characters must be percent-encoded.
  if (!/^([\w!$'*+^`{|}~%/?#&=-]+)(\.[\w!$'*+^`{|}~%/?#&=-]+)*$/.test(local))
    return `"${local}" is not a mailbox`;
  // RFC 6068 §2: an IP address must be in brackets, and reporters do not resolve an
  // address as a name.
  if (/(^|\.)\d+$/.test(domainName)) return `"${domainName}" is an address, not a domain name`;
  return explainHost(domainName);
}

/**
 * Explains the first fault of an https URI: RFC 9110 §4.2.2 requires a host, and
 * reporters do not send a user name.
 */
function explainHttps(rest: string): string | undefined {
  const authority = /^\/\/([^/?#]*)/.exec(rest)?.[1];
  if (authority === undefined) return 'https: is followed by // and a host';
  if (authority.includes('@')) return 'a URI for reports has no user name or password';
  if (rest.includes('#')) return 'senders do not send a fragment';
  if (authority.startsWith('[')) return `"${authority}" is an address, not a domain name`;
  const [hostName = '', port] = authority.split(/:(?=[^:]*$)/);
  if (
    port !== undefined &&
    !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)
  )
    return `"${port}" is not a port`;
  return explainHost(hostName);
}

/**
 * Explains the first fault of a host name. A name with one label is not reachable from
 * the internet.
 */
function explainHost(hostName: string): string | undefined {
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  if (!new RegExp(`^${label}(\\.${label})*$`, 'i').test(hostName))
    return `"${hostName}" is not a domain name`;
  return hostName.includes('.') ? undefined : `"${hostName}" is a name with one label`;
}
