import type { Authority, Issued } from '../../pki/index.js';
import type { ValidateChallenge } from './acme-validate.js';

/** What can be set at any time; the CA goes by it at the next request. */
export interface AcmeCaHabits {
  /** Lifetime of certificates by profile, milliseconds; '' is the one without a name. */
  profiles: Readonly<Record<string, number>>;
  /** Where renewal is suggested; undefined: no renewal information at all. */
  window:
    | ((certificate: AcmeCertificate) => { readonly start: number; readonly end: number })
    | undefined;
  /** A page that says why. */
  explanation: string | undefined;
  /** Seconds until renewal information is to be asked for again. */
  askAgain: number;
  /** Every nth nonce is refused; 0: none. */
  refuseNonce: number;
  /** Every nth reply has what is no nonce; 0: none. */
  garbleNonce: number;
  /**
   * New orders an account may place within a time; those that replace a certificate are
   * free, as with CAs that have RFC 9773.
   */
  orders: { readonly most: number; readonly withinMs: number } | undefined;
  /** Whether accounts list their orders (RFC 8555 §7.1.2.1). */
  listsOrders: boolean;
  /** Whether an order that is open is given again for the same names, as Boulder does. */
  reusesOrders: boolean;
  /** Whether accounts may change their key (RFC 8555 §7.3.5). */
  keyChange: boolean;
  /**
   * How the CA names itself for dns-persist-01; with `hashPrefix` as draft -02 has it,
   * without as those before.
   */
  persist: { readonly issuers: readonly string[]; readonly hashPrefix?: string };
  /** How it names itself in CAA records, where it says so. */
  caaIdentities: readonly string[] | undefined;
  /** A second chain: below another root. */
  alternate: Authority | undefined;
  /** Keys that an account has to be bound to, base64url by key id. */
  external: Readonly<Record<string, string>> | undefined;
  /**
   * How an order that names the certificate it replaces is refused; undefined: it is not.
   */
  refuseReplaces:
    | { readonly at: 'order' | 'finalize'; readonly status: number; readonly kind: string }
    | undefined;
  /** Challenges offered. */
  challenges: readonly string[];
}

export interface AcmeCertificate {
  readonly id: string;
  /** The first name. */
  readonly host: string;
  readonly names: readonly string[];
  readonly spki: string; // hex
  readonly notBefore: number;
  readonly notAfter: number;
  readonly pem: string;
  readonly issuedAt: number;
  readonly replaces?: string;
}

export interface AcmeOrder {
  readonly id: string;
  readonly account: string;
  /** The first name. */
  readonly host: string;
  readonly names: readonly string[];
  readonly token: string;
  readonly profile: string;
  readonly placedAt: number;
  readonly replaces?: string;
  status: 'pending' | 'ready' | 'valid' | 'invalid';
  /** By name. */
  readonly authorizations: Map<string, 'pending' | 'valid' | 'invalid'>;
  error?: string;
  certificate?: string;
}

export interface AcmeCaOptions {
  readonly issuer: Authority;
  /** Its own name and certificate. */
  readonly host: string;
  readonly certificate: Issued;
  readonly validate: ValidateChallenge;
  now(): number;
  readonly habits?: Partial<AcmeCaHabits>;
}
