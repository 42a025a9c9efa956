import type { Command } from 'commander';
import { HermeticError, type Failure, type Result } from '../../base/index.js';
import { parseTrustAnchors, parseUpstream, type TrustAnchor, type Upstream } from '../../dns/index.js';
import { readFile } from '../read-file.js';

/** Flags of every command that asks the DNS. */
export interface ResolverFlags {
  readonly resolver?: readonly string[];
  readonly trustAnchor?: string;
  readonly trustAd?: boolean;
}

/** Adds them to a command. */
export function withResolver(command: Command): Command {
  return command
    .option('--resolver <address>', 'ADDR[:PORT], [v6]:PORT or tls://ADDR[:PORT]#NAME; repeatable', (value: string, all: string[] = []) => [
      ...all,
      value,
    ])
    .option('--trust-anchor <file>', 'DNSSEC trust anchors: DS or DNSKEY lines')
    .option('--trust-ad', "believe a trusted resolver's AD bit");
}

/** What they say. Throws HermeticError with what to do for each that does not fit. */
export function readResolverFlags(flags: ResolverFlags): {
  readonly upstreams?: readonly Upstream[];
  readonly anchors?: readonly TrustAnchor[];
  readonly trustAd?: true;
} {
  return {
    ...(flags.trustAd ? { trustAd: true } : {}),
    ...(flags.resolver ? { upstreams: flags.resolver.map((text) => take('--resolver', parseUpstream(text), resolverForm)) } : {}),
    ...(flags.trustAnchor === undefined ? {} : { anchors: readAnchors(flags.trustAnchor) }),
  };
}

/** Trust anchors from a file. */
export function readAnchors(file: string): readonly TrustAnchor[] {
  return take('--trust-anchor', parseTrustAnchors(readFile(file, '--trust-anchor')), 'The file holds DS or DNSKEY records, one a line.');
}

const resolverForm = 'Write ADDRESS, ADDRESS:PORT or tls://ADDRESS#NAME.';

/** The value of a result, or a usage error that says what to write. */
export function take<T>(flag: string, result: Result<T, Failure>, fix: string): T {
  if (result.ok) return result.value;
  throw new HermeticError(result.failure.code, `${flag}: ${result.failure.detail || 'cannot be read'}`, { fix });
}

/** A usage error. */
export function misuse(what: string, why: string, fix: string): HermeticError {
  return new HermeticError('usage', `${what}: ${why}`, { fix });
}
