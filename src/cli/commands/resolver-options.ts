import { unwrap } from '../../base/index.js';
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import {
  MAX_CLOCK_SKEW,
  parseTrustAnchors,
  parseUpstream,
  systemUpstreams,
  type TrustAnchor,
  type Upstream,
} from '../../dns/index.js';
import { builtinTrustStore } from '../../tls/index.js';
import {
  joinTrustStores,
  namedTrustStore,
  parsePemBundle,
  type TrustStore,
} from '../../x509/index.js';
import { readFile } from '../files.js';
import { collectValues, misuse, readOptionalNumber } from '../options.js';

/**
 * Flags of every command that queries the DNS.
 *
 * Lists are in the order of the command line.
 */
export interface ResolverFlags {
  readonly resolver?: readonly string[];
  /** File of DS or DNSKEY records that replace the trust anchors of the root. */
  readonly trustAnchor?: string;
  /** Whether to trust the AD bit instead of validating (RFC 6840 §5.8). */
  readonly trustAd?: boolean;
  /** Tolerance for the dates of signatures, seconds. */
  readonly clockSkew?: string;
  /** File of root certificates that are trusted in addition. */
  readonly ca?: string;
  /** Whether to trust the bundle of the operating system instead of Mozilla's. */
  readonly systemCa?: boolean;
  readonly lab?: boolean;
}

/**
 * Adds the options of the resolver and of trust to a command, in a separate group.
 */
export function withResolver(command: Command): Command {
  return command
    .optionsGroup('Resolver and trust:')
    .option(
      '--resolver <address>',
      'ask this resolver: [tcp://]ADDRESS[:PORT] or tls://ADDRESS[:PORT]#NAME; repeatable',
      collectValues,
    )
    .option('--trust-anchor <file>', 'use these DNSSEC trust anchors (DS or DNSKEY lines)')
    .option(
      '--trust-ad',
      'trust the AD bit of a resolver on this machine, or of the one in --resolver',
    )
    .option(
      '--clock-skew <seconds>',
      'accept DNSSEC signatures this long before and after their validity (default 300)',
    )
    .option('--ca <file>', 'trust these root certificates too (PEM)')
    .option('--system-ca', 'trust the roots of the system instead of the built-in ones');
}

/** The flags that choose a trust store. */
export type TrustFlags = Pick<ResolverFlags, 'ca' | 'systemCa'>;

/** The library options that the resolver flags set. */
export interface ResolverSettings {
  readonly upstreams?: readonly Upstream[];
  readonly anchors?: readonly TrustAnchor[];
  readonly trustAd?: true;
  readonly clockSkew?: number;
  readonly roots?: TrustStore;
}

/**
 * Reads the resolver flags; a setting without its flag is absent, so that its default
 * remains when the result is spread over the defaults. Throws HermeticError for each
 * invalid flag.
 */
export function readResolverFlags(resolverFlags: ResolverFlags): ResolverSettings {
  const { resolver, trustAnchor, trustAd, clockSkew, ca, systemCa, lab } = resolverFlags;
  if (lab) refuseInLab(resolverFlags);
  if (trustAd && !resolver && !lab) requireLocalResolver(systemUpstreams());
  const settings: { -readonly [K in keyof ResolverSettings]: ResolverSettings[K] } = {};
  if (trustAd) settings.trustAd = true;
  const skew = readOptionalNumber('--clock-skew', clockSkew, { least: 0, most: MAX_CLOCK_SKEW });
  if (skew !== undefined) settings.clockSkew = skew;
  if (resolver)
    settings.upstreams = resolver.map((upstreamText) =>
      unwrap('--resolver', parseUpstream(upstreamText), resolverForm),
    );
  if (trustAnchor !== undefined) settings.anchors = readAnchors(trustAnchor);
  if (ca !== undefined || systemCa) settings.roots = chosenTrustStore(resolverFlags);
  return settings;
}

/**
 * Refuses options that the lab would ignore: the lab has its own resolver, anchor and
 * roots.
 */
function refuseInLab({ resolver, trustAnchor, ca, systemCa }: ResolverFlags): void {
  const given = Object.entries({
    '--resolver': resolver,
    '--trust-anchor': trustAnchor,
    '--ca': ca,
    '--system-ca': systemCa,
  }).find(([, value]) => value !== undefined);
  if (given)
    throw misuse(
      given[0],
      'the lab has its own resolver, trust anchor and roots',
      `Omit --lab or ${given[0]}.`,
    );
}

/** The fix for a resolver that cannot be parsed. */
const resolverForm = 'Write ADDRESS, ADDRESS:PORT, tcp://ADDRESS or tls://ADDRESS#NAME.';

/**
 * Throws unless the resolvers are on this machine. RFC 7672 §2.1.1 [7672-2.1.1-4]: the AD
 * bit of a resolver across a network is not trusted unless the operator names that
 * resolver.
 */
function requireLocalResolver(upstreams: readonly Upstream[]): void {
  const remote = upstreams.find(({ address }) => !/^(127\.|::1$)/.test(address));
  if (remote)
    throw misuse(
      '--trust-ad',
      `the system's resolver ${remote.label} is not on this machine`,
      'Specify the resolver you trust: --resolver ADDRESS, or better tls://ADDRESS#NAME.',
    );
}

/**
 * Reads the trust store of `--ca` and `--system-ca`. The system's bundle replaces the
 * built-in roots, because an operator who removed a CA there expects it to be distrusted;
 * `--ca` adds roots to either store.
 */
export function chosenTrustStore({ ca, systemCa }: TrustFlags): TrustStore {
  const read = (filePath: string, option: string) =>
    unwrap(option, parsePemBundle(readFile(filePath, option)), 'Use a file of PEM certificates.');
  const extra = ca === undefined ? [] : read(ca, '--ca');
  if (!systemCa) return builtinTrustStore(extra);
  // The paths on Debian and Alpine, on Fedora and RHEL, and on the BSDs.
  const bundle = [
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
    '/etc/ssl/cert.pem',
  ].find((filePath) => existsSync(filePath));
  if (!bundle)
    throw misuse(
      '--system-ca',
      'this system has no bundle of CA certificates',
      "Omit the option: Mozilla's roots are built in.",
    );
  return joinTrustStores([
    namedTrustStore('system', read(bundle, '--system-ca')),
    ...(extra.length === 0 ? [] : [namedTrustStore('file', extra)]),
  ]);
}

/** Reads trust anchors from a file. Throws HermeticError. */
export function readAnchors(filePath: string): readonly TrustAnchor[] {
  return unwrap(
    '--trust-anchor',
    parseTrustAnchors(readFile(filePath, '--trust-anchor')),
    'Use a file of DS or DNSKEY records, one per line.',
  );
}
