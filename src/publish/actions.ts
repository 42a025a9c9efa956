/**
 * What a plan asks for: the whole contract between planner and executors. Each is safe to
 * carry out twice, and safe to carry out late: whoever does it needs nothing but the
 * action and the keys and credentials of its target.
 */
export type Action = ImportKey | MakeKey | Certify | Deploy | SetRrset | ServePolicy | StopServing;

export type KeyType = 'ecdsa' | 'rsa';

/**
 * Take a key, and its chain, from files of another program into the key ring under that
 * name. The files are only read, and only while they hold what the plan saw in them.
 */
export interface ImportKey {
  readonly kind: 'import-key';
  readonly host: string;
  readonly key: string;
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly from: { readonly file: string; readonly sha256: string };
  /** SHA-256 of the file. */
  readonly chain?: { readonly file: string; readonly sha256: string };
}

/**
 * Make a private key and keep it under that name; nothing when the name exists already.
 */
export interface MakeKey {
  readonly kind: 'make-key';
  /** MX host, or policy host. */
  readonly host: string;
  readonly key: string;
  readonly type: KeyType;
}

/** Have a certificate for that very key (CSR with this key, never a fresh one). */
export interface Certify {
  readonly kind: 'certify';
  readonly host: string;
  readonly key: string;
}

/** Make the host's server show that key, at every address, and reload it. */
export interface Deploy {
  readonly kind: 'deploy';
  readonly host: string;
  readonly key: string;
  /** Keys of other types that are due together with it: one reload serves all. */
  readonly also?: readonly string[];
}

/**
 * Compare and set: only where the RRset is exactly `from` (empty: does not exist) it
 * becomes `to`; already `to` is success. Never another name or type.
 */
export interface SetRrset {
  readonly kind: 'set-rrset';
  /** Owner without final dot, lower case. */
  readonly name: string;
  readonly type: 'TLSA' | 'TXT' | 'MX' | 'CNAME';
  /**
   * RDATA in presentation form, sorted; a TXT in quotes, in character strings of at most
   * 255 octets.
   */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Seconds. */
  readonly ttl: number;
}

/**
 * Serve this policy body at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` on every
 * address of the policy host.
 */
export interface ServePolicy {
  readonly kind: 'serve-policy';
  readonly domain: string;
  readonly id: string;
  readonly body: string;
}

/** No policy is served for the domain any longer. */
export interface StopServing {
  readonly kind: 'stop-serving';
  readonly domain: string;
}

/** An action with the reason why it is safe now. */
export interface Step<A extends Action = Action> {
  readonly action: A;
  readonly because: string;
  readonly clause: string;
}

/**
 * Why nothing more is done now. `until` (milliseconds since 1970) where the end is known.
 */
export interface Wait {
  readonly subject: string;
  readonly why: string;
  readonly until?: number;
}

/** The last failure of an action that has not succeeded since. */
export interface FailedAction {
  /** Stable: kind and target, such as `set-rrset _mta-sts.example.com TXT`. */
  readonly action: string;
  /** In one line for people. */
  readonly says: string;
  readonly code: string;
  readonly detail: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Nothing is tried before this time, where one is known. */
  readonly until?: number;
}

/**
 * Something a person has to look at: `code` is one of the catalogue, the same trouble is
 * told once.
 */
export interface Alert {
  readonly code: string;
  readonly subject: string;
  readonly detail: string;
}

/**
 * The result of an action. `manual`: the operator has to do it, and `text` is what to
 * paste or run; the next reading shows whether it took effect. `until`: nothing is tried
 * before that time (milliseconds since 1970). `untried`: nothing was tried, so an earlier
 * failure stands.
 */
export type ActionOutcome =
  | { readonly status: 'done' }
  | { readonly status: 'manual'; readonly text: string }
  | {
      readonly status: 'failed';
      readonly code: string;
      readonly detail: string;
      readonly until?: number;
      readonly untried?: true;
    };

/** How records get into the zones of one entry of `publish.dns`. */
export type DnsWriter = (action: SetRrset, signal?: AbortSignal) => Promise<ActionOutcome>;
