import { getDomain } from 'tldts';
import { parseMailbox } from '../smtp/index.js';
import { parseTlsRptRecord } from '../tls-rpt/index.js';

/** The destination of a report, from the `rua` field of a TLS-RPT record. */
export type Destination = {
  /** The URI as published in the record. */
  readonly uri: string;
  /**
   * The organisational domain of the destination. The daily limit applies to this domain,
   * so that additional subdomains do not raise the limit.
   */
  readonly receiver: string;
} & (
  | { readonly kind: 'mail'; readonly address: string }
  | { readonly kind: 'https'; readonly host: string; readonly port: number; readonly path: string }
);

/**
 * Maximum number of URIs that are used from one record: the owners of the addresses may
 * not have agreed to receive reports (RFC 8460 §7) [8460-7-1].
 */
const MAX_URIS = 3;

/**
 * Returns the first three destinations of a record. The report is sent to each of them
 * [8460-3-23].
 */
export function destinationsOf(record: string): readonly Destination[] {
  return [...new Set(parseTlsRptRecord([record]).rua)]
    .flatMap((reportUri) => parseDestination(reportUri) ?? [])
    .slice(0, MAX_URIS);
}

/** Parses one URI of a record; returns undefined for an invalid or unsupported URI. */
export function parseDestination(reportUri: string): Destination | undefined {
  if (/^mailto:/i.test(reportUri)) {
    const address = decoded(reportUri.slice(7).replace(/\?.*$/, ''));
    const mailbox = address === undefined ? undefined : parseMailbox(address);
    if (!mailbox?.ok || address === undefined || !/^[\x21-\x7e]+$/.test(address)) return undefined;
    return { uri: reportUri, receiver: receiverOf(mailbox.value.domain), kind: 'mail', address };
  }
  if (!URL.canParse(reportUri)) return undefined;
  const { protocol, hostname, port, pathname, search, username } = new URL(reportUri);
  if (protocol !== 'https:' || username !== '' || hostname === '') return undefined;
  return {
    uri: reportUri,
    receiver: receiverOf(hostname),
    kind: 'https',
    host: hostname,
    port: Number(port || 443),
    path: `${pathname}${search}`,
  };
}

/** Decodes percent-encoding in a URI of the record [8460-3-7]. */
function decoded(encodedText: string): string | undefined {
  try {
    return decodeURIComponent(encodedText);
  } catch {
    return undefined;
  }
}

function receiverOf(hostName: string): string {
  return (getDomain(hostName, { allowPrivateDomains: true }) ?? hostName).toLowerCase();
}
