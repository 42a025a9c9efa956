import { z } from 'zod';
import { formatIp, parseIp } from '../base/index.js';

/** An endpoint of the daemon: an address and port, or the path of a UNIX socket. */
export type ListenAddress =
  | {
      readonly address: string;
      readonly port: number;
      /**
       * True if the same list has 0.0.0.0 with this port. Otherwise `::` accepts IPv4
       * too.
       */
      readonly ipv6Only?: boolean;
    }
  | {
      readonly path: string;
      /** Permission bits. Default 0666: Postfix runs as a separate user. */
      readonly mode?: number;
    };

/**
 * Reads `PORT` (on 127.0.0.1 by default), `ADDRESS:PORT`, `[IPv6]:PORT` or `unix:/path`.
 * Returns undefined for other text.
 */
export function parseListenAddress(addressText: string): ListenAddress | undefined {
  if (addressText.startsWith('unix:'))
    return /^\/[^\0]{1,106}$/.test(addressText.slice(5))
      ? { path: addressText.slice(5) }
      : undefined;
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(
    /^\d+$/.test(addressText) ? `127.0.0.1:${addressText}` : addressText,
  );
  const parsedIp = parseIp(parts?.[1] ?? parts?.[2] ?? '');
  const portNumber = Number(parts?.[3]);
  if (!parsedIp || portNumber > 65535 || (parsedIp.family === 6) !== (parts?.[1] !== undefined))
    return undefined;
  return { address: formatIp(parsedIp), port: portNumber };
}

/**
 * Returns an address as an operator writes it in the configuration. A reload finds the
 * open listeners by this text.
 */
export function formatListenAddress(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  return `${address.address.includes(':') ? `[${address.address}]` : address.address}:${address.port}`;
}

const written = z.union([z.string(), z.int()]);

/** One address to listen on, or several. */
export const listenAddresses = z
  .union([written, z.array(written)])
  .transform((given, context): readonly ListenAddress[] =>
    (Array.isArray(given) ? given : [given]).flatMap((text) => {
      const parsed = parseListenAddress(String(text));
      if (parsed) return [parsed];
      context.addIssue({
        code: 'custom',
        message: `${text} is not an address to listen on: write PORT, ADDRESS:PORT, [IPv6]:PORT or unix:/path`,
      });
      return z.NEVER;
    }),
  )
  .transform((all) =>
    all.map((listenAddress) =>
      isOnlyIpv6(listenAddress, all) ? { ...listenAddress, ipv6Only: true } : listenAddress,
    ),
  );

/**
 * Returns whether a socket must accept IPv6 only. Linux refuses a separate IPv4 socket on
 * the port of a socket that accepts both families.
 */
function isOnlyIpv6(listenAddress: ListenAddress, all: readonly ListenAddress[]): boolean {
  if (!('port' in listenAddress) || listenAddress.address !== '::') return false;
  return all.some(
    (one) => 'port' in one && one.address === '0.0.0.0' && one.port === listenAddress.port,
  );
}
