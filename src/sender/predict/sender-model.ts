/**
 * The rules by which a sender uses TLS, as its configuration states them: data without
 * behaviour. Every reader of a configuration produces this model, and `predictSender`
 * does not depend on the mail server program.
 */

/** The setting that a fact comes from. */
export interface SettingSource {
  /** Name of the setting, such as `smtp_tls_security_level`. */
  readonly setting: string;
  /** The line of the configuration, or the default as a line. */
  readonly line: string;
  /** The configuration omits the setting: the line is the default of the server. */
  readonly byDefault?: boolean;
}

/** A fact of a configuration with its source, or the reason why it is not known. */
export type Fact<T> =
  | { readonly known: true; readonly value: T; readonly source: SettingSource }
  | { readonly known: false; readonly reason: string; readonly source: SettingSource };

/** The names that the sender accepts in a certificate of a trusted CA. */
export type AcceptedNames =
  /** The name of the MX host, as DNS named it. */
  | { readonly kind: 'mx-host' }
  /** The mail domain, and with `below` any name below it. */
  | { readonly kind: 'domain'; readonly below: boolean }
  /** Names of the configuration; a leading dot means any name below. */
  | { readonly kind: 'listed'; readonly names: readonly string[] }
  /** Any name. */
  | { readonly kind: 'any' };

/** The certificate that the sender requires apart from DANE and MTA-STS. */
export type RequiredCertificate =
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'ca';
      /** A certificate needs one of these names. */
      readonly names: readonly AcceptedNames[];
      /** `plaintext`: after a failed verification the sender tries again without TLS. */
      readonly onFailure: 'defer' | 'plaintext';
    }
  /** Only keys in the configuration, which no server of a test has. */
  | { readonly kind: 'pinned' };

/** The use of DANE (RFC 7672). */
export type DaneUse =
  | { readonly use: 'no' }
  /**
   * The sender looks up and logs the records, but delivers mail even if they do not
   * match.
   */
  | { readonly use: 'observe' }
  | {
      readonly use: 'opportunistic' | 'mandatory';
      /** The effect of TLSA records of a host that an unsigned MX RRset named. */
      readonly insecureMx: 'ignore' | 'encrypt' | 'dane';
      /** The effect of TLSA records that are all unusable. */
      readonly unusable: 'encrypt' | 'defer' | 'unknown';
      /**
       * The treatment of mail to a host without TLSA records; only if `use` is
       * `mandatory`.
       */
      readonly missing?: 'defer' | 'bounce';
    };

/** The use of MTA-STS (RFC 8461). */
export type StsUse =
  | { readonly use: 'no' }
  | {
      /**
       * `observe`: the sender fetches and logs the policy, but delivers mail even in
       * violation of it.
       */
      readonly use: 'enforce' | 'observe';
      /**
       * The rule for a domain that also has DANE. `both`: the host must satisfy each of
       * them. `dane-alone`: DANE decides if every host has TLSA records, as RFC 8461 §2
       * allows. `sts-alone`: the policy replaces DANE, which RFC 8461 §2 forbids.
       */
      readonly withDane: 'both' | 'dane-alone' | 'sts-alone';
      /**
       * The treatment of a policy with another media type than text/plain, which a sender
       * SHOULD refuse [8461-3.2-2].
       */
      readonly otherMediaType: 'void' | 'used' | 'unknown';
    };

/** TLS versions in order. */
export const ascendingTlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type TlsVersionName = (typeof ascendingTlsVersions)[number];

/**
 * Abilities of the TLS library of a sender, as the configuration shows them: handshakes
 * with TLS 1.0 and 1.1 if the versions allow them, such handshakes with an authenticated
 * server, suites with static RSA and CBC, a ClientHello that fits into one packet, and
 * the offer of X25519MLKEM768.
 */
export const libraryAbilities = [
  'oldVersions',
  'oldVersionsVerified',
  'oldSuites',
  'smallHello',
  'hybridGroup',
] as const;
export type LibraryAbility = (typeof libraryAbilities)[number];

/** The rules for one destination. */
export interface TlsRules {
  /**
   * `never`: always plaintext. `opportunistic`: TLS if offered. `required`: no mail in
   * plaintext. `broken`: an error in the configuration defers all mail.
   */
  readonly tls: Fact<'never' | 'opportunistic' | 'required' | 'broken'>;
  readonly certificate: Fact<RequiredCertificate>;
  readonly dane: Fact<DaneUse>;
  readonly mtaSts: Fact<StsUse>;
  /** TLS versions that the sender permits if TLS is opportunistic. */
  readonly versions: Fact<readonly TlsVersionName[]>;
  /** TLS versions that the sender permits if TLS is required. */
  readonly requiredVersions: Fact<readonly TlsVersionName[]>;
  /** The CAs that verification trusts: some, or none at all. */
  readonly roots: Fact<'some' | 'none'>;
  /** The name that the sender sends in SNI without DANE and MTA-STS. */
  readonly serverName: Fact<'none' | 'mx-host' | 'other'>;
  readonly library: Readonly<Record<LibraryAbility, Fact<boolean>>>;
}

/** The reactions of a sender with opportunistic TLS if TLS does not start. */
export interface TlsFallback {
  /** The reaction to a server that offers STARTTLS and then refuses the command. */
  readonly refused: 'plaintext' | 'defer';
  /**
   * The reaction to a failed handshake. `later`: plaintext once the message is
   * `delaySeconds` old.
   */
  readonly handshake: 'plaintext' | 'later' | 'defer';
  readonly delaySeconds?: number;
}

/** Destinations with specific rules. */
export interface DestinationRules {
  /** The key of the configuration, such as `.example.com`. */
  readonly destination: string;
  readonly rules: TlsRules;
  readonly source: SettingSource;
}

/** Server programs whose configuration can be read. */
export const senderPrograms = ['postfix', 'exim', 'opensmtpd', 'hermetic'] as const;
export type SenderProgram = (typeof senderPrograms)[number];

/** A sender, as its configuration describes it. */
export interface SenderModel {
  readonly program: SenderProgram;
  readonly version: string | undefined;
  /** The domain that `rules` are for: the domains of the test, or a given domain. */
  readonly domain: string;
  readonly rules: TlsRules;
  readonly fallback: Fact<TlsFallback>;
  /** The server that relays all mail, whose rules then apply instead of these. */
  readonly smartHost: Fact<string | undefined>;
  /** The server that gets mail if no host of the domain accepts the mail. */
  readonly fallbackRelay: Fact<string | undefined>;
  /** Address families that the sender uses. */
  readonly families: Fact<'both' | 'ipv4' | 'ipv6'>;
  /** The use of REQUIRETLS (RFC 8689) for messages that ask for it. */
  readonly requireTls: Fact<'enforce' | 'weakened' | 'no'>;
  /** Whether the sender supplies data for TLS reports (RFC 8460). */
  readonly tlsReports: Fact<'yes' | 'no'>;
  /** Whether the resolver validates DNSSEC: no configuration of a mail server states it. */
  readonly resolver: Fact<'validates' | 'does-not'>;
  readonly destinations: readonly DestinationRules[];
  /** Conditions of the prediction that the configuration does not state. */
  readonly assumptions: readonly string[];
  /** Faults of the configuration, and settings without effect. */
  readonly warnings: readonly string[];
}

/** Returns a fact that a line of the configuration states. */
export function known<T>(value: T, source: SettingSource): Fact<T> {
  return { known: true, value, source };
}

/** Returns a fact that cannot be known from the configuration. */
export function unknown(reason: string, source: SettingSource): Fact<never> {
  return { known: false, reason, source };
}

/** Returns the abilities of a TLS library that the configuration does not describe. */
export function openLibrary(source: SettingSource): TlsRules['library'] {
  const open = unknown('the result depends on the TLS library of the sender', source);
  return {
    oldVersions: open,
    oldVersionsVerified: open,
    oldSuites: open,
    smallHello: open,
    hybridGroup: open,
  };
}
