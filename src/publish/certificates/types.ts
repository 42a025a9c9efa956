import type { Alert, Deploy, Certify, Step, Wait } from '../actions.js';
import type { RingKey } from '../keys/key-ring.js';
import type { HostMemory } from '../ledger/ledger.js';

/** One observation of a mail host's certificates. `at` in milliseconds since 1970. */
export interface CertificateObservation {
  readonly at: number;
  readonly ring: readonly RingKey[];
  /**
   * Keys whose certificate is in the folder that the server reads; undefined if the
   * configuration names no folder.
   */
  readonly installed?: readonly string[];
  /** The chains of the last reload of the server, by key type. */
  readonly reloaded: HostMemory['told'];
  /**
   * Every address with the certificates that it presented, one for each key type.
   * `unknown`: the address could not be probed.
   */
  readonly addresses: readonly {
    readonly address: string;
    readonly shown: readonly ShownCertificate[] | 'unknown';
  }[];
}

/** A certificate as an address presented it. */
export interface ShownCertificate {
  /** SHA-256 of its SubjectPublicKeyInfo, lower-case hex. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The part of a mail host's desired state that concerns certificates. */
export interface DesiredCertificates {
  /** Whether the CA of the configuration certifies the keys of the host. */
  readonly acme: boolean;
  /** The folder that the server reads. */
  readonly folder?: string | undefined;
}

/**
 * The certificate of one key of a mail host, for a status report. Times in milliseconds
 * since 1970.
 */
export interface HostCertificate {
  readonly key: string;
  readonly use: 'in use' | 'being deployed' | 'next';
  /** Whether the published TLSA records match the key. */
  readonly pinned: boolean;
  readonly issuer?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** The time at which the certificate will be renewed, from the facts known now. */
  readonly renewed?: number | undefined;
  /** Folder from which the server reads the certificate. */
  readonly installed?: string | undefined;
  /** The time of the last reload of the server with this certificate. */
  readonly told?: number | undefined;
  /**
   * Whether every address presents the certificate; undefined if the key is not in use,
   * or if some address could not be probed.
   */
  readonly shown?: boolean | undefined;
}

/** The result of planning the certificates of one host. */
export interface CertificateStep {
  readonly steps: readonly Step<Certify | Deploy>[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}
