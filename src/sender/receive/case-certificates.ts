import {
  createCa,
  createIntermediate,
  issue,
  selfSigned,
  type Authority,
  type Issued,
} from '../../pki/index.js';
import { parseCertificate, spkiSha256 } from '../../x509/index.js';
import type { CaseCertificate } from '../cases/sender-case.js';

const DAY = 86_400_000;
/** A name that no host of the test has. */
const OTHER_NAME = 'other-name.example';

/** The key and chain of a host, PEM. */
export type HostKeyAndChain = Pick<Issued, 'keyPem' | 'chainPem'>;

/** Certificates for the hosts of the cases, by the property that each must have. */
export interface CertificateSource {
  certificateFor(kind: CaseCertificate, hostName: string): HostKeyAndChain;
}

/**
 * The certificates of a test with a CA of its own, which the sender has to trust. Each
 * certificate is issued when it is first needed, and does not change, because TLSA
 * records name its key.
 */
export class CaseCertificates implements CertificateSource {
  readonly root: Authority = createCa({ name: 'Hermetic Sender Test Root' });
  readonly #intermediate = createIntermediate(this.root, { name: 'Hermetic Sender Test CA' });
  #private: Authority | undefined;
  readonly #issued = new Map<string, Issued>();

  /** @param now milliseconds of the wall clock, from which validity counts */
  constructor(private readonly now: number) {}

  certificateFor(kind: CaseCertificate, hostName: string): Issued {
    const key = `${kind} ${hostName}`;
    const known = this.#issued.get(key);
    if (known) return known;
    const issued = this.#issue(kind, hostName);
    this.#issued.set(key, issued);
    return issued;
  }

  #issue(kind: CaseCertificate, hostName: string): Issued {
    const names = [hostName];
    const past = { notBefore: this.now - 100 * DAY, notAfter: this.now - 10 * DAY };
    switch (kind) {
      case 'valid':
        return issue(this.#intermediate, { names });
      case 'valid-rsa':
        return issue(this.#intermediate, { names, algorithm: 'rsa-2048' });
      case 'self-signed':
        return selfSigned({ names });
      case 'expired':
        return issue(this.#intermediate, { names, ...past });
      case 'wrong-name':
        return issue(this.#intermediate, { names: [OTHER_NAME] });
      case 'nothing-fits':
        return selfSigned({ names: [OTHER_NAME], ...past });
      case 'private-ca':
        return this.#fromPrivate(names);
      case 'private-ca-name':
        return this.#fromPrivate([OTHER_NAME]);
    }
  }

  /**
   * Issues a certificate of the private CA. The chain includes the issuer, as DANE-TA
   * requires (RFC 7672 §3.1.2).
   */
  #fromPrivate(names: readonly string[]): Issued {
    this.#private ??= createCa({ name: 'Hermetic Sender Test Private CA' });
    const { der, certPem } = this.#private;
    const issued = issue(this.#private, { names });
    return { ...issued, chain: [...issued.chain, der], chainPem: issued.chainPem + certPem };
  }
}

/**
 * Returns the digests of a chain that TLSA records with selector 1 and matching type 1
 * hold.
 */
export function tlsaDigests({ chain }: Issued): {
  readonly keyDigest: string;
  readonly issuerDigest: string | undefined;
} {
  const [leaf, issuer] = chain.map((der) => {
    const parsed = parseCertificate(der);
    if (!parsed.ok) throw new TypeError('an issued certificate is malformed');
    return spkiSha256(parsed.value);
  });
  if (leaf === undefined) throw new TypeError('an issued chain is empty');
  return { keyDigest: leaf, issuerDigest: issuer };
}
