/** The topics of the catalogue, in the order in which results are shown. */
export const caseGroups = ['base', 'mta-sts', 'dane', 'both', 'more'] as const;
export type CaseGroup = (typeof caseGroups)[number];

/** Mechanisms of a sender that the test judges. */
export const senderMechanisms = ['starttls', 'mta-sts', 'dane', 'dnssec', 'requiretls'] as const;
export type SenderMechanism = (typeof senderMechanisms)[number];

/**
 * The steps of a delivery, in order. At step `certificate` the handshake has shown the
 * certificate to the sender.
 */
export const deliverySteps = [
  'dns',
  'policy',
  'connection',
  'greeting',
  'ehlo',
  'starttls',
  'handshake',
  'certificate',
  'mail',
  'rcpt',
  'data',
] as const;
export type DeliveryStep = (typeof deliverySteps)[number];

/**
 * The certificate of a mail host or policy host. Unless the value states otherwise, the
 * certificate is valid, names the host, and comes from the CA that the sender trusts.
 *
 * - `nothing-fits` is self-signed, expired and for another name.
 * - `valid-rsa` has an RSA key, which static RSA needs.
 * - `private-ca` chains to an issuer that only a TLSA record names; `private-ca-name` is
 *   such a certificate for another name.
 */
export type CaseCertificate =
  | 'valid'
  | 'valid-rsa'
  | 'self-signed'
  | 'expired'
  | 'wrong-name'
  | 'nothing-fits'
  | 'private-ca'
  | 'private-ca-name';

/**
 * TLSA records by the part that they match: `key` is 3 1 1 of the key in use, `issuer` 2 1 1
 * of the issuer, `other-key` 3 1 1 of a key that no server has, `pkix-usage` 1 1 1, which
 * SMTP does not use (RFC 7672 §3.1.3).
 */
export type CaseTlsa = 'key' | 'issuer' | 'other-key' | 'pkix-usage';

/** The behaviour of the mail host before and during TLS. */
export interface CaseHost {
  readonly certificate?: CaseCertificate;
  /**
   * `absent`: EHLO does not list STARTTLS. `deferred`: listed, and answered with 454.
   * `broken`: accepted with 220, then the connection gets a fatal alert instead of a
   * ServerHello. Default `offered`.
   */
  readonly starttls?: 'offered' | 'absent' | 'deferred' | 'broken';
  /** The only version of TLS that the host accepts. Default TLS 1.2 and 1.3. */
  readonly version?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** The only suites that the host accepts, in OpenSSL's notation. */
  readonly suites?: string;
  /**
   * `refused`: a handshake without SNI ends with unrecognized_name. `other-name`: such a
   * handshake gets a certificate for another name. By default, such a handshake gets the
   * certificate that a handshake with SNI gets.
   */
  readonly withoutSni?: 'refused' | 'other-name';
  /**
   * Ends a handshake whose ClientHello does not offer X25519MLKEM768 (RFC 10024) with
   * handshake_failure, and uses the group if the TLS library of the host supports it.
   */
  readonly requiresHybrid?: true;
  /** A middlebox drops a ClientHello that does not fit into one packet. */
  readonly dropsLargeHello?: true;
  /** Asks for a client certificate, and requires none. */
  readonly asksClientCertificate?: true;
  /** Lists REQUIRETLS after the handshake (RFC 8689). */
  readonly requiretls?: true;
  readonly tlsa?: readonly CaseTlsa[];
}

/** MTA-STS of the domain of a case (RFC 8461). */
export interface CasePolicy {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Lists a host that does not exist instead of the MX host. */
  readonly mx?: 'other-host';
  readonly certificate?: 'self-signed';
  /**
   * The reply of the policy host. `redirect`: 301 to a valid copy. `wrong-type`: media
   * type text/html. `not-found`: status 404 with the policy as body. Default `good`.
   */
  readonly reply?: 'good' | 'redirect' | 'wrong-type' | 'not-found';
  /** Number of `_mta-sts` TXT records. Default one. */
  readonly records?: 2;
}

/** DNS of the domain of a case. */
export interface CaseZone {
  /**
   * `insecure`: no DS at the parent. `bogus`: every signature of the zone is invalid;
   * `bogus-tlsa`: only the signatures of the zone with the TLSA records of the MX host
   * are invalid.
   */
  readonly dnssec: 'secure' | 'insecure' | 'bogus' | 'bogus-tlsa';
  /** A preferred MX host at an address that accepts no connections. */
  readonly deadMx?: true;
  /** The MX host has addresses of this family only. */
  readonly family?: 'ipv4' | 'ipv6';
}

/** One receiving domain of the test, with a single property that a sender must notice. */
export interface SenderCase {
  /** Stable; the first label of the domain of the case. */
  readonly id: string;
  readonly group: CaseGroup;
  /** The property, as one sentence without a full stop. */
  readonly says: string;
  /** The conclusion that the case allows, as a phrase. */
  readonly tells: string;
  /**
   * `deliver`: mail must arrive. `refuse`: a sender that uses the mechanism must not
   * deliver. `inform`: the result is shown without a judgement.
   */
  readonly expect: 'deliver' | 'refuse' | 'inform';
  /**
   * The mechanisms of which this case is evidence: `refuse` cases show enforcement,
   * `deliver` cases show that valid mail passes.
   */
  readonly evidenceOf: readonly SenderMechanism[];
  /** RFC and section of the expectation. */
  readonly clause: string;
  /** The clauses that the case tests, as the registers in `spec/` number them. */
  readonly rules?: string;
  /**
   * The first step at which the sender can see the property. A sender that leaves before
   * that step has made no decision about the property.
   */
  readonly decidedAt: DeliveryStep;
  /**
   * Id of a case with the same host without the mechanism. If a sender refuses both, it
   * refuses the host, and the case is not evidence of the mechanism.
   */
  readonly contrast?: string;
  readonly zone: CaseZone;
  readonly host: CaseHost;
  readonly policy?: CasePolicy;
  /**
   * The case needs two messages. After the first, policy record and policy host disappear
   * and the mail host stops offering STARTTLS.
   */
  readonly withdrawn?: true;
  /** The domain of the case asks for TLS reports (RFC 8460). */
  readonly report?: true;
  /**
   * The case belongs to the set that is tested first: few messages that answer the
   * decisive questions.
   */
  readonly quick?: true;
  /** Only an installation with addresses of this family can open the case. */
  readonly needs?: 'ipv4' | 'ipv6';
}
