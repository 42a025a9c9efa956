import { parseIp, unwrap } from '../../base/index.js';
import {
  findProfile,
  parseOptOut,
  parseProfile,
  profileNames,
  type CheckOptions,
  type Profile,
} from '../../check/index.js';
import { evidenceSchema, type Evidence } from '../../evidence/index.js';
import { senderHellos } from '../../tls/index.js';
import { readFile, readJson, STANDARD_STREAM } from '../files.js';
import { misuse, present, readOptionalNumber, readWord } from '../options.js';
import { readPeerFlags, type PeerFlags } from './peer-options.js';
import type { ReportFlags } from './report-options.js';
import { readResolverFlags, type ResolverFlags } from './resolver-options.js';

/**
 * The options of `hermetic check` as commander returns them.
 *
 * Every value is text or a boolean, exactly as typed: numbers and words are validated in
 * {@link readCheckFlags}, so that a wrong value is reported with its option and a fix.
 */
export interface CheckFlags extends ResolverFlags, PeerFlags, ReportFlags {
  /** File with a list of domains; `-` is standard input. */
  readonly from?: string;
  readonly json?: boolean;
  /**
   * Whether to print a complete report for each of several domains instead of one table.
   */
  readonly full?: boolean;
  /** `triage`, `verdict` or `inventory`: how many connections the check may open. */
  readonly depth: string;
  /** Maximum number of connections to one address. */
  readonly budget?: string;
  /** Seconds between two connections to one address. */
  readonly spacing?: string;
  /** File of saved evidence, whose queries the check does not repeat. */
  readonly resume?: string;
  /** File of hosts and addresses to which no connection is ever opened. */
  readonly optOut?: string;
  readonly maxHosts?: string;
  readonly maxAddresses?: string;
  /** Whether to test for STARTTLS command injection too (CVE-2011-0411). */
  readonly intrusive?: boolean;
  /** Whether to send the recorded hellos of senders too. */
  readonly senders?: boolean;
  /** Whether to check ports 465 and 587 too. */
  readonly submission?: boolean;
  /** Host to check instead of the hosts in the MX records. */
  readonly mx?: string;
  /** IP address to connect to instead of the addresses of the host; needs `mx`. */
  readonly address?: string;
  /**
   * Host that is known to offer STARTTLS: its reply shows whether the local network
   * strips STARTTLS.
   */
  readonly control?: string;
  readonly transcript?: boolean;
  /** Output file for the evidence of one domain. */
  readonly evidence?: string;
  /** Name of a built-in profile, or a `.json` file. */
  readonly profile: string;
  readonly steps?: boolean;
}

/** The values of `--depth`, from the fewest connections to the most. */
const depths = ['triage', 'verdict', 'inventory'] as const;

/** The ports of message submission that `--submission` adds (RFC 8314 §3.3). */
const SUBMISSION_PORTS = [465, 587] as const;

/**
 * Turns flags into options of the library. Throws HermeticError for each invalid flag.
 *
 * Reads the files that the flags name, and opens no connection. Limits: `--budget` 1 to
 * 1000, `--max-hosts` and `--max-addresses` 1 to 100, `--spacing` 0 to 600 seconds. A
 * flag that is not given is absent in the result, so that the default of the library
 * applies.
 */
export function readCheckFlags(checkFlags: CheckFlags): CheckOptions {
  const { mx, address, control, resume } = checkFlags;
  // A TLSA base domain and a reference identifier belong to a host name: an address alone
  // could be tested for encryption, never for authentication (RFC 7672 §2.2.2).
  if (address !== undefined && mx === undefined)
    throw misuse('--address', 'needs --mx HOST', 'Specify the host name of that server as well.');
  if (address !== undefined && !parseIp(address))
    throw misuse(
      '--address',
      `${address} is not an IP address`,
      'Use an address such as 192.0.2.25.',
    );
  if (checkFlags.senders && checkFlags.depth === 'triage')
    throw misuse('--senders', 'needs more connections than --depth triage', 'Omit --depth triage.');
  const { roots, ...dns } = readResolverFlags(checkFlags);
  const count = (
    option: string,
    optionText: string | undefined,
    most: number,
  ): number | undefined => readOptionalNumber(option, optionText, { least: 1, most });
  const spacing = readOptionalNumber('--spacing', checkFlags.spacing, {
    least: 0,
    most: 600,
    fractions: true,
  });
  return present({
    depth: readWord('--depth', checkFlags.depth, depths),
    submissionPorts: checkFlags.submission ? SUBMISSION_PORTS : undefined,
    intrusive: checkFlags.intrusive,
    senders: checkFlags.senders ? senderHellos().map(({ id }) => id) : undefined,
    budget: count('--budget', checkFlags.budget, 1000),
    maxHosts: count('--max-hosts', checkFlags.maxHosts, 100),
    maxAddresses: count('--max-addresses', checkFlags.maxAddresses, 100),
    optOut:
      checkFlags.optOut === undefined
        ? undefined
        : unwrap(
            '--opt-out',
            parseOptOut(readFile(checkFlags.optOut, '--opt-out')),
            'Write one host name or address per line.',
          ),
    spacingMs: spacing === undefined ? undefined : 1000 * spacing,
    profile: profileNamed(checkFlags.profile),
    mx,
    address,
    control,
    ...readPeerFlags(checkFlags),
    ...dns,
    trustStore: roots,
    earlier: resume === undefined ? undefined : readEvidence(resume, '--resume'),
  });
}

/**
 * Reads evidence from a file, or standard input for `-`. Throws HermeticError.
 *
 * The error names the kind of any other file (a result, a proof), and the first member
 * that does not match the schema. `what`: the option or role, for messages.
 */
export function readEvidence(filePath: string, what = 'evidence'): Evidence {
  return readJson(filePath, {
    what,
    code: 'evidence-invalid',
    kinds: [{ id: 'hermetic.evidence/1', schema: evidenceSchema }],
  });
}

/**
 * Returns the built-in profile with this name, or the profile in this `.json` file.
 *
 * A profile in a file is the operator's own grading policy. A name that is neither built
 * in nor ends in `.json` is usually a typo, so the message lists the names.
 */
export function profileNamed(profileName: string): Profile {
  const found = findProfile(profileName);
  if (found) return found;
  if (!profileName.endsWith('.json') && profileName !== STANDARD_STREAM)
    throw misuse(
      '--profile',
      `${profileName} is not known`,
      `Choose one of ${profileNames.join(', ')}, or a .json file.`,
    );
  const fix = 'Correct the member that the message names: docs/profiles.md describes it.';
  return unwrap('--profile', parseProfile(readProfile(profileName)), fix);
}

/** Parses the JSON of a profile. `parseProfile` validates its members. */
function readProfile(filePath: string): unknown {
  const profileText = readFile(filePath, '--profile');
  try {
    return JSON.parse(profileText);
  } catch {
    throw misuse('--profile', `${filePath} is not JSON`, 'docs/profiles.md shows the form.');
  }
}

/** The largest number of domains in one list. */
const MAX_DOMAINS = 10_000;

/**
 * Reads a list of domains: one per line, `#` starts a comment. Throws HermeticError
 * for an empty or too long list.
 *
 * Blank lines and white space around a name are ignored. The names are not validated
 * here: an invalid name is reported later and does not stop the other checks.
 */
export function readDomainList(filePath: string): readonly string[] {
  const domains = readFile(filePath, '--from')
    .split(/\r?\n/)
    .map((textLine) => textLine.replace(/#.*/, '').trim())
    .filter((textLine) => textLine !== '');
  if (domains.length === 0)
    throw misuse('--from', 'the list is empty', 'Write one domain per line.');
  if (domains.length > MAX_DOMAINS)
    throw misuse('--from', `more than ${MAX_DOMAINS} domains`, 'Split the list.');
  return domains;
}
