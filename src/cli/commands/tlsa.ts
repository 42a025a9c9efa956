import { createPublicKey } from 'node:crypto';
import { Command } from 'commander';
import { HermeticError, parseDomain } from '../../base/index.js';
import { formatChange, recordsOf, serverKey } from '../../publish/index.js';
import { matchesDnsName, parsePem, type Certificate } from '../../x509/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { readFile } from '../read-file.js';
import { misuse } from './resolver-options.js';

interface Flags {
  readonly host?: string;
  readonly port: string;
  readonly ttl: string;
  readonly sha512?: boolean;
}

/** SHA-256 of nothing: what broken scripts publish when they could not read the key. */
const EMPTY = /e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855$/;

/** `hermetic tlsa`: the TLSA records of certificates or keys at hand. */
export function tlsaCommand(output: Output, finish: (code: number) => void): Command {
  return new Command('tlsa')
    .description('print the TLSA records of a certificate or key')
    .argument(
      '<file...>',
      'PEM files: certificate, public key, or private key; give the current and the next one together',
    )
    .option('--host <name>', 'MX host, for a whole record')
    .option('--port <number>', 'port of the server', '25')
    .option('--ttl <seconds>', 'of the record', '3600')
    .option('--sha512', 'also 3 1 2')
    .addHelpText('after', '\nExample:\n  hermetic tlsa --host mx1.example.com current.pem next.key')
    .action((files: string[], flags: Flags) => finish(print(files, flags, output)));
}

function print(files: readonly string[], flags: Flags, output: Output): number {
  const keys = files.map((file) => keyIn(file));
  for (const file of files) for (const warning of warningsFor(file, flags)) output.err(warning);
  const records = recordsOf(keys, flags.sha512 ? [1, 2] : [1]);
  if (records.some((record) => EMPTY.test(record)))
    throw new HermeticError('tlsa-empty', 'the digest is that of nothing', {
      fix: 'Give a PEM file.',
    });
  if (flags.host === undefined) {
    output.out(records.map((record) => `${record}\n`).join(''));
    return exitCodes.good;
  }
  const host = parseDomain(flags.host);
  if (!host.ok)
    throw misuse('--host', `${flags.host} is no host name`, 'Write it as mx1.example.com.');
  const [port, ttl] = [
    numberOf('--port', flags.port, 65_535),
    numberOf('--ttl', flags.ttl, 604_800),
  ];
  output.out(
    `${formatChange({ kind: 'set-rrset', name: `_${port}._tcp.${host.value.toLower()}`, type: 'TLSA', from: [], to: records, ttl })}\n`,
  );
  if (new Set(keys.map((key) => key.sha256)).size === 1)
    output.err(
      'One key: announce the next one two TTLs before the server changes to it (RFC 7671 §8.1).\n',
    );
  return exitCodes.good;
}

/** What a record of this certificate could never match, or not for long. */
function warningsFor(file: string, { host }: Flags): readonly string[] {
  const parsed = parsePem(readFile(file, 'file'));
  const [leaf] = parsed.ok ? parsed.value : [];
  if (!leaf) return [];
  const warn = (says: string): string => `warning: ${file}: ${says}\n`;
  if (leaf.ca && !isServersOwn(leaf))
    return [
      warn(
        'this is the certificate of a CA, not of a server: as 3 1 1 it never matches (RFC 7671 §5.1). Give the certificate that the server presents; in a chain file it comes first.',
      ),
    ];
  const name = host === undefined ? undefined : parseDomain(host);
  const elsewhere = name?.ok === true && !matchesDnsName(leaf, name.value.toLower());
  return elsewhere
    ? [
        warn(
          `it is for ${leaf.dnsNames.slice(0, 3).join(', ') || 'no host'} and not for ${host ?? ''}: make sure that this server presents it`,
        ),
      ]
    : [];
}

/**
 * What `openssl req -x509` makes for a server says that it is a CA, names a host and has
 * signed itself.
 */
function isServersOwn({ selfIssued, dnsNames, commonName = '' }: Certificate): boolean {
  const isHost = commonName.includes('.') && parseDomain(commonName).ok;
  return selfIssued && (dnsNames.length > 0 || isHost);
}

function keyIn(file: string): ReturnType<typeof serverKey> {
  try {
    // Reads the public half of a certificate, a public or a private key alike.
    return serverKey(file, createPublicKey(readFile(file, 'file')));
  } catch (cause) {
    if (cause instanceof HermeticError) throw cause;
    throw new HermeticError('tlsa-unreadable', `${file}: neither certificate nor key in PEM`, {
      cause,
      fix: 'Give a PEM file without passphrase; openssl x509 -inform DER -in FILE makes one of a certificate in DER.',
    });
  }
}

function numberOf(flag: string, text: string, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= most) return value;
  throw misuse(
    flag,
    `${text} is not a number from 1 to ${most}`,
    `Give a number from 1 to ${most}.`,
  );
}
