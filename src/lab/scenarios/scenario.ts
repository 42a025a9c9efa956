import type { Attack, DeliveryResult, SenderClass } from '../../tls-policy/index.js';
import type { PolicySite } from '../actors/policy-host.js';
import type { ConnectionRule, SmtpHabit } from '../actors/mail-server.js';
import type { CertificateTraits } from '../actors/pki.js';
import type { LargeHelloLoss } from '../attackers/drop-large-hellos.js';
import type { StripMethod } from '../attackers/strip-starttls.js';
import type { DnsFault } from '../dns/lab-dns.js';
import type { ZoneSpec } from '../dns/zone.js';

/** A domain of the lab: its configuration, and the expected result of a check. */
export interface Scenario {
  /** Domain name under `.example`, in Unicode if it is an IDN. */
  readonly domain: string;
  /** One human-readable line. */
  readonly says: string;
  readonly zone?: ZoneTraits;
  /**
   * The hosts its MX records name, in order. By default one valid host, `mx` in its own
   * zone.
   */
  readonly hosts?: readonly HostTraits[];
  readonly sts?: StsTraits;
  /**
   * Whether the domain has a TLS-RPT record, or the text of this record. By default
   * present only in addition to MTA-STS or TLSA records.
   */
  readonly rpt?: boolean | string;
  readonly attack?: AttackTraits;
  readonly expect: Expectation;
  /** The expectation without the attacker, if the scenario has an attacker. */
  readonly calm?: Expectation;
}

export interface ZoneTraits {
  readonly signed?: NonNullable<ZoneSpec['signed']>;
  readonly fault?: NonNullable<ZoneSpec['fault']>;
  /** Further zone file lines. */
  readonly records?: string;
  /** Omits the MX records: `records` contains the replacement. */
  readonly withoutMx?: boolean;
}

/**
 * TLSA records by the key or certificate that they match: the server's key (`ee`, with
 * two certificates the first) or whole certificate, the lab's intermediate (`ta`), a
 * future key (`next`), a retired key (`stale`, `stale-sha512`), the lab's root, which is
 * not sent (`root`), the intermediate under usage 3 (`ta-as-ee`), SHA-1 (`sha1`), an
 * unused issuer (`unrelated`), or PKIX usage, which mail senders must not use
 * (`unusable`, RFC 7672 §3.1.3).
 */
export type TlsaTraits =
  | 'ee'
  | 'ee-certificate'
  | 'ta'
  | 'root'
  | 'ta-as-ee'
  | 'next'
  | 'stale'
  | 'stale-sha512'
  | 'sha1'
  | 'unrelated'
  | 'unusable';

/** One MX host of a scenario. */
export interface HostTraits {
  /**
   * Host name as in an MX record, relative to the domain. With a final dot the host is
   * outside the domain, and the lab creates only the MX record. Default `mx`.
   */
  readonly name?: string;
  readonly certificate?: CertificateTraits;
  readonly habit?: SmtpHabit;
  /**
   * Number of connections that the host accepts from a client before it refuses further
   * connections.
   */
  readonly admits?: ConnectionRule;
  readonly greeting?: string;
  /**
   * Protocols that OpenSSL no longer supports, offered by a script. Completed handshakes
   * are then TLS 1.2.
   */
  readonly speaks?: 'old-versions' | 'ssl3' | 'short-hellos';
  /**
   * The only suites that the host accepts, in OpenSSL's notation: suites of TLS 1.2, and
   * no TLS 1.3.
   */
  readonly suites?: string;
  /**
   * The answer to a client without SNI: a refused handshake, or a certificate for another
   * name. By default the same certificate as with SNI.
   */
  readonly withoutSni?: 'refused' | 'other-name';
  readonly tlsa?: readonly TlsaTraits[];
  /** Owner of the TLSA records, to which the usual name is a CNAME. */
  readonly tlsaAt?: string;
  /** Accepts mail submission on ports 465 and 587. */
  readonly submission?: boolean;
  /** The outcome of connections when no server listens. */
  readonly dial?: 'refuse' | 'drop';
  /** An additional IPv6 address without a route from this machine. */
  readonly v6?: boolean;
  /** A second address, with a server that has these traits. */
  readonly beside?: Pick<HostTraits, 'certificate' | 'habit' | 'greeting'> & {
    readonly family?: 4 | 6;
  };
}

/** The MTA-STS policy of a scenario (RFC 8461 §3.2). */
export interface StsTraits {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Patterns of the policy. By default the hosts of the domain. */
  readonly mx?: readonly string[];
  /** `max_age` in seconds. By default one week. */
  readonly maxAge?: number;
  readonly habit?: NonNullable<PolicySite['habit']>;
  readonly certificate?: 'trusted' | 'wrong-name' | 'known-ca' | 'known-ca-wildcard';
  /** Zone file lines of `mta-sts` instead of the address of the lab's policy host. */
  readonly hostRecords?: string;
  /** Text of the TXT record instead of a valid record. */
  readonly record?: string;
  /** Lines of the policy file instead of a valid policy. */
  readonly lines?: readonly string[];
  /** The number of TXT records. Default one. */
  readonly copies?: number;
}

/** The on-path attacker of a scenario. `faults`: forged answers by DNS question. */
export interface AttackTraits {
  readonly strip?: StripMethod;
  /**
   * The attacker's own server answers at the addresses of the host, with a certificate
   * for the host's name from no trusted CA.
   */
  readonly swap?: boolean;
  /** A middlebox drops every ClientHello of the current usual size. */
  readonly largeHellos?: LargeHelloLoss;
  readonly faults?: Readonly<Record<string, DnsFault>>;
}

/** Expected results of one class of sender, by attack. */
export type Row = readonly [
  none: DeliveryResult,
  stripStarttls: DeliveryResult,
  swapCertificate: DeliveryResult,
  spoofMx: DeliveryResult,
  suppress: DeliveryResult,
];

/** The result that a check of the scenario must have. */
export interface Expectation {
  readonly verdict: 'pass' | 'warn' | 'fail' | 'inconclusive' | 'not-applicable';
  /** Exactly these finding ids at fail, in any order. */
  readonly fail?: readonly string[];
  readonly warn?: readonly string[];
  readonly exposure: Readonly<Record<SenderClass, Row>>;
}

/** Returns the cells of a row by attack. */
export function cellsOf([none, stripStarttls, swapCertificate, spoofMx, suppress]: Row): Record<
  Attack,
  DeliveryResult
> {
  return { none, stripStarttls, swapCertificate, spoofMx, suppress };
}
