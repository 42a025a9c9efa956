import type { Alert, Deploy, Certify, Step, Wait } from '../actions.js';
import type { RingKey } from '../keys/key-ring.js';
import type { HostMemory } from '../ledger/ledger.js';

/** One reading of a mail host's certificates. `at` in milliseconds since 1970. */
export interface CertificateReading {
  readonly at: number;
  readonly ring: readonly RingKey[];
  /**
   * Keys whose certificate is where the server reads it. Undefined: nobody said where
   * that is.
   */
  readonly installed?: readonly string[];
  readonly told: HostMemory['told'];
  /**
   * Every address and what it showed, for each key type. `unknown`: could not be asked.
   */
  readonly addresses: readonly {
    readonly address: string;
    readonly shown: readonly ShownCertificate[] | 'unknown';
  }[];
}

export interface ShownCertificate {
  /** SHA-256 of its SubjectPublicKeyInfo, lower-case hex. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface DesiredCertificates {
  /** Whether the CA of the configuration certifies the host's keys. */
  readonly acme: boolean;
  /** Where the server reads its files. */
  readonly folder?: string;
}

/**
 * The certificate of one key of a mail host, for people. Times in milliseconds since
 * 1970.
 */
export interface HostCertificate {
  readonly key: string;
  readonly use: 'in use' | 'being deployed' | 'next';
  /** Whether the TLSA records that are published name the key. */
  readonly pinned: boolean;
  readonly issuer?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** When it is renewed, as far as is known now. */
  readonly renewed?: number;
  /** Folder in which the server finds it. */
  readonly installed?: string;
  /** When the server was told to read it. */
  readonly told?: number;
  /**
   * Whether every address shows it; missing while it is not in use, or where not every
   * address could be asked.
   */
  readonly shown?: boolean;
}

export interface CertificateStep {
  readonly steps: readonly Step<Certify | Deploy>[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}
