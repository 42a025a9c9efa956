import type { Depth, Severity, TlsVersion } from '../../evidence/index.js';
import type { FindingId } from '../findings/catalogue.js';

/**
 * The mechanism that authenticates a server. Each is graded alone, and the worst severity
 * counts.
 */
export type TrustMechanism = 'none' | 'testing' | 'enforce' | 'daneTa' | 'daneEe';

/** One rule of a profile: the severity of a finding and the clause behind it. */
export interface Rule {
  /** One severity, or one by what is in force. */
  readonly severity: Severity | Readonly<Record<TrustMechanism, Severity>>;
  /** Severity if the fault affects all mail hosts. */
  readonly whenAll?: Severity;
  readonly clause: string;
  /** The least depth that asks this rule; default triage. */
  readonly depth?: Depth | 'intrusive';
}

/** "Does the server take any of these?", and what it is called when it does. */
export type TlsSet = { readonly finding: FindingId } & (
  | { readonly suites: readonly number[] }
  | {
      readonly groups: readonly number[];
      readonly version: 'TLSv1.2' | 'TLSv1.3';
      /** Groups of the set that raise another finding: one question serves both. */
      readonly apart?: { readonly finding: FindingId; readonly groups: readonly number[] };
    }
  | { readonly schemes: readonly number[] }
);

/** The TLS requirements of a profile, apart from the certificate. */
export interface TlsTerms {
  /** Versions that are found fault with when they are accepted. */
  readonly versions: Partial<Readonly<Record<TlsVersion, FindingId>>>;
  /** A version that has to be accepted. */
  readonly required: readonly TlsVersion[];
  readonly sets: readonly TlsSet[];
  /**
   * With everything on offer a server must not choose one of `worse` when it takes
   * others.
   */
  readonly order?: { readonly finding: FindingId; readonly worse: readonly number[] };
  /** Bits of a finite-field group below which it is found fault with. */
  readonly dheBits?: number;
  /** Extensions and features that TLS 1.2 has to have, or must not have. */
  readonly compression?: FindingId;
  readonly extendedMasterSecret?: FindingId;
  readonly secureRenegotiation?: FindingId;
}

/** Keys below these sizes. */
export interface KeyTerms {
  readonly finding: FindingId;
  readonly rsaBelow: number;
  readonly ecBelow: number;
}

/** A grading profile: rules and limits as data, with source and date. */
export interface Profile {
  readonly name: string;
  readonly source: string;
  readonly date: string;
  readonly rules: Readonly<Record<FindingId, Rule>>;
  /** Near expiry: below this share of the lifetime, and at most so many days. */
  readonly nearExpiry: { readonly share: number; readonly days: number };
  /** Worst first: the first that fits counts. */
  readonly keys: readonly KeyTerms[];
  readonly tls: TlsTerms;
  /** DANE is asked of every domain. */
  readonly requiresDane?: boolean;
  /** Seconds of max_age below which a policy counts as short. */
  readonly maxAge: number;
}
