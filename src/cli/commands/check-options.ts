import { z } from 'zod';
import { parseIp } from '../../base/index.js';
import {
  parseOptOut,
  parseProfile,
  findProfile,
  profileNames,
  type CheckOptions,
  type Profile,
} from '../../check/index.js';
import type { ReportFlags } from './report-options.js';
import { readFile } from '../read-file.js';
import { readJson } from '../read-json.js';
import { readPeerFlags, type PeerFlags } from './peer-options.js';
import {
  misuse,
  readNumber,
  readResolverFlags,
  unwrap,
  type ResolverFlags,
} from './resolver-options.js';

/** The options of `hermetic check` as commander hands them over. */
export interface CheckFlags extends ResolverFlags, PeerFlags, ReportFlags {
  readonly json?: boolean;
  readonly depth: string;
  readonly budget?: string;
  readonly spacing?: string;
  readonly resume?: string;
  readonly optOut?: string;
  readonly maxHosts?: string;
  readonly maxAddresses?: string;
  readonly intrusive?: boolean;
  readonly submission?: boolean;
  readonly mx?: string;
  readonly address?: string;
  readonly control?: string;
  readonly transcript?: boolean;
  readonly nagios?: boolean;
  readonly evidence?: string;
  readonly profile: string;
  readonly steps?: boolean;
}

/**
 * Turns flags into options of the library; throws HermeticError with what to do for each
 * that does not fit.
 */
export function readCheckFlags(flags: CheckFlags): CheckOptions {
  const depth = (['triage', 'verdict', 'inventory'] as const).find((d) => d === flags.depth);
  if (!depth)
    throw misuse('--depth', `${flags.depth} is not known`, 'Write triage, verdict or inventory.');
  if (flags.address !== undefined && !flags.mx)
    throw misuse('--address', 'needs --mx HOST', 'Give the host name that the server goes by.');
  if (flags.address !== undefined && !parseIp(flags.address))
    throw misuse(
      '--address',
      `${flags.address} is no IP address`,
      'Give an address such as 192.0.2.25.',
    );
  const { roots, ...dns } = readResolverFlags(flags);
  return {
    depth,
    ...(flags.submission ? { submissionPorts: [465, 587] } : {}),
    ...(flags.intrusive ? { intrusive: true } : {}),
    ...(flags.budget === undefined
      ? {}
      : { budget: readNumber('--budget', flags.budget, 1, 1000) }),
    ...(flags.maxHosts === undefined
      ? {}
      : { maxHosts: readNumber('--max-hosts', flags.maxHosts, 1, 100) }),
    ...(flags.maxAddresses === undefined
      ? {}
      : { maxAddresses: readNumber('--max-addresses', flags.maxAddresses, 1, 100) }),
    ...(flags.optOut === undefined
      ? {}
      : {
          optOut: unwrap(
            '--opt-out',
            parseOptOut(readFile(flags.optOut, '--opt-out')),
            'Write one host name or address a line.',
          ),
        }),
    ...(flags.spacing === undefined
      ? {}
      : { spacingMs: 1000 * readNumber('--spacing', flags.spacing, 0, 600) }),
    profile: profileNamed(flags.profile),
    ...(flags.mx === undefined ? {} : { mx: flags.mx }),
    ...(flags.address === undefined ? {} : { address: flags.address }),
    ...(flags.control === undefined ? {} : { control: flags.control }),
    ...readPeerFlags(flags),
    ...dns,
    ...(roots ? { trustStore: roots } : {}),
  };
}

/** The profile of that name, or in that file. */
export function profileNamed(name: string): Profile {
  const found = findProfile(name);
  if (found) return found;
  const fix = 'Correct what is named: docs/profiles.md shows the form.';
  if (name.endsWith('.json'))
    return unwrap('--profile', parseProfile(readJson(name, 'profile', fix, [z.unknown()])), fix);
  throw misuse(
    '--profile',
    `${name} is not known`,
    `The profiles there are: ${profileNames.join(', ')}.`,
  );
}
