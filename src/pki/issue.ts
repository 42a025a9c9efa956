import { createHash, randomBytes, type KeyObject } from 'node:crypto';
import {
  bitString,
  explicit,
  integer,
  objectId,
  sequence,
  setOf,
  time,
  utf8,
} from './der-writer.js';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extension,
  keyUsage,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
  type AltName,
  type KeyUsage,
  type Subtrees,
} from './extensions.js';
import { generateKey, type KeyAlgorithm, type KeyPair } from './key-pair.js';
import { signerFor, type SignatureHash } from './signature-algorithm.js';

const DAY = 86_400_000;

/** Object identifiers for `extendedKeyUsage` (RFC 5280 §4.2.1.12). */
export const purpose = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
} as const;

/**
 * The content of a certificate. The functions check nothing, so a test can make every
 * field invalid. Dates are milliseconds since 1970 or `Date`.
 */
export interface IssueOptions {
  /** dNSName entries. Without names the extension is omitted. */
  readonly names?: readonly string[];
  /** Further entries of subjectAltName. */
  readonly altNames?: readonly AltName[];
  /** Subject common name. Default the first of `names`; '' makes an empty subject. */
  readonly commonName?: string;
  /** The whole subject as a DER Name. It replaces `commonName`. */
  readonly subject?: Uint8Array;
  /** The issuer as a DER Name. Default: the subject of the issuer's certificate. */
  readonly issuer?: Uint8Array;
  /** SubjectPublicKeyInfo in DER. Default: the encoding of the public key. */
  readonly spki?: Uint8Array;
  /** Default: yesterday. */
  readonly notBefore?: number | Date;
  /** Default: 90 days from now. */
  readonly notAfter?: number | Date;
  /** The key to certify. Default: a new key. */
  readonly key?: KeyPair;
  /** Algorithm of a new key. Default `p256`. */
  readonly algorithm?: KeyAlgorithm;
  /** Hash of the signature. Default `sha256`. */
  readonly hash?: SignatureHash;
  /** The CA flag of basicConstraints. Default: false for servers, true for CAs. */
  readonly ca?: boolean;
  /** Maximum number of CAs below this CA. Undefined: no limit. */
  readonly pathLength?: number;
  /** null omits the extension. The default depends on the CA flag. */
  readonly keyUsage?: readonly KeyUsage[] | null;
  /**
   * Dotted OIDs; null omits the extension. Default serverAuth for servers, none for
   * CAs.
   */
  readonly extendedKeyUsage?: readonly string[] | null;
  /** Names that a CA may certify (RFC 5280 §4.2.1.10). */
  readonly nameConstraints?: Subtrees;
  /** Further extensions, `value` in DER. */
  readonly extensions?: readonly {
    readonly oid: string;
    readonly critical: boolean;
    readonly value: Uint8Array;
  }[];
}

/** A certificate with its private key. */
export interface Issued {
  readonly der: Uint8Array;
  readonly certPem: string;
  /** PKCS #8, PEM. */
  readonly keyPem: string;
  readonly key: KeyPair;
  /**
   * The chain that a server sends: this certificate, then the intermediates, without the
   * root.
   */
  readonly chain: readonly Uint8Array[];
  readonly chainPem: string;
}

/** An issuer: a CA certificate with its key, and the intermediates above it. */
export interface Authority extends Issued {
  /** The subject as a DER Name. */
  readonly subject: Uint8Array;
}

/** Makes a root CA: self-signed, valid for ten years. */
export function createCa(options: IssueOptions & { readonly name: string }): Authority {
  return buildAuthority(undefined, options);
}

/** Makes an intermediate CA. */
export function createIntermediate(
  issuer: Authority,
  options: IssueOptions & { readonly name: string },
): Authority {
  return buildAuthority(issuer, options);
}

/** Issues a server certificate, valid for 90 days by default. */
export function issue(issuer: Authority, options: IssueOptions): Issued {
  return buildCertificate(issuer, options);
}

/** Makes a self-signed server certificate. */
export function selfSigned(options: IssueOptions): Issued {
  return buildCertificate(undefined, options);
}

function buildAuthority(
  issuer: Authority | undefined,
  { name, ...options }: IssueOptions & { readonly name: string },
): Authority {
  const now = Date.now();
  const made = buildCertificate(issuer, {
    ca: true,
    commonName: name,
    notBefore: now - 365 * DAY,
    notAfter: now + 3650 * DAY,
    ...options,
  });
  return {
    ...made,
    subject: options.subject ?? commonNameOnly(options.commonName ?? name),
    chain: issuer ? made.chain : [],
  };
}

function buildCertificate(issuer: Authority | undefined, options: IssueOptions): Issued {
  const { names = [] } = options;
  const key = options.key ?? generateKey(options.algorithm);
  const subject = options.subject ?? commonNameOnly(options.commonName ?? names[0] ?? '');
  const certificateSigner = signerFor((issuer?.key ?? key).privateKey, options.hash);
  const now = Date.now();
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(serial()),
    certificateSigner.identifier,
    options.issuer ?? issuer?.subject ?? subject,
    sequence(
      time(Number(options.notBefore ?? now - DAY)),
      time(Number(options.notAfter ?? now + 90 * DAY)),
    ),
    subject,
    options.spki ?? spkiOf(key.publicKey),
    explicit(3, sequence(...extensionsOf(issuer, key, { ...options, subject }))),
  );
  const derBytes = sequence(
    tbs,
    certificateSigner.identifier,
    bitString(certificateSigner.sign(tbs)),
  );
  const certificateChain = [derBytes, ...(issuer?.chain ?? [])];
  return {
    der: derBytes,
    certPem: pem(derBytes),
    keyPem: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    key,
    chain: certificateChain,
    chainPem: certificateChain.map(pem).join(''),
  };
}

function extensionsOf(
  issuer: Authority | undefined,
  key: KeyPair,
  options: IssueOptions & { readonly subject: Uint8Array },
): Uint8Array[] {
  const { names = [], altNames = [], ca = false, subject } = options;
  const subjectNames = [...names, ...altNames];
  const { usage: defaultUsage, purposes: defaultPurposes } = ca ? caDefaults : serverDefaults;
  // null omits an extension; undefined selects the default.
  const { keyUsage: usage = defaultUsage, extendedKeyUsage: purposes = defaultPurposes } = options;
  const extensions = [basicConstraints(ca, options.pathLength)];
  if (usage) extensions.push(keyUsage(usage));
  if (purposes) extensions.push(extendedKeyUsage(purposes));
  const isNameless = Buffer.compare(subject, sequence()) === 0;
  if (subjectNames.length > 0) extensions.push(subjectAltName(subjectNames, isNameless));
  if (options.nameConstraints) extensions.push(nameConstraints(options.nameConstraints));
  extensions.push(subjectKeyIdentifier(keyId(key.publicKey)));
  if (issuer) extensions.push(authorityKeyIdentifier(keyId(issuer.key.publicKey)));
  for (const { oid, critical, value } of options.extensions ?? [])
    extensions.push(extension(oid, critical, value));
  return extensions;
}

interface ExtensionDefaults {
  readonly usage: readonly KeyUsage[];
  readonly purposes: readonly string[] | null;
}

const caDefaults: ExtensionDefaults = { usage: ['keyCertSign', 'cRLSign'], purposes: null };
const serverDefaults: ExtensionDefaults = {
  usage: ['digitalSignature', 'keyEncipherment'],
  purposes: [purpose.serverAuth],
};

/** Returns a random serial number: positive, at most 20 octets (RFC 5280 §4.1.2.2). */
function serial(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes;
}

function commonNameOnly(commonName: string): Uint8Array {
  return commonName === '' ? sequence() : distinguishedName(['2.5.4.3', utf8(commonName)]);
}

/**
 * Returns a DER Name of RDNs with one attribute each: dotted type and DER value, the most
 * general first (RFC 5280 §4.1.2.4).
 */
export function distinguishedName(
  ...attributes: readonly (readonly [type: string, value: Uint8Array])[]
): Uint8Array {
  return sequence(...attributes.map(([type, value]) => setOf(sequence(objectId(type), value))));
}

/** Returns the SubjectPublicKeyInfo of a key, DER. */
function spkiOf(keyObject: KeyObject): Uint8Array {
  return keyObject.export({ type: 'spki', format: 'der' });
}

/**
 * Returns the key identifier: SHA-1 over the key (RFC 5280 §4.2.1.2); security does not
 * depend on it.
 */
function keyId(keyObject: KeyObject): Uint8Array {
  return createHash('sha1').update(spkiOf(keyObject)).digest();
}

function pem(derBytes: Uint8Array): string {
  const lines =
    Buffer.from(derBytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
