import type { CommandOptions } from '../check/index.js';

/** Flags that a printed command must repeat in order to query the same network. */
export interface RepeatedFlags {
  readonly lab?: boolean | undefined;
  readonly resolver?: readonly string[] | undefined;
  readonly trustAnchor?: string | undefined;
  readonly trustAd?: boolean | undefined;
  readonly clockSkew?: string | undefined;
  readonly ca?: string | undefined;
  readonly systemCa?: boolean | undefined;
  readonly smtpPort?: string | undefined;
  readonly httpsPort?: string | undefined;
  readonly mx?: string | undefined;
  readonly address?: string | undefined;
  readonly submission?: boolean | undefined;
  readonly profile?: string | undefined;
}

interface Repeated {
  readonly option: string;
  readonly flag: keyof RepeatedFlags;
  /** The default value, which a printed command need not repeat. */
  readonly default?: string | undefined;
}

/** Options that `check` and `records` have in common. */
const ofNetwork: readonly Repeated[] = [
  { option: '--lab', flag: 'lab' },
  { option: '--trust-anchor', flag: 'trustAnchor' },
  { option: '--trust-ad', flag: 'trustAd' },
  { option: '--clock-skew', flag: 'clockSkew' },
  { option: '--ca', flag: 'ca' },
  { option: '--system-ca', flag: 'systemCa' },
];

const ofResolver: readonly Repeated[] = [{ option: '--resolver', flag: 'resolver' }];

const ofCheck: readonly Repeated[] = [
  { option: '--smtp-port', flag: 'smtpPort', default: '25' },
  { option: '--https-port', flag: 'httpsPort', default: '443' },
  { option: '--mx', flag: 'mx' },
  { option: '--address', flag: 'address' },
  { option: '--submission', flag: 'submission' },
  { option: '--profile', flag: 'profile', default: 'baseline' },
];

/**
 * Returns the options that the commands among the steps repeat, so that a pasted step
 * queries the same network.
 */
export function repeatedOptions(repeatedFlags: RepeatedFlags): CommandOptions {
  const textOf = (options: readonly Repeated[]): string =>
    options
      .flatMap((entry) => optionWords(entry, repeatedFlags).map((word) => ` ${word}`))
      .join('');
  return { network: textOf(ofNetwork), resolver: textOf(ofResolver), check: textOf(ofCheck) };
}

function optionWords(
  { option, flag, default: usual }: Repeated,
  repeatedFlags: RepeatedFlags,
): string[] {
  const value = repeatedFlags[flag];
  if (value === undefined || value === false || value === usual) return [];
  if (value === true) return [option];
  const values = typeof value === 'string' ? [value] : value;
  return values.flatMap((text) => [option, quoted(text)]);
}

/** Quotes a word for a POSIX shell if necessary. */
function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
