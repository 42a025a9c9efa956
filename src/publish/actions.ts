/**
 * The actions of a plan: the complete interface between planners and executors. Each
 * action is safe to execute twice, and safe to execute late. An executor needs nothing
 * but the action and the keys and credentials of its target.
 */
export type Action = ImportKey | MakeKey | Certify | Deploy | SetRrset | ServePolicy | StopServing;

/**
 * Key types: RSA is for senders without ECDSA, and a host may use both at the same time.
 */
export type KeyType = 'ecdsa' | 'rsa';

/**
 * Imports a key, and its chain, from files of another program into the key ring, under
 * the name `key`. The executor never writes the files, and reads them only if they have
 * the planned content.
 */
export interface ImportKey {
  readonly kind: 'import-key';
  readonly host: string;
  readonly key: string;
  /** The key file, and the SHA-256 of its SubjectPublicKeyInfo. */
  readonly from: { readonly file: string; readonly sha256: string };
  /** The chain file, and its SHA-256 in lower-case hex. */
  readonly chain?: { readonly file: string; readonly sha256: string };
}

/**
 * Creates a private key under a name. If a key of that name exists, it remains unchanged.
 */
export interface MakeKey {
  readonly kind: 'make-key';
  /** An MX host or a policy host. */
  readonly host: string;
  readonly key: string;
  readonly type: KeyType;
}

/** Obtains a certificate for exactly this key, and never creates a new key. */
export interface Certify {
  readonly kind: 'certify';
  readonly host: string;
  readonly key: string;
}

/**
 * Makes the server of the host present this key at every address, and reloads the server.
 */
export interface Deploy {
  readonly kind: 'deploy';
  readonly host: string;
  readonly key: string;
  /** Keys of other types that are deployed with the same reload. */
  readonly also?: readonly string[];
}

/**
 * Compares and sets one RRset (RFC 2136 §2.4): an RRset that is exactly `from` becomes
 * `to`. If the RRset already is `to`, the action succeeds. An empty list means that the
 * RRset does not exist. No other name or type changes.
 */
export interface SetRrset {
  readonly kind: 'set-rrset';
  /** Owner name without final dot, lower case. */
  readonly name: string;
  readonly type: 'TLSA' | 'TXT' | 'MX' | 'CNAME';
  /**
   * RDATA in presentation form, sorted. TXT in quotes, in character strings of at most
   * 255 octets.
   */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Seconds. */
  readonly ttl: number;
}

/**
 * Serves a policy body at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` on every
 * address of the policy host (RFC 8461 §3.3).
 */
export interface ServePolicy {
  readonly kind: 'serve-policy';
  readonly domain: string;
  readonly id: string;
  readonly body: string;
}

/** Stops serving a policy for the domain. */
export interface StopServing {
  readonly kind: 'stop-serving';
  readonly domain: string;
}

/** An action with the reason why it is safe now, and the clause of that reason. */
export interface Step<A extends Action = Action> {
  readonly action: A;
  readonly because: string;
  readonly clause: string;
}

/**
 * The reason why a plan has no further step now. `until` is the end of the wait
 * (milliseconds since 1970), if it is known.
 */
export interface Wait {
  readonly subject: string;
  readonly why: string;
  readonly until?: number | undefined;
}

/** The last failure of an action that has not succeeded since. Stored as JSON. */
export interface FailedAction {
  /** Stable: kind and target, such as `set-rrset _mta-sts.example.com TXT`. */
  readonly action: string;
  /** Human-readable description of the action on one line. */
  readonly says: string;
  readonly code: string;
  readonly detail: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Earliest time of the next attempt (milliseconds since 1970). */
  readonly until?: number | undefined;
  /**
   * The time at which the change of records first succeeded (milliseconds since 1970);
   * the change is not visible yet.
   */
  readonly since?: number;
  /** Whether the change may still become visible: it is then not shown as a failure. */
  readonly pending?: true | undefined;
}

/**
 * A condition that needs the operator. `code` is in the failure catalogue. Each condition
 * is reported once.
 */
export interface Alert {
  readonly code: string;
  readonly subject: string;
  readonly detail: string;
}

/**
 * The result of an action. `manual`: the operator has to execute the action. `text` is
 * the text to paste or run, and the next observation shows whether it took effect.
 * `until`: earliest time of the next attempt (milliseconds since 1970). `untried`: the
 * executor made no attempt, so an earlier failure remains recorded.
 */
export type ActionOutcome =
  | { readonly status: 'done' }
  | { readonly status: 'manual'; readonly text: string }
  | {
      readonly status: 'failed';
      readonly code: string;
      readonly detail: string;
      readonly until?: number | undefined;
      readonly untried?: true;
    };

/** Changes records in the zones of one entry of `publish.dns`. */
export type DnsWriter = (action: SetRrset, abortSignal?: AbortSignal) => Promise<ActionOutcome>;
