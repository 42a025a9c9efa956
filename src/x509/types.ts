/** What a certificate says, read from DER. Dates are milliseconds since 1970. Arrays keep the certificate's order. */
export interface Certificate {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly spki: Uint8Array;
  readonly serial: string; // lower-case hex
  readonly subject: Uint8Array; // DER Name
  readonly issuer: Uint8Array;
  readonly subjectText: string; // RFC 4514-like, neutralised
  readonly issuerText: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly keyAlgorithm: 'RSA' | 'ECDSA' | 'Ed25519' | 'Ed448' | 'DSA' | 'unknown';
  readonly keyBits: number;
  readonly curve?: string; // IANA group name, as secp256r1
  readonly signatureAlgorithm: string; // as 'sha256WithRSAEncryption', dotted OID when unknown
  readonly signature: Uint8Array;
  readonly dnsNames: readonly string[]; // subjectAltName dNSName, as in the certificate, lower case
  readonly commonName?: string;
  readonly ca: boolean; // basicConstraints cA
  readonly pathLength?: number;
  readonly keyUsage?: readonly string[];
  readonly extendedKeyUsage?: readonly string[]; // dotted OIDs
  readonly authorityKeyId?: string; // keyIdentifier of authorityKeyIdentifier, lower-case hex
  readonly selfIssued: boolean; // subject equals issuer, byte for byte
  readonly version: 1 | 2 | 3;
  readonly signatureIdentifier: Uint8Array; // DER AlgorithmIdentifier
  readonly nameKinds: readonly number[]; // GeneralName tag numbers that occur in subjectAltName
  readonly nameConstraints?: NameConstraints;
  readonly criticalUnknown: readonly string[]; // dotted OIDs of critical extensions that are not understood
}

/** RFC 5280 §4.2.1.10. DNS subtrees in lower case, without leading dot; directory names as the DER of their RDNSequence. */
export interface NameConstraints {
  readonly permitted: NameSubtrees;
  readonly excluded: NameSubtrees;
}

export interface NameSubtrees {
  readonly dns: readonly string[];
  readonly directory: readonly Uint8Array[];
  readonly kinds: readonly number[]; // GeneralName tag numbers that occur
}

/** Verdict on a chain as sent, against a set of trust anchors, at a date, for the purpose of an SMTP or HTTPS server. */
export interface ChainVerdict {
  readonly chain: 'trusted' | 'incomplete' | 'self-signed' | 'unknown-ca' | 'unknown';
  readonly validity: 'valid' | 'expired' | 'not-yet-valid';
  /** The path found, leaf first, trust anchor last; empty when there is none. */
  readonly path: readonly Certificate[];
  /** Stable codes of everything that stood against a path. */
  readonly problems: readonly string[];
}
