import {
  createCa,
  generateKey,
  issue,
  selfSigned,
  type Authority,
  type Issued,
  type KeyPair,
} from '../../pki/index.js';
import { BoundedMap } from '../../base/index.js';
import type { CaseCertificate } from '../cases/sender-case.js';
import type { CertificateSource, HostKeyAndChain } from '../receive/case-certificates.js';

const DAY = 86_400_000;
/** A name that no host of the test has. */
const OTHER_NAME = 'other-name.example';
/** Maximum number of certificates in memory, enough for several slots with all cases. */
const MAX_CERTIFICATES = 1000;
/** Milliseconds until a certificate is replaced, long before it expires. */
const RENEWED_AFTER = 30 * DAY;

export interface SlotCertificatesOptions {
  /** The key of every mail host: TLSA records name it. */
  readonly host: KeyPair;
  /** The key of the private issuer that TLSA records of usage 2 name. */
  readonly issuer: KeyPair;
  /** Returns the wall-clock time in milliseconds since 1970. */
  readonly now: () => number;
  /** Returns the certificate of a public CA for a host; undefined before its issue. */
  publicCertificate(hostName: string): HostKeyAndChain | undefined;
}

/**
 * The certificates of allocated slots. A public CA issues valid certificates; before
 * their issue, and for every fault, the test issues its own certificates. The test's own
 * CA issues expired certificates and those with an RSA key.
 */
export class SlotCertificates implements CertificateSource {
  readonly #issuer: Authority;
  #rsa: KeyPair | undefined;
  readonly #made = new BoundedMap<{ readonly at: number; readonly issued: Issued }>(
    MAX_CERTIFICATES,
  );

  constructor(private readonly options: SlotCertificatesOptions) {
    this.#issuer = createCa({
      name: 'Hermetic Sender Test Issuer',
      key: options.issuer,
      notAfter: options.now() + 3650 * DAY,
    });
  }

  certificateFor(kind: CaseCertificate, hostName: string): HostKeyAndChain {
    const found = kind === 'valid' ? this.options.publicCertificate(hostName) : undefined;
    if (found) return found;
    const now = this.options.now();
    const cacheKey = `${kind} ${hostName}`;
    const known = this.#made.get(cacheKey);
    if (known && now - known.at < RENEWED_AFTER) return known.issued;
    const issued = this.#issue(kind, hostName, now);
    this.#made.set(cacheKey, { at: now, issued });
    return issued;
  }

  #issue(kind: CaseCertificate, hostName: string, now: number): Issued {
    const { host: key } = this.options;
    const names = [hostName];
    const past = { notBefore: now - 100 * DAY, notAfter: now - 10 * DAY };
    switch (kind) {
      case 'valid':
        return this.#fromIssuer({ names, key });
      // The certificate of the CA has the EC key of the hosts.
      case 'valid-rsa':
        return this.#fromIssuer({ names, key: (this.#rsa ??= generateKey('rsa-2048')) });
      case 'self-signed':
        return selfSigned({ names, key });
      case 'expired':
        return this.#fromIssuer({ names, key, ...past });
      case 'wrong-name':
        return this.#fromIssuer({ names: [OTHER_NAME], key });
      case 'nothing-fits':
        return selfSigned({ names: [OTHER_NAME], key, ...past });
      case 'private-ca':
        return this.#fromIssuer({ names, key });
      case 'private-ca-name':
        return this.#fromIssuer({ names: [OTHER_NAME], key });
    }
  }

  /**
   * Issues a certificate of the test's own CA. The chain includes the issuer, as DANE-TA
   * requires (RFC 7672 §3.1.2).
   */
  #fromIssuer(options: Parameters<typeof issue>[1]): Issued {
    const { der, certPem } = this.#issuer;
    const issued = issue(this.#issuer, options);
    return { ...issued, chain: [...issued.chain, der], chainPem: issued.chainPem + certPem };
  }
}
