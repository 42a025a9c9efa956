import { parseIp } from '../../base/index.js';
import { parseOptOut, profiles, type CheckOptions, type Profile } from '../../check/index.js';
import type { ReportFlags } from './report-options.js';
import { readFile } from '../read-file.js';
import { misuse, readResolverFlags, take, type ResolverFlags } from './resolver-options.js';

/** The options of `hermetic check` as commander hands them over. */
export interface CheckFlags extends ResolverFlags, ReportFlags {
  readonly json?: boolean;
  readonly depth: string;
  readonly budget?: string;
  readonly spacing?: string;
  readonly resume?: string;
  readonly optOut?: string;
  readonly maxHosts?: string;
  readonly maxAddresses?: string;
  readonly intrusive?: boolean;
  readonly smtpPort: string;
  readonly httpsPort: string;
  readonly helo?: string;
  readonly timeout: string;
  readonly mx?: string;
  readonly address?: string;
  readonly control?: string;
  readonly transcript?: boolean;
  readonly nagios?: boolean;
  readonly evidence?: string;
  readonly profile: string;
  readonly steps?: boolean;
}

/** Turns flags into options of the library; throws HermeticError with what to do for each that does not fit. */
export function readCheckFlags(flags: CheckFlags): CheckOptions {
  const depth = (['triage', 'verdict', 'inventory'] as const).find((d) => d === flags.depth);
  if (!depth) throw misuse('--depth', `${flags.depth} is not known`, 'Write triage, verdict or inventory.');
  if (flags.address !== undefined && !flags.mx) throw misuse('--address', 'needs --mx HOST', 'Give the host name that the server goes by.');
  if (flags.address !== undefined && !parseIp(flags.address))
    throw misuse('--address', `${flags.address} is no IP address`, 'Give an address such as 192.0.2.25.');
  const { roots, ...dns } = readResolverFlags(flags);
  return {
    depth,
    ...(flags.intrusive ? { intrusive: true } : {}),
    ...(flags.budget === undefined ? {} : { budget: readNumber('--budget', flags.budget, 1, 1000) }),
    ...(flags.maxHosts === undefined ? {} : { maxHosts: readNumber('--max-hosts', flags.maxHosts, 1, 100) }),
    ...(flags.maxAddresses === undefined ? {} : { maxAddresses: readNumber('--max-addresses', flags.maxAddresses, 1, 100) }),
    ...(flags.optOut === undefined
      ? {}
      : { optOut: take('--opt-out', parseOptOut(readFile(flags.optOut, '--opt-out')), 'Write one host name or address a line.') }),
    ...(flags.spacing === undefined ? {} : { spacingMs: 1000 * readNumber('--spacing', flags.spacing, 0, 600) }),
    profile: profileNamed(flags.profile),
    smtpPort: readNumber('--smtp-port', flags.smtpPort, 1, 65535),
    httpsPort: readNumber('--https-port', flags.httpsPort, 1, 65535),
    timeoutMs: 1000 * readNumber('--timeout', flags.timeout, 0.1, 600),
    ...(flags.helo === undefined ? {} : { helo: heloName(flags.helo) }),
    ...(flags.mx === undefined ? {} : { mx: flags.mx }),
    ...(flags.address === undefined ? {} : { address: flags.address }),
    ...(flags.control === undefined ? {} : { control: flags.control }),
    ...dns,
    ...(roots ? { trustStore: roots } : {}),
  };
}

/** The profile of that name. */
export function profileNamed(name: string): Profile {
  const found = profiles.find((profile) => profile.name === name);
  if (found) return found;
  throw misuse('--profile', `${name} is not known`, `The profiles there are: ${profiles.map((p) => p.name).join(', ')}.`);
}

/** A name for EHLO. */
export function heloName(text: string): string {
  if (/^[A-Za-z0-9.:[\]-]{1,255}$/.test(text)) return text;
  throw misuse('--helo', 'not a host name', 'Give the name of this machine, such as mail.example.com.');
}

/** A number of a flag, whole from 1 on. */
export function readNumber(flag: string, text: string, least: number, most: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most && (least < 1 || Number.isInteger(value))) return value;
  throw misuse(flag, `${text} is not a number from ${least} to ${most}`, `Give a number from ${least} to ${most}.`);
}
