import type { RecordFault } from '../../dane/index.js';
import { logLines } from '../../base/index.js';
import type { Finding, FixStep, Topic } from '../../evidence/index.js';

/**
 * The particulars that the texts of a finding may use. The texts of peers among the
 * particulars are neutralised before they are shown.
 */
export interface FindingValues {
  /**
   * The domain that was checked, in A-labels, for records and commands.
   */
  readonly domain: string;
  /** Options of the command that ran this check: see {@link CommandOptions}. */
  readonly options: CommandOptions;
  /** The MX host, empty for findings on the domain. */
  readonly host: string;
  /**
   * The address of `host` that the finding is about; empty if the finding is about all of
   * its addresses.
   */
  readonly ip: string;
  /**
   * Every MX host with an address, in the order of preference: advice names no other
   * host.
   */
  readonly mx: readonly string[];
  /**
   * MX hosts that may or may not exist: their address lookup failed, or the check omitted
   * them.
   */
  readonly unseen: readonly string[];
  /** Preference of the MX record of `host`. */
  readonly preference: number;
  /**
   * The owner name of the address records of `host`: the end of its alias, or the host.
   */
  readonly addressOwner: string;
  /** The host that the MX record should name, if that is certain. */
  readonly meant: string | undefined;
  /** Particulars as one phrase: a reply, a date, a failure's detail. */
  readonly detail: string;
  /** The value at fault and its fault. */
  readonly reason: string | undefined;
  /** The reason why TLSA records do not match. */
  readonly tlsa: readonly RecordFault[];
  /** The end of an alias at the name of the TLSA records. */
  readonly tlsaAlias: string | undefined;
  /** The server's own 4yz or 5yz reply. */
  readonly reply: string | undefined;
  /** An identifier for the next policy version, made from the time of the check. */
  readonly policyId: string;
  /** The policy that the policy host served. */
  readonly policy:
    | {
        readonly mode: 'enforce' | 'testing' | 'none';
        readonly maxAge: number;
        readonly mx: readonly string[];
      }
    | undefined;
  /**
   * True if a valid TLS-RPT record is published, so that no step has to add one before
   * enforcement.
   */
  readonly tlsRpt: boolean;
  /**
   * MX hosts, including those in `unseen`, for which this check did not observe the
   * session that an enforced policy requires: TLS, and a certificate that an MTA-STS
   * sender accepts.
   */
  readonly notReady: readonly string[];
  /**
   * Mechanisms in force whose senders refuse the subject of the finding. Empty if no
   * sender refuses it.
   */
  readonly refusedBy: readonly ('enforce' | 'daneTa' | 'daneEe')[];
  /**
   * The action of senders that refuse the subject, as a predicate: use another address or
   * host that works for them, or defer the mail.
   */
  readonly instead: string;
  /** True if the failure may end without a change by the domain. */
  readonly temporary: boolean;
  /** True if the address lookup of `host` failed. */
  readonly lookup: boolean;
  /**
   * The fix of this case, if it differs from the general fix of the finding.
   */
  readonly advice: string | undefined;
  /** SHA-256 of the received public key, lower-case hex. */
  readonly spkiSha256: string;
  /**
   * The resolvers of this check by their names in the provenance, separated by commas.
   */
  readonly resolver: string;
}

/**
 * Options that printed commands repeat, so that a step works when it is pasted. Each text
 * is empty, or begins with a space and is quoted for a POSIX shell.
 */
export interface CommandOptions {
  /** Options of `check` and `records`: lab, trust anchors, CA files. */
  readonly network: string;
  /**
   * The option that names the resolvers; a step that names another resolver omits it.
   * Default none.
   */
  readonly resolver?: string | undefined;
  /** Options of `hermetic check` alone: ports, profile, `--mx`. */
  readonly check: string;
}

/** A check without options. */
export const noOptions: CommandOptions = { network: '', check: '' };

/**
 * A text of the catalogue: fixed, or made from the particulars of one case. A fixed text
 * is preferred, because it can be listed in the documentation without an example.
 */
type Text = string | ((findingValues: FindingValues) => string);

/** One row of the catalogue. */
export interface FindingEntry {
  /** The row of the scorecard that the finding belongs to. */
  readonly topic: Topic;
  /** The fact, in at most ten words. */
  readonly title: Text;
  /**
   * The consequence for mail: the possible attack, or the senders that cannot deliver.
   */
  readonly why: Text;
  /**
   * The clause that the finding depends on. A profile can name its own clause instead.
   */
  readonly reference: string;
  /**
   * The party that can apply the fix: the domain, the mail host, the DNS host, or the
   * network of this check. Reports group findings by owner, since a domain often cannot
   * change its provider's server.
   */
  readonly owner: Finding['owner'];
  /** An imperative of one or two sentences. */
  readonly fix: Text;
  /**
   * The steps of the fix in the order in which they are safe. A step that could defer
   * mail comes after the steps that prevent the deferral. The last step repeats the
   * check.
   */
  readonly steps: (findingValues: FindingValues) => readonly FixStep[];
  /**
   * The fact that is true when the test passes; undefined for a finding that is not
   * listed as a test.
   */
  readonly passed?: string;
}

/**
 * Steps of a fix. `code` is a record, a setting or a command, complete and without other
 * text, so that the operator can paste it.
 */
const step =
  (kind: FixStep['kind']) =>
  (instruction: string, code?: string): FixStep =>
    code === undefined
      ? { kind, text: instruction }
      : { kind, text: `${instruction}\n${code}`, instruction, code };

/** A change in the DNS; `code` is one record in zone file format, on one line. */
export const dns = step('dns');
/** A setting; `code` is the resulting content of the file. */
export const config = step('config');
/** A shell command. */
export const command = step('command');
/**
 * A waiting time; it has no code. DNS caches make most waits necessary: after two TTLs,
 * no cache returns the old record.
 */
export const wait = (instruction: string): FixStep => step('wait')(instruction);
/** A condition that the operator verifies, by a command if one exists. */
export const confirm = step('confirm');

/** The `hermetic check` command of this run, with more options after the domain. */
export const checkCommand = ({ domain, options }: FindingValues, more = ''): string =>
  `hermetic check ${domain}${options.network}${options.resolver ?? ''}${options.check}${more}`;

/** The `hermetic check` command of this run, with a placeholder for the resolver. */
export const checkElsewhere = ({ domain, options }: FindingValues): string =>
  `hermetic check ${domain}${options.network}${options.check} --resolver ADDRESS`;

/** The `hermetic records` command for the network of this check. */
export const recordsCommand = ({ domain, options }: FindingValues): string =>
  `hermetic records ${domain}${options.network}${options.resolver ?? ''}`;

/** The last step of every fix, which repeats the check. */
export const checkAgain = (findingValues: FindingValues): FixStep =>
  confirm('Check the domain again.', checkCommand(findingValues));

/**
 * A setting of Postfix's main.cf. Every step uses Postfix as its example, because
 * commands must be ready to paste. `hermetic config` supports other servers.
 */
export const postfixStep = (setting: string, purpose = 'Set in /etc/postfix/main.cf:'): FixStep =>
  config(purpose, setting);

/** Makes Postfix read the changed configuration without a break in service. */
export const reloadPostfix = command('Reload Postfix.', 'systemctl reload postfix');

/**
 * Steps that make Postfix log the TLS version and cipher suite of each session, and count
 * the logged sessions by the text that a pattern finds in each line.
 */
export const countSessions = (pattern: string): readonly FixStep[] => [
  postfixStep(
    'smtpd_tls_loglevel = 1',
    'Log sessions: set this parameter in /etc/postfix/main.cf.',
  ),
  reloadPostfix,
  command(
    'After some days, count the sessions by TLS version and cipher suite.',
    `${logLines('TLS connection established from')} | grep -oE '${pattern}' | sort | uniq -c`,
  ),
];

/** No steps, for findings that report something good or that need no action. */
export const noSteps = (): readonly FixStep[] => [];

/** Returns the text for one case. */
export function say(text: Text, findingValues: FindingValues): string {
  return typeof text === 'string' ? text : text(findingValues);
}

/** ` (text)`, or nothing if there is no text. */
export const inBrackets = (text: string): string => (text === '' ? '' : ` (${text})`);

/** `title: detail`, or the title alone. */
export const withDetail =
  (title: string) =>
  ({ detail }: FindingValues): string =>
    detail === '' ? title : `${title}: ${detail}`;
