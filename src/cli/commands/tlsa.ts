import { createPublicKey } from 'node:crypto';
import type { Command } from 'commander';
import { HermeticError, parseDomain } from '../../base/index.js';
import { formatChange, recordsOf, serverKey } from '../../publish/index.js';
import { matchesDnsName, parsePem, type Certificate } from '../../x509/index.js';
import { exitCodes } from '../exit-codes.js';
import { readFile } from '../files.js';
import { addHelpPage } from '../help.js';
import { misuse, readNumber } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';

/** The options of `hermetic tlsa`. */
interface TlsaFlags {
  readonly host?: string;
  readonly port: string;
  readonly ttl: string;
  readonly sha512?: boolean;
  readonly json?: boolean;
}

/** SHA-256 of empty input: scripts publish it when they could not read the key. */
const EMPTY = /e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855$/;

/**
 * Defines `hermetic tlsa`, which prints the TLSA records of certificates or keys in
 * files.
 *
 * Offline. Reads PEM files and writes nothing; the command uses only the public part of
 * private keys. Standard output: one record for each key, TLSA 3 1 1 (RFC 7672 §3.1),
 * with `--host` as whole lines of a zone file. Standard error: warnings about the
 * certificates, and a reminder when only one key is given: RFC 7671 §8.1 requires the
 * record of the next key in advance.
 */
export function defineTlsa(command: Command, context: CommandContext): void {
  command
    .argument(
      '<file...>',
      'PEM file of a certificate or key; - is standard input. Specify the files of the current and the next key',
    )
    .option('--host <name>', 'print complete records for this MX host')
    .option('--port <number>', 'port of the server', '25')
    .option('--ttl <seconds>', 'TTL of the records', '3600')
    .option('--sha512', 'print 3 1 2 records too')
    .option('--json', 'print the records as JSON')
    .action((files: string[], tlsaFlags: TlsaFlags) =>
      context.finish(print(files, tlsaFlags, context.output)),
    );
  addHelpPage(command, context.output, {
    examples: ['hermetic tlsa --host mx1.example.com current.pem next.key'],
  });
}

/** Prints the records of all keys, without duplicates, and returns the exit status. */
function print(files: readonly string[], tlsaFlags: TlsaFlags, output: Output): number {
  const texts = new Map(
    [...new Set(files)].map((filePath) => [filePath, readFile(filePath, 'file')]),
  );
  const serverKeys = [...texts].map(([filePath, pem]) => keyIn(filePath, pem));
  for (const [filePath, pem] of texts)
    for (const warning of warningsFor(filePath, pem, tlsaFlags)) output.err(warning);
  const records = recordsOf(serverKeys, tlsaFlags.sha512 ? [1, 2] : [1]);
  if (records.some((record) => EMPTY.test(record)))
    throw new HermeticError('tlsa-empty', 'the digest is that of empty input', {
      fix: 'Use a PEM file.',
    });
  const owner =
    tlsaFlags.host === undefined ? undefined : ownerName(tlsaFlags.host, tlsaFlags.port);
  const ttl = readNumber('--ttl', tlsaFlags.ttl, { least: 1, most: 604_800 });
  if (tlsaFlags.json) output.out(`${formatJson({ name: owner, type: 'TLSA', ttl, records }, 2)}\n`);
  else if (owner === undefined) output.out(records.map((record) => `${record}\n`).join(''));
  else
    output.out(
      `${formatChange({ kind: 'set-rrset', name: owner, type: 'TLSA', from: [], to: records, ttl })}\n`,
    );
  if (owner !== undefined && new Set(serverKeys.map((key) => key.sha256)).size === 1)
    output.err(
      'All files hold one key. Publish the record of the next key two TTLs before the server uses that key (RFC 7671 §8.1).\n',
    );
  return exitCodes.good;
}

/** Returns the owner of TLSA records: `_25._tcp.mx1.example.com`. */
function ownerName(hostName: string, port: string): string {
  const parsedName = parseDomain(hostName);
  if (!parsedName.ok)
    throw misuse('--host', `${hostName} is not a host name`, 'Write it as mx1.example.com.');
  const number = readNumber('--port', port, { least: 1, most: 65_535 });
  return `_${number}._tcp.${parsedName.value.toLower()}`;
}

/**
 * Returns warnings about a certificate whose record never matches, or soon stops
 * matching.
 */
function warningsFor(filePath: string, pem: string, { host }: TlsaFlags): readonly string[] {
  const parsed = parsePem(pem);
  const [leafCertificate] = parsed.ok ? parsed.value : [];
  if (!leafCertificate) return [];
  const warn = (says: string): string => `warning: ${filePath}: ${says}\n`;
  if (leafCertificate.ca && !isServersOwn(leafCertificate))
    return [
      warn(
        'this is a CA certificate, not a server certificate: its 3 1 1 record never matches (RFC 7671 §5.1). Use the certificate that the server presents, which comes first in a chain file.',
      ),
    ];
  const parsedName = host === undefined ? undefined : parseDomain(host);
  const elsewhere =
    parsedName?.ok === true && !matchesDnsName(leafCertificate, parsedName.value.toLower());
  if (elsewhere)
    return [
      warn(
        `it is for ${leafCertificate.dnsNames.slice(0, 3).join(', ') || 'no host'}, not for ${host ?? ''}: make sure that this server presents it`,
      ),
    ];
  return [];
}

/**
 * Returns whether a CA certificate is a server's own: `openssl req -x509` creates a
 * self-signed certificate with the CA flag and a host name.
 */
function isServersOwn({ selfIssued, dnsNames, commonName = '' }: Certificate): boolean {
  const isHost = commonName.includes('.') && parseDomain(commonName).ok;
  return selfIssued && (dnsNames.length > 0 || isHost);
}

/** Reads the public half of a certificate, a public key or a private key. */
function keyIn(filePath: string, pem: string): ReturnType<typeof serverKey> {
  try {
    return serverKey(filePath, createPublicKey(pem));
  } catch (cause) {
    throw new HermeticError('tlsa-unreadable', `${filePath}: neither certificate nor key in PEM`, {
      cause,
      fix: 'Use a PEM file without a passphrase. From DER: openssl x509 -inform DER -in FILE',
    });
  }
}
