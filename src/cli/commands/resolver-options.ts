import { existsSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type { Command } from 'commander';
import { HermeticError, type Failure, type Result } from '../../base/index.js';
import {
  parseTrustAnchors,
  parseUpstream,
  systemUpstreams,
  type TrustAnchor,
  type Upstream,
  MAX_CLOCK_SKEW,
} from '../../dns/index.js';
import { builtinTrustStore } from '../../tls/index.js';
import { parsePemBundle, trustStore, type TrustStore } from '../../x509/index.js';
import { readFile } from '../read-file.js';

/** Flags of every command that asks the DNS. */
export interface ResolverFlags {
  readonly resolver?: readonly string[];
  readonly trustAnchor?: string;
  readonly trustAd?: boolean;
  readonly clockSkew?: string;
  readonly ca?: string;
  readonly systemCa?: boolean;
  readonly lab?: boolean;
}

/** Adds them to a command. */
export function withResolver(command: Command): Command {
  return command
    .option(
      '--resolver <address>',
      'ADDR[:PORT], [v6]:PORT or tls://ADDR[:PORT]#NAME; repeatable',
      (value: string, all: string[] = []) => [...all, value],
    )
    .option('--trust-anchor <file>', 'DNSSEC trust anchors: DS or DNSKEY lines')
    .option(
      '--trust-ad',
      "believe the resolver's AD bit: one on this machine, or named with --resolver",
    )
    .option(
      '--clock-skew <seconds>',
      'accept DNSSEC signatures so long before and after their dates (default: 300)',
    )
    .option('--ca <file>', 'further root certificates, PEM')
    .option('--system-ca', "the system's root certificates instead of those built in");
}

/** What they say. Throws HermeticError with what to do for each that does not fit. */
export function readResolverFlags(flags: ResolverFlags): {
  readonly upstreams?: readonly Upstream[];
  readonly anchors?: readonly TrustAnchor[];
  readonly trustAd?: true;
  readonly clockSkew?: number;
  readonly roots?: TrustStore;
} {
  if (flags.trustAd && !flags.resolver && !flags.lab) insistOnThisMachine(systemUpstreams());
  return {
    ...(flags.trustAd ? { trustAd: true } : {}),
    ...(flags.clockSkew === undefined
      ? {}
      : { clockSkew: readNumber('--clock-skew', flags.clockSkew, 0, MAX_CLOCK_SKEW) }),
    ...(flags.resolver
      ? {
          upstreams: flags.resolver.map((text) =>
            unwrap('--resolver', parseUpstream(text), resolverForm),
          ),
        }
      : {}),
    ...(flags.trustAnchor === undefined ? {} : { anchors: readAnchors(flags.trustAnchor) }),
    ...(flags.ca === undefined && !flags.systemCa ? {} : { roots: readRoots(flags) }),
  };
}

/**
 * RFC 7672 §2.1.1 [7672-2.1.1-4]: nobody's AD bit is believed over an open network unless
 * that resolver was named.
 */
function insistOnThisMachine(upstreams: readonly Upstream[]): void {
  const far = upstreams.find(({ address }) => !/^(127\.|::1$)/.test(address));
  if (far)
    throw misuse(
      '--trust-ad',
      `the system's resolver ${far.label} is not on this machine`,
      'Name the resolver you trust: --resolver ADDRESS, or better tls://ADDRESS#NAME.',
    );
}

function readRoots({ ca, systemCa }: ResolverFlags): TrustStore {
  const read = (path: string, what: string) =>
    unwrap(what, parsePemBundle(readFile(path, what)), 'The file holds certificates in PEM.');
  const extra = ca === undefined ? [] : read(ca, '--ca');
  if (!systemCa) return builtinTrustStore(extra);
  const bundle = [
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
    '/etc/ssl/cert.pem',
  ].find((path) => existsSync(path));
  if (!bundle)
    throw misuse(
      '--system-ca',
      'this system has no bundle of CA certificates',
      `Leave it out: ${rootCertificates.length} roots are built in.`,
    );
  return trustStore([...read(bundle, '--system-ca'), ...extra]);
}

/** Trust anchors from a file. */
export function readAnchors(file: string): readonly TrustAnchor[] {
  return unwrap(
    '--trust-anchor',
    parseTrustAnchors(readFile(file, '--trust-anchor')),
    'The file holds DS or DNSKEY records, one a line.',
  );
}

const resolverForm = 'Write ADDRESS, ADDRESS:PORT or tls://ADDRESS#NAME.';

/** The value of a result, or a usage error that says what to write. */
export function unwrap<T>(flag: string, result: Result<T, Failure>, fix: string): T {
  if (result.ok) return result.value;
  throw new HermeticError(
    result.failure.code,
    `${flag}: ${result.failure.detail || 'cannot be read'}`,
    { fix },
  );
}

/** A usage error. */
export function misuse(what: string, why: string, fix: string): HermeticError {
  return new HermeticError('usage', `${what}: ${why}`, { fix });
}

/**
 * Reads the number of a flag: a whole number where `least` is 1 or more, else a fraction
 * too.
 */
export function readNumber(flag: string, text: string, least: number, most: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most && (least < 1 || Number.isInteger(value))) return value;
  throw misuse(
    flag,
    `${text} is not a number from ${least} to ${most}`,
    `Give a number from ${least} to ${most}.`,
  );
}
