import type { Depth, Severity, TlsVersion } from '../../evidence/index.js';
import type { FindingId } from '../findings/catalogue.js';

/**
 * The mechanism by which a sender judges a certificate: no verification, an MTA-STS
 * policy in mode testing or enforce, or a TLSA record with usage 2 or 3. A finding is
 * graded for each mechanism in force, and the worst severity applies.
 */
export type TrustMechanism = 'none' | 'testing' | 'enforce' | 'daneTa' | 'daneEe';

/** The grade of one finding under a profile. */
export interface Rule {
  /** One severity, or a severity for each mechanism. */
  readonly severity: Severity | Readonly<Record<TrustMechanism, Severity>>;
  /**
   * The severity if no other host is left, for example if every mail host is unreachable.
   */
  readonly whenAll?: Severity;
  /** The clause of the profile's source that the rule is based on. */
  readonly clause: string;
  /** The smallest depth that includes this test; default triage. */
  readonly depth?: Depth | 'intrusive';
}

/**
 * A question to the server, "do you accept any of these?", with the finding that a
 * positive answer raises.
 */
export type TlsSet = { readonly finding: FindingId } & (
  | { readonly suites: readonly number[] }
  | {
      readonly groups: readonly number[];
      readonly version: 'TLSv1.2' | 'TLSv1.3';
      /**
       * Groups of the set that raise another finding: one question tests for both
       * findings.
       */
      readonly apart?: { readonly finding: FindingId; readonly groups: readonly number[] };
    }
  | { readonly schemes: readonly number[] }
);

/** The requirements of a profile on TLS itself, beyond the certificate. */
export interface TlsTerms {
  /**
   * The finding that each accepted version raises; a version without one is acceptable.
   */
  readonly versions: Partial<Readonly<Record<TlsVersion, FindingId>>>;
  /** Versions that the server must accept. */
  readonly required: readonly TlsVersion[];
  /** Questions on suites, groups and signatures. Each costs at least one connection. */
  readonly sets: readonly TlsSet[];
  /**
   * The finding raised when a server that accepts better suites selects one of `worse`
   * from an offer of all suites.
   */
  readonly order?: { readonly finding: FindingId; readonly worse: readonly number[] };
  /** The smallest accepted length in bits of a finite-field group. */
  readonly dheBits?: number;
  /**
   * The findings on features of TLS 1.2, raised if compression is present or one of the
   * others is missing.
   */
  readonly compression?: FindingId;
  readonly extendedMasterSecret?: FindingId;
  readonly secureRenegotiation?: FindingId;
}

/** Limits on the key of a certificate. */
export interface KeyTerms {
  readonly finding: FindingId;
  /** Bits of an RSA or DSA key below which the finding is raised. */
  readonly rsaBelow: number;
  /** Bits of an elliptic-curve key below which the finding is raised. */
  readonly ecBelow: number;
}

/**
 * The rules that determine a verdict, as data with source and date, so that a result
 * stays comparable when a guideline changes.
 */
export interface Profile {
  /** The name, which contains the date of the edition, except for the baseline. */
  readonly name: string;
  /** The documents that the rules come from. */
  readonly source: string;
  /** The date of the edition, as exact as it is known: a year, a month or a day. */
  readonly date: string;
  /** A rule for every finding of the catalogue. */
  readonly rules: Readonly<Record<FindingId, Rule>>;
  /**
   * The remaining lifetime that counts as near expiry: below this share, and at most this
   * number of days.
   */
  readonly nearExpiry: { readonly share: number; readonly days: number };
  /**
   * Limits on keys, the strictest finding first: the first limit above the length of the
   * key applies.
   */
  readonly keys: readonly KeyTerms[];
  readonly tls: TlsTerms;
  /** True if the profile requires DANE of every domain. */
  readonly requiresDane?: boolean;
  /** Seconds of max_age below which a policy counts as short. */
  readonly maxAge: number;
}
