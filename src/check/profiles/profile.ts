import type { Depth, Severity } from '../../evidence/index.js';
import type { FindingId } from '../findings/catalogue.js';

/** What vouches for a server when its certificate is judged; each is graded alone and the worst counts. */
export type Mechanism = 'none' | 'testing' | 'enforce' | 'daneTa' | 'daneEe';

export interface Rule {
  /** One severity, or one by what is in force. */
  readonly severity: Severity | Readonly<Record<Mechanism, Severity>>;
  /** Where nothing else is left, as when every mail host is dead. */
  readonly whenAll?: Severity;
  readonly clause: string;
  /** The least depth that asks this rule; default triage. */
  readonly depth?: Depth | 'intrusive';
}

/** What a verdict is made from: data with its source and date. */
export interface Profile {
  readonly name: string;
  readonly source: string;
  readonly date: string;
  readonly rules: Readonly<Record<FindingId, Rule>>;
  /** Near expiry: below this share of the lifetime, and at most so many days. */
  readonly nearExpiry: { readonly share: number; readonly days: number };
  readonly rsaBits: number;
  readonly ecBits: number;
  /** Seconds of max_age below which a policy counts as short. */
  readonly maxAge: number;
}
