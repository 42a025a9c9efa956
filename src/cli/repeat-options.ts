import type { CheckResult } from '../evidence/index.js';

/** Flags that a printed command has to repeat, or it would ask another network. */
export interface RepeatedFlags {
  readonly lab?: boolean;
  readonly resolver?: readonly string[];
  readonly trustAnchor?: string;
  readonly trustAd?: boolean;
  readonly clockSkew?: string;
  readonly ca?: string;
  readonly systemCa?: boolean;
  readonly smtpPort?: string;
  readonly httpsPort?: string;
  readonly mx?: string;
  readonly address?: string;
  readonly submission?: boolean;
  readonly profile?: string;
}

interface Repeated {
  readonly option: string;
  readonly flag: keyof RepeatedFlags;
  /** Not repeated, because the command has it anyway. */
  readonly default?: string;
  /** The commands that take the option; all of them where it is missing. */
  readonly commands?: readonly string[];
}

const ofPeers = ['check', 'send', 'policy'];
const repeated: readonly Repeated[] = [
  { option: '--lab', flag: 'lab', commands: [...ofPeers, 'records', 'dnssec'] },
  { option: '--resolver', flag: 'resolver', commands: [...ofPeers, 'records', 'dnssec'] },
  { option: '--trust-anchor', flag: 'trustAnchor', commands: [...ofPeers, 'records', 'dnssec'] },
  { option: '--trust-ad', flag: 'trustAd', commands: [...ofPeers, 'records', 'dnssec'] },
  { option: '--clock-skew', flag: 'clockSkew', commands: [...ofPeers, 'records', 'dnssec'] },
  { option: '--ca', flag: 'ca', commands: [...ofPeers, 'records'] },
  { option: '--system-ca', flag: 'systemCa', commands: [...ofPeers, 'records'] },
  { option: '--smtp-port', flag: 'smtpPort', default: '25', commands: ofPeers },
  { option: '--https-port', flag: 'httpsPort', default: '443', commands: ofPeers },
  { option: '--mx', flag: 'mx', commands: ['check'] },
  { option: '--address', flag: 'address', commands: ['check'] },
  { option: '--submission', flag: 'submission', commands: ['check'] },
  { option: '--profile', flag: 'profile', default: 'baseline', commands: ['check', 'grade'] },
];

/**
 * Returns the result with every `hermetic` command among its steps extended by the options
 * of this run, so that it can be pasted and asks the same network.
 */
export function repeatOptions(result: CheckResult, flags: RepeatedFlags): CheckResult {
  const findings = result.findings.map((finding) => ({
    ...finding,
    steps: finding.steps.map((step) => ({ ...step, text: extendCommand(step.text, flags) })),
  }));
  return { ...result, findings };
}

/** Extends one command line; any other text is returned as it is. */
export function extendCommand(text: string, flags: RepeatedFlags): string {
  const [program, name = '', subject = '', ...rest] = text.split(' ');
  if (program !== 'hermetic') return text;
  const words = repeated
    .filter(({ commands, option }) => commands?.includes(name) && !rest.includes(option))
    .flatMap((entry) => optionWords(entry, flags));
  return [program, name, subject, ...words, ...rest].join(' ').trimEnd();
}

function optionWords({ option, flag, default: usual }: Repeated, flags: RepeatedFlags): string[] {
  const value = flags[flag];
  if (value === undefined || value === false || value === usual) return [];
  if (value === true) return [option];
  const values = typeof value === 'string' ? [value] : value;
  return values.flatMap((text) => [option, quoted(text)]);
}

/** Quotes a word for a POSIX shell where it needs that. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
