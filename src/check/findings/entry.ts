import type { RecordFault } from '../../dane/index.js';
import type { Finding, FixStep, Topic } from '../../evidence/index.js';

/**
 * The particulars that the texts of a finding may use. Foreign text among them is
 * neutralised by the renderers.
 */
export interface FindingValues {
  readonly domain: string;
  /** Options of the command that ran this check: see {@link CommandOptions}. */
  readonly options: CommandOptions;
  /** The MX host, empty for findings on the domain. */
  readonly host: string;
  readonly ip: string;
  /**
   * Every MX host that exists, in the order of preference: no advice leads anywhere else.
   */
  readonly mx: readonly string[];
  /** Preference of the MX record of `host`. */
  readonly preference: number;
  /** The host that the MX record should name, where that is certain. */
  readonly meant: string | undefined;
  /** Particulars as one phrase: a reply, a date, a failure's detail. */
  readonly detail: string;
  /** The value at fault and what is wrong with it. */
  readonly reason: string | undefined;
  /** Why TLSA records do not match. */
  readonly tlsa: readonly RecordFault[];
  /** A record 3 1 1 for the key in use is published. */
  readonly tlsaOfKey: boolean;
  /** The server's own 4yz or 5yz reply. */
  readonly reply: string | undefined;
  /** An identifier for the next policy version, made from the time of the check. */
  readonly policyId: string;
  /** The policy as served, with its mode. */
  readonly policy:
    | {
        readonly mode: 'enforce' | 'testing' | 'none';
        readonly maxAge: number;
        readonly mx: readonly string[];
      }
    | undefined;
  readonly tlsRpt: boolean;
  /** MX hosts whose certificates an MTA-STS sender would refuse. */
  readonly notReady: readonly string[];
  /** SHA-256 of the public key seen, lower-case hex. */
  readonly spkiSha256: string;
  readonly resolver: string;
}

/**
 * Options that printed commands repeat, so that a step works when it is pasted. Each text
 * is empty, or begins with a blank and is quoted for a POSIX shell.
 */
export interface CommandOptions {
  /** Options of `check` and `records`: lab, resolver, trust anchors, CA files. */
  readonly network: string;
  /** Options of `hermetic check` alone: ports, profile, `--mx`. */
  readonly check: string;
}

/** A check without options. */
export const noOptions: CommandOptions = { network: '', check: '' };

type Text = string | ((values: FindingValues) => string);

/** One row of the catalogue. */
export interface FindingEntry {
  /** The row of the scorecard that the finding belongs to. */
  readonly topic: Topic;
  /** The fact, in at most ten words. */
  readonly title: Text;
  /** The consequence for mail: what an attacker can do, or which senders fail. */
  readonly why: Text;
  readonly reference: string;
  readonly owner: Finding['owner'];
  /** An imperative of one or two sentences. */
  readonly fix: Text;
  readonly steps: (values: FindingValues) => readonly FixStep[];
  /** The fact when the test passes; a finding without it is not listed as a test. */
  readonly passed?: string;
}

/**
 * Steps of a fix. `code` is a record, a setting or a command, complete and nothing else,
 * so that it survives pasting.
 */
const step =
  (kind: FixStep['kind']) =>
  (instruction: string, code?: string): FixStep =>
    code === undefined
      ? { kind, text: instruction }
      : { kind, text: `${instruction}\n${code}`, instruction, code };

/** A change in the DNS; `code` is one record in zone file format, on one line. */
export const dns = step('dns');
/** A setting; `code` is what the file then contains. */
export const config = step('config');
/** A shell command. */
export const command = step('command');
/** A time to let pass; it has no code. */
export const wait = (instruction: string): FixStep => step('wait')(instruction);
/** Something the operator makes sure of, by a command where there is one. */
export const confirm = step('confirm');

/** `hermetic check` as this check was run, with more options behind the domain. */
export const checkCommand = (v: FindingValues, more = ''): string =>
  `hermetic check ${v.domain}${v.options.network}${v.options.check}${more}`;

/** The last step of every fix. */
export const checkAgain = (v: FindingValues): FixStep =>
  confirm('Check the domain again.', checkCommand(v));

/** A setting of Postfix's main.cf. */
export const postfix = (setting: string, purpose = 'Set in /etc/postfix/main.cf:'): FixStep =>
  config(purpose, setting);

/** Reads the changed configuration. */
export const reloadPostfix = command('Reload Postfix.', 'systemctl reload postfix');

/** Nothing to do. */
export const noSteps = (): readonly FixStep[] => [];

/** The text for one case. */
export function say(text: Text, values: FindingValues): string {
  return typeof text === 'string' ? text : text(values);
}

/** `title: detail`, or the title alone. */
export const withDetail =
  (title: string) =>
  ({ detail }: FindingValues): string =>
    detail === '' ? title : `${title}: ${detail}`;
