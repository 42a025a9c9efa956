import { readFileSync } from 'node:fs';
import { fail, formatIp, ok, parseIp, type Result } from '../../base/index.js';
import { transportFailures } from './failures.js';

/** The address of an upstream resolver. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
  /**
   * Name of the server for DNS over TLS (RFC 7858); its certificate must be valid for
   * this name.
   */
  readonly tlsName?: string;
  /**
   * Send all queries over one persistent TCP connection (RFC 7766). Default: UDP from a
   * new port for each query, and TCP for truncated answers.
   */
  readonly transport?: 'tcp';
  /** The address in the form in which the operator configured it. */
  readonly label: string;
}

/**
 * Parses `ADDRESS`, `ADDRESS:PORT`, `[IPv6]:PORT`, `tcp://ADDRESS[:PORT]` or
 * `tls://ADDRESS[:PORT]#NAME`.
 */
export function parseUpstream(addressText: string): Result<Upstream> {
  const [, scheme, written = '', tlsName] = /^(?:(tcp|tls):\/\/)?([^#]+)(?:#([^#]+))?$/.exec(
    addressText,
  ) ?? [undefined];
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(written);
  const plain = parseIp(written)
    ? [written, written, undefined]
    : /^([^:]+)(?::(\d+))?$/.exec(written);
  const parts = bracketed ?? plain;
  const ipAddress = parseIp(parts?.[1] ?? '');
  const defaultPort = scheme === 'tls' ? 853 : 53;
  const port = parts?.[2] === undefined ? defaultPort : Number(parts[2]);
  const isNamed = tlsName !== undefined;
  if (!ipAddress || port < 1 || port > 65535 || isNamed !== (scheme === 'tls'))
    return fail(transportFailures.make('dns-bad-upstream', addressText));
  const address = formatIp(ipAddress);
  const shown = `${ipAddress.family === 6 ? `[${address}]` : address}:${port}`;
  if (tlsName !== undefined)
    return ok({ address, port, label: `tls://${shown}#${tlsName}`, tlsName });
  if (scheme === 'tcp') return ok({ address, port, label: `tcp://${shown}`, transport: 'tcp' });
  return ok({ address, port, label: shown });
}

/**
 * Returns the resolvers that this machine is configured to use. Without a configured
 * resolver, the list is empty: a fallback to a public resolver would disclose queries to
 * a third party.
 */
export function systemUpstreams(filePath = '/etc/resolv.conf'): readonly Upstream[] {
  let addressText: string;
  try {
    addressText = readFileSync(filePath, 'utf8');
  } catch {
    return [];
  }
  return addressText.split('\n').flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1]?.replace(/%.*$/, '');
    const upstream = address === undefined ? undefined : parseUpstream(address);
    if (upstream?.ok) return [upstream.value];
    return [];
  });
}
