import { parseIp } from '../../base/index.js';
import {
  findProfile,
  parseOptOut,
  parseProfile,
  profileNames,
  type CheckOptions,
  type Profile,
} from '../../check/index.js';
import { evidenceSchema, type Evidence } from '../../evidence/index.js';
import { readFile, readJson, STANDARD_STREAM } from '../files.js';
import { misuse, present, readOptionalNumber, readWord, unwrap } from '../options.js';
import { readPeerFlags, type PeerFlags } from './peer-options.js';
import type { ReportFlags } from './report-options.js';
import { readResolverFlags, type ResolverFlags } from './resolver-options.js';

/** The options of `hermetic check` as commander gives them. */
export interface CheckFlags extends ResolverFlags, PeerFlags, ReportFlags {
  readonly from?: string;
  readonly json?: boolean;
  readonly full?: boolean;
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
  readonly evidence?: string;
  readonly profile: string;
  readonly steps?: boolean;
}

const depths = ['triage', 'verdict', 'inventory'] as const;

/** The ports of message submission that `--submission` adds (RFC 8314 §3.3). */
const SUBMISSION_PORTS = [465, 587] as const;

/**
 * Turns flags into options of the library. Throws HermeticError for each flag that does
 * not fit.
 */
export function readCheckFlags(flags: CheckFlags): CheckOptions {
  const { mx, address, control, resume } = flags;
  if (address !== undefined && mx === undefined)
    throw misuse('--address', 'needs --mx HOST', 'Give the host name of that server too.');
  if (address !== undefined && !parseIp(address))
    throw misuse(
      '--address',
      `${address} is not an IP address`,
      'Give an address such as 192.0.2.25.',
    );
  const { roots, ...dns } = readResolverFlags(flags);
  const count = (option: string, text: string | undefined, most: number): number | undefined =>
    readOptionalNumber(option, text, { least: 1, most });
  const spacing = readOptionalNumber('--spacing', flags.spacing, {
    least: 0,
    most: 600,
    fractions: true,
  });
  return present({
    depth: readWord('--depth', flags.depth, depths),
    submissionPorts: flags.submission ? SUBMISSION_PORTS : undefined,
    intrusive: flags.intrusive,
    budget: count('--budget', flags.budget, 1000),
    maxHosts: count('--max-hosts', flags.maxHosts, 100),
    maxAddresses: count('--max-addresses', flags.maxAddresses, 100),
    optOut:
      flags.optOut === undefined
        ? undefined
        : unwrap(
            '--opt-out',
            parseOptOut(readFile(flags.optOut, '--opt-out')),
            'Write one host name or address on each line.',
          ),
    spacingMs: spacing === undefined ? undefined : 1000 * spacing,
    profile: profileNamed(flags.profile),
    mx,
    address,
    control,
    ...readPeerFlags(flags),
    ...dns,
    trustStore: roots,
    earlier: resume === undefined ? undefined : readEvidence(resume, '--resume'),
  });
}

/** Reads evidence from a file, or standard input for `-`. Throws HermeticError. */
export function readEvidence(file: string, what = 'evidence'): Evidence {
  return readJson(file, {
    what,
    code: 'evidence-invalid',
    kinds: [{ id: 'hermetic.evidence/1', schema: evidenceSchema }],
  });
}

/** Returns the profile of that name, or the one in that `.json` file. */
export function profileNamed(name: string): Profile {
  const found = findProfile(name);
  if (found) return found;
  if (!name.endsWith('.json') && name !== STANDARD_STREAM)
    throw misuse(
      '--profile',
      `${name} is not known`,
      `Choose one of ${profileNames.join(', ')}, or a .json file.`,
    );
  const fix = 'Correct the member that is named: docs/profiles.md shows the form.';
  return unwrap('--profile', parseProfile(readProfile(name)), fix);
}

function readProfile(file: string): unknown {
  const text = readFile(file, '--profile');
  try {
    return JSON.parse(text);
  } catch {
    throw misuse('--profile', `${file} is not JSON`, 'docs/profiles.md shows the form.');
  }
}

/** The most domains that one list may have. */
const MAX_DOMAINS = 10_000;

/**
 * Reads a list of domains: one on each line, `#` starts a comment. Throws HermeticError for
 * an empty or too long list.
 */
export function readDomainList(file: string): readonly string[] {
  const domains = readFile(file, '--from')
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  if (domains.length === 0)
    throw misuse('--from', 'the list is empty', 'Write one domain on each line.');
  if (domains.length > MAX_DOMAINS)
    throw misuse('--from', `more than ${MAX_DOMAINS} domains`, 'Split the list.');
  return domains;
}
