import { getDomain } from 'tldts';
import { parseMailbox } from '../smtp/index.js';
import { parseTlsRptRecord } from '../tls-rpt/index.js';

/** Where a report goes. */
export type Destination = {
  /** As it stands in the record. */
  readonly uri: string;
  /**
   * Whom it reaches, for the limit of reports a day: the organisational domain, so that
   * names made up below it are one.
   */
  readonly receiver: string;
} & (
  | { readonly kind: 'mail'; readonly address: string }
  | { readonly kind: 'https'; readonly host: string; readonly port: number; readonly path: string }
);

/**
 * URIs of one record that are used: nobody has authorised them (RFC 8460 §7) [8460-7-1].
 */
const MAX_URIS = 3;

/**
 * The destinations of a TLS-RPT record, the first three of them; a report goes to each
 * [8460-3-23].
 */
export function destinationsOf(record: string): readonly Destination[] {
  return [...new Set(parseTlsRptRecord([record]).rua)]
    .flatMap((uri) => parseDestination(uri) ?? [])
    .slice(0, MAX_URIS);
}

/** Reads one URI of a record; undefined where nothing can be sent. */
export function parseDestination(uri: string): Destination | undefined {
  if (/^mailto:/i.test(uri)) {
    const address = decoded(uri.slice(7).replace(/\?.*$/, ''));
    const mailbox = address === undefined ? undefined : parseMailbox(address);
    if (!mailbox?.ok || address === undefined || !/^[\x21-\x7e]+$/.test(address)) return undefined;
    return { uri, receiver: receiverOf(mailbox.value.domain), kind: 'mail', address };
  }
  if (!URL.canParse(uri)) return undefined;
  const { protocol, hostname, port, pathname, search, username } = new URL(uri);
  if (protocol !== 'https:' || username !== '' || hostname === '') return undefined;
  return {
    uri,
    receiver: receiverOf(hostname),
    kind: 'https',
    host: hostname,
    port: Number(port || 443),
    path: `${pathname}${search}`,
  };
}

/** Percent-encoding inside a URI of the record [8460-3-7]. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function receiverOf(host: string): string {
  return (getDomain(host, { allowPrivateDomains: true }) ?? host).toLowerCase();
}
