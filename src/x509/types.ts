import type { DirectoryName } from './directory-name.js';
import type { GeneralName } from './general-name.js';

/**
 * The fields of a certificate, read from DER. Dates are milliseconds since 1970. Arrays
 * have the order of the certificate.
 */
export interface Certificate {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly spki: Uint8Array;
  readonly serial: string; // lower-case hex
  readonly subject: Uint8Array; // DER Name
  readonly issuer: Uint8Array;
  readonly subjectName: DirectoryName;
  readonly issuerName: DirectoryName;
  readonly subjectText: string; // RFC 4514-like, neutralised
  readonly issuerText: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly keyAlgorithm: 'RSA' | 'ECDSA' | 'Ed25519' | 'Ed448' | 'DSA' | 'unknown';
  readonly keyBits: number;
  readonly curve?: string; // IANA group name, as secp256r1
  readonly unnamedCurve: boolean; // EC parameters are not a named curve (RFC 5480 §2.1.1)
  readonly signatureAlgorithm: string; // as 'sha256WithRSAEncryption', dotted OID when unknown
  readonly signatureHashes: readonly string[]; // every hash of the signature, MGF1 included; as 'sha256'
  readonly signature: Uint8Array;
  readonly dnsNames: readonly string[]; // subjectAltName dNSName, as in the certificate, lower case
  readonly commonName?: string;
  readonly ca: boolean; // basicConstraints cA
  readonly pathLength?: number;
  readonly keyUsage?: readonly string[];
  readonly extendedKeyUsage?: readonly string[]; // dotted OIDs
  readonly authorityKeyId?: string; // keyIdentifier of authorityKeyIdentifier, lower-case hex
  readonly selfIssued: boolean; // subject equals issuer (RFC 5280 §7.1)
  readonly version: 1 | 2 | 3;
  readonly signatureIdentifier: Uint8Array; // DER AlgorithmIdentifier
  readonly altNames: readonly GeneralName[]; // subjectAltName, every form
  readonly nameConstraints?: NameConstraints;
  readonly policies?: readonly string[]; // certificatePolicies, dotted OIDs
  readonly policyMappings: readonly PolicyMapping[];
  readonly policyLimits: PolicyLimits;
  readonly criticalUnknown: readonly string[]; // dotted OIDs of critical extensions that are not understood
  readonly defects: readonly string[]; // parts that cannot be read; no path may use the certificate
}

/** RFC 5280 §4.2.1.10. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** RFC 5280 §4.2.1.5. */
export interface PolicyMapping {
  readonly issuer: string;
  readonly subject: string;
}

/**
 * Numbers of certificates that may follow below this one before a limit applies (RFC 5280
 * §4.2.1.11, §4.2.1.14).
 */
export interface PolicyLimits {
  readonly explicitPolicy?: number;
  readonly mapping?: number;
  readonly anyPolicy?: number;
}

/**
 * Verdict on a chain as sent, against a set of trust anchors, at a date, for the purpose
 * of an SMTP or HTTPS server.
 */
export interface ChainVerdict {
  readonly chain: 'trusted' | 'incomplete' | 'self-signed' | 'unknown-ca' | 'unknown';
  readonly validity: 'valid' | 'expired' | 'not-yet-valid';
  /** The path, leaf first and trust anchor last; empty if no path was found. */
  readonly path: readonly Certificate[];
  /** Failure codes of all faults that were found. */
  readonly problems: readonly string[];
}
