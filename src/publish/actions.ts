/**
 * The actions of a plan: the whole contract between planners and executors. Each action
 * is safe to execute twice, and safe to execute late. An executor needs nothing but the
 * action and the keys and credentials of its target.
 */
export type Action = ImportKey | MakeKey | Certify | Deploy | SetRrset | ServePolicy | StopServing;

/** RSA keys are for senders without ECDSA; both may be in use at the same time. */
export type KeyType = 'ecdsa' | 'rsa';

/**
 * Imports a key, and its chain, from files of another program into the key ring under a
 * name. The executor never writes the files, and reads them only if they have the planned
 * content.
 */
export interface ImportKey {
  readonly kind: 'import-key';
  readonly host: string;
  readonly key: string;
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly from: { readonly file: string; readonly sha256: string };
  /** SHA-256 of the file, lower-case hex. */
  readonly chain?: { readonly file: string; readonly sha256: string };
}

/** Creates a private key under a name. An existing key of that name stays. */
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

/** Makes the server of the host present this key at every address, and reloads it. */
export interface Deploy {
  readonly kind: 'deploy';
  readonly host: string;
  readonly key: string;
  /** Keys of other types that are deployed with the same reload. */
  readonly also?: readonly string[];
}

/**
 * Compares and sets one RRset (RFC 2136 §2.4): an RRset that is exactly `from` becomes
 * `to`, and an RRset that is `to` already is a success. Empty: the RRset does not exist.
 * No other name or type changes.
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
 * The reason why a plan has no further step now. `until`: when the wait ends
 * (milliseconds since 1970), if that is known.
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
  /** The action in one line, human-readable. */
  readonly says: string;
  readonly code: string;
  readonly detail: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** No attempt is made before this time (milliseconds since 1970). */
  readonly until?: number | undefined;
  /**
   * The time at which the change of records first succeeded (milliseconds since 1970);
   * the change is not visible yet.
   */
  readonly since?: number;
  /** The change may still become visible, so it is not shown as a failure. */
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
 * The result of an action. `manual`: the operator has to do it; `text` is the text to
 * paste or run; the next observation shows whether it took effect. `until`: no attempt is
 * made before that time (milliseconds since 1970). `untried`: no attempt was made, so an
 * earlier failure remains.
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
