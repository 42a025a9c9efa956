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

const day = 86_400_000;

/** `serverAuth` and its neighbours, for `extendedKeyUsage`. */
export const purpose = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
} as const;

/**
 * What to put into a certificate. Every field can be made wrong on purpose: nothing is
 * checked here. Dates are milliseconds or `Date`.
 */
export interface IssueOptions {
  /** dNSName entries; none leaves the extension out. */
  readonly names?: readonly string[];
  /** Further entries of subjectAltName. */
  readonly altNames?: readonly AltName[];
  /** Subject common name. Default the first of `names`; '' makes an empty subject. */
  readonly commonName?: string;
  /** The whole subject as a DER Name; outranks `commonName`. */
  readonly subject?: Uint8Array;
  /** The issuer as a DER Name. Default: the subject of the issuer's certificate. */
  readonly issuer?: Uint8Array;
  /** SubjectPublicKeyInfo in DER, in another encoding than that of the key. */
  readonly spki?: Uint8Array;
  /** Default: yesterday. */
  readonly notBefore?: number | Date;
  /** Default: 90 days from now. */
  readonly notAfter?: number | Date;
  /** A key to use again; otherwise one is made. */
  readonly key?: KeyPair;
  /** Of the key that is made. Default `p256`. */
  readonly algorithm?: KeyAlgorithm;
  /** What the issuer signs with. Default `sha256`. */
  readonly hash?: SignatureHash;
  /** Default false for certificates of servers. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** null leaves the extension out. Default by `ca`. */
  readonly keyUsage?: readonly KeyUsage[] | null;
  /**
   * Dotted OIDs; null leaves the extension out. Default serverAuth for servers, none for
   * CAs.
   */
  readonly extendedKeyUsage?: readonly string[] | null;
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
  /** PKCS #8. */
  readonly keyPem: string;
  readonly key: KeyPair;
  /** What a server sends: this certificate, then the intermediates, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly chainPem: string;
}

/**
 * Somebody who can sign: a certificate with its key, and the intermediates it has to send
 * along.
 */
export interface Authority extends Issued {
  /** DER Name. */
  readonly subject: Uint8Array;
}

/** A root: self-signed, CA flag on. */
export function createCa(options: IssueOptions & { readonly name: string }): Authority {
  return authority(undefined, options);
}

/** A CA below another. */
export function createIntermediate(
  issuer: Authority,
  options: IssueOptions & { readonly name: string },
): Authority {
  return authority(issuer, options);
}

/** A server's certificate. */
export function issue(issuer: Authority, options: IssueOptions): Issued {
  return make(issuer, options);
}

/** A server's certificate that vouches for itself. */
export function selfSigned(options: IssueOptions): Issued {
  return make(undefined, options);
}

function authority(
  issuer: Authority | undefined,
  { name, ...options }: IssueOptions & { readonly name: string },
): Authority {
  const now = Date.now();
  const made = make(issuer, {
    ca: true,
    commonName: name,
    notBefore: now - 365 * day,
    notAfter: now + 3650 * day,
    ...options,
  });
  return {
    ...made,
    subject: options.subject ?? commonNameOnly(options.commonName ?? name),
    chain: issuer ? made.chain : [],
  };
}

function make(issuer: Authority | undefined, options: IssueOptions): Issued {
  const { names = [], ca = false } = options;
  const key = options.key ?? generateKey(options.algorithm);
  const subject = options.subject ?? commonNameOnly(options.commonName ?? names[0] ?? '');
  const signer = signerFor((issuer?.key ?? key).privateKey, options.hash);
  const now = Date.now();
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(serial()),
    signer.identifier,
    options.issuer ?? issuer?.subject ?? subject,
    sequence(
      time(Number(options.notBefore ?? now - day)),
      time(Number(options.notAfter ?? now + 90 * day)),
    ),
    subject,
    options.spki ?? spkiOf(key.publicKey),
    explicit(3, sequence(...extensionsOf(issuer, key, options, names, ca))),
  );
  const der = sequence(tbs, signer.identifier, bitString(signer.sign(tbs)));
  const chain = [der, ...(issuer?.chain ?? [])];
  return {
    der,
    certPem: pem(der),
    keyPem: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    key,
    chain,
    chainPem: chain.map(pem).join(''),
  };
}

function extensionsOf(
  issuer: Authority | undefined,
  key: KeyPair,
  options: IssueOptions,
  names: readonly string[],
  ca: boolean,
): Uint8Array[] {
  const altNames = [...names, ...(options.altNames ?? [])];
  const usage =
    options.keyUsage === undefined
      ? ca
        ? (['keyCertSign', 'cRLSign'] as const)
        : (['digitalSignature', 'keyEncipherment'] as const)
      : options.keyUsage;
  const purposes =
    options.extendedKeyUsage === undefined
      ? ca
        ? null
        : [purpose.serverAuth]
      : options.extendedKeyUsage;
  return [
    basicConstraints(ca, options.pathLength),
    ...(usage ? [keyUsage(usage)] : []),
    ...(purposes ? [extendedKeyUsage(purposes)] : []),
    ...(altNames.length > 0 ? [subjectAltName(altNames)] : []),
    ...(options.nameConstraints ? [nameConstraints(options.nameConstraints)] : []),
    subjectKeyIdentifier(keyId(key.publicKey)),
    ...(issuer ? [authorityKeyIdentifier(keyId(issuer.key.publicKey))] : []),
    ...(options.extensions ?? []).map((e) => extension(e.oid, e.critical, e.value)),
  ];
}

/** 127 random bits, never zero, as RFC 5280 §4.1.2.2 allows. */
function serial(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes;
}

function commonNameOnly(commonName: string): Uint8Array {
  return commonName === '' ? sequence() : distinguishedName(['2.5.4.3', utf8(commonName)]);
}

/**
 * A DER Name of RDNs with one attribute each: dotted type and DER value, most general
 * first.
 */
export function distinguishedName(
  ...attributes: readonly (readonly [type: string, value: Uint8Array])[]
): Uint8Array {
  return sequence(...attributes.map(([type, value]) => setOf(sequence(objectId(type), value))));
}

function spkiOf(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' });
}

function keyId(key: KeyObject): Uint8Array {
  return createHash('sha1').update(spkiOf(key)).digest();
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
