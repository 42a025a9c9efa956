import { readFileSync } from 'node:fs';
import { fail, formatIp, ok, parseIp, type Result } from '../../base/index.js';
import { transportFailures } from './failures.js';

/** The address of an upstream resolver. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
  /** DNS over TLS (RFC 7858), authenticated by this name. */
  readonly tlsName?: string;
  /** The form in which an operator writes it. */
  readonly label: string;
}

/** Parses `ADDRESS`, `ADDRESS:PORT`, `[IPv6]:PORT` or `tls://ADDRESS[:PORT]#NAME`. */
export function parseUpstream(addressText: string): Result<Upstream> {
  const bad = (): Result<Upstream> => fail(transportFailures.make('dns-bad-upstream', addressText));
  const tls = /^tls:\/\/(.+)#([^#]+)$/.exec(addressText);
  const written = tls ? (tls[1] as string) : addressText;
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(written);
  const plain = parseIp(written)
    ? [written, written, undefined]
    : /^([^:]+)(?::(\d+))?$/.exec(written);
  const parts = bracketed ?? plain;
  const ipAddress = parseIp(parts?.[1] ?? '');
  const defaultPort = tls ? 853 : 53;
  const portNumber = parts?.[2] === undefined ? defaultPort : Number(parts[2]);
  if (
    !ipAddress ||
    portNumber < 1 ||
    portNumber > 65535 ||
    addressText.startsWith('tls:') !== (tls !== null)
  )
    return bad();
  const address = formatIp(ipAddress);
  const shown = `${ipAddress.family === 6 ? `[${address}]` : address}:${portNumber}`;
  return ok({
    address,
    port: portNumber,
    label: tls ? `tls://${shown}#${tls[2] as string}` : shown,
    tlsName: tls?.[2],
  });
}

/**
 * Returns the resolvers of this machine's configuration. Never falls back to a public
 * resolver: that would disclose queries to a third party.
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
