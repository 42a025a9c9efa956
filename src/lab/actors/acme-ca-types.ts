import type { Authority, Issued } from '../../pki/index.js';
import type { ValidateChallenge } from './acme-validate.js';

/**
 * Behaviour of the CA. Tests may change the behaviour at any time; a change takes effect
 * with the next request.
 */
export interface AcmeCaHabits {
  /** Lifetime of certificates by profile, milliseconds; '' is the default profile. */
  profiles: Readonly<Record<string, number>>;
  /** Suggested renewal window (RFC 9773 §4.2); undefined: no renewal information. */
  window:
    | ((certificate: AcmeCertificate) => { readonly start: number; readonly end: number })
    | undefined;
  /** `explanationURL` of the renewal information. */
  explanation: string | undefined;
  /** Retry-After of renewal information, in seconds. */
  askAgain: number;
  /** Every nth nonce is refused with `badNonce`; 0 refuses none. */
  refuseNonce: number;
  /** Every nth reply has a malformed nonce; 0 for never. */
  garbleNonce: number;
  /**
   * Rate limit for new orders of an account. Orders that replace a certificate are
   * exempt, as at real CAs with RFC 9773.
   */
  orders: { readonly most: number; readonly withinMs: number } | undefined;
  /** Whether accounts list their orders (RFC 8555 §7.1.2.1). */
  listsOrders: boolean;
  /** Whether an open order is returned again for the same names, as Boulder does. */
  reusesOrders: boolean;
  /** Whether accounts may change their key (RFC 8555 §7.3.5). */
  keyChange: boolean;
  /**
   * Issuer names for dns-persist-01: with `hashPrefix` in the form of draft -02,
   * otherwise in the form of earlier drafts.
   */
  persist: { readonly issuers: readonly string[]; readonly hashPrefix?: string };
  /** `caaIdentities` of the directory (RFC 8555 §9.7.6); undefined: absent. */
  caaIdentities: readonly string[] | undefined;
  /** Root of an alternate chain (RFC 8555 §7.4.2). */
  alternate: Authority | undefined;
  /** Keys for external account binding (RFC 8555 §7.3.4), base64url by key id. */
  external: Readonly<Record<string, string>> | undefined;
  /** Refusal of an order with `replaces` (RFC 9773 §5); undefined: it is accepted. */
  refuseReplaces:
    | { readonly at: 'order' | 'finalize'; readonly status: number; readonly kind: string }
    | undefined;
  /** Challenges offered. */
  challenges: readonly string[];
}

/** An issued certificate. Times are milliseconds since 1970. */
export interface AcmeCertificate {
  readonly id: string;
  /** The first name of the certificate. */
  readonly host: string;
  readonly names: readonly string[];
  readonly spki: string; // hex
  readonly notBefore: number;
  readonly notAfter: number;
  readonly pem: string;
  readonly issuedAt: number;
  readonly replaces?: string;
}

/** An order (RFC 8555 §7.1.3) in the memory of the CA. */
export interface AcmeOrder {
  readonly id: string;
  readonly account: string;
  /** The first name of the certificate. */
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

/** Identity of the CA and its view of the network. */
export interface AcmeCaOptions {
  readonly issuer: Authority;
  /** Host name of the CA's own web server. */
  readonly host: string;
  readonly certificate: Issued;
  readonly validate: ValidateChallenge;
  now(): number;
  readonly habits?: Partial<AcmeCaHabits>;
}
