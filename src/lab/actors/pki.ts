import {
  createCa,
  createIntermediate,
  der,
  distinguishedName,
  generateKey,
  issue,
  purpose,
  selfSigned,
  type Authority,
  type Issued,
  type KeyAlgorithm,
  type KeyPair,
} from '../../pki/index.js';

const DAY = 86_400_000;

/**
 * The certificate of a server. Without other settings the certificate is valid, names the
 * host, and is issued by the lab's CA.
 */
export type CertificateTraits =
  | 'trusted'
  | 'self-signed'
  | 'unknown-ca'
  | 'expired'
  | 'near-expiry'
  | 'wrong-name'
  | 'no-intermediate'
  | 'rsa'
  | 'rsa-1024'
  | 'sha1-chain'
  | 'client-purpose'
  | 'name-constraints'
  | 'common-name-only'
  | 'expired-intermediate'
  | 'known-ca'
  | 'known-ca-wildcard'
  | 'rsa-and-ecdsa';

/** Addresses of the lab's shared services (RFC 5737). */
export const places = {
  resolver: '192.0.2.53',
  attacker: '192.0.2.66',
  policyHost: '203.0.113.10',
} as const;

/**
 * The lab's certificate authorities, with new keys for every lab. Server certificates are
 * issued at first use, because most servers of a lab are never visited.
 */
export class LabPki {
  readonly root: Authority = createCa({ name: 'Hermetic Lab Root' });
  readonly intermediate: Authority = createIntermediate(this.root, { name: 'Hermetic Lab CA' });
  #unknown: Authority | undefined;
  #known: Authority | undefined;
  readonly #shown = new Map<string, readonly Issued[]>();
  #mailHosts = 0;

  constructor(readonly now: number) {}

  /** Returns a new documentation address for a mail host. */
  nextAddress(): string {
    this.#mailHosts++;
    if (this.#mailHosts > 254) throw new RangeError('the lab has 254 addresses for mail hosts');
    return `198.51.100.${this.#mailHosts}`;
  }

  /** Returns the certificates that a server with these traits presents. */
  certificatesFor(serverName: string, certificateTraits: CertificateTraits): readonly Issued[] {
    const issued =
      certificateTraits === 'rsa-and-ecdsa'
        ? [this.#late(serverName, 'rsa'), this.#late(serverName, 'trusted')]
        : [this.#late(serverName, certificateTraits)];
    this.#shown.set(serverName, issued);
    return issued;
  }

  /** Returns the certificates last issued for a server. */
  shownBy(serverName: string): readonly Issued[] {
    return this.#shown.get(serverName) ?? [];
  }

  #late(serverName: string, traits: OneCertificate): Issued {
    return new LateCertificate(() => this.#issue(serverName, traits));
  }

  #issue(serverName: string, traits: OneCertificate): Issued {
    const { now } = this;
    const names = [serverName];
    switch (traits) {
      case 'trusted':
        return issue(this.intermediate, { names });
      case 'self-signed':
        return selfSigned({ names });
      case 'unknown-ca':
        this.#unknown ??= createCa({ name: 'Lab Unknown Root' });
        return withRoot(issue(this.#unknown, { names }), this.#unknown);
      case 'expired':
        return issue(this.intermediate, {
          names,
          notBefore: now - 100 * DAY,
          notAfter: now - 10 * DAY,
        });
      case 'near-expiry':
        return issue(this.intermediate, {
          names,
          notBefore: now - 85 * DAY,
          notAfter: now + 5 * DAY,
        });
      case 'wrong-name':
        return issue(this.intermediate, { names: ['www.elsewhere.example'] });
      case 'no-intermediate': {
        const complete = issue(this.intermediate, { names });
        return { ...complete, chain: [complete.der], chainPem: complete.certPem };
      }
      case 'rsa':
        return issue(this.intermediate, { names, key: rsaKey('rsa-2048') });
      case 'rsa-1024':
        return issue(this.intermediate, { names, key: rsaKey('rsa-1024') });
      case 'sha1-chain':
        return issue(this.intermediate, { names, hash: 'sha1' });
      case 'client-purpose':
        return issue(this.intermediate, { names, extendedKeyUsage: [purpose.clientAuth] });
      case 'name-constraints': {
        const nameConstraints = { permitted: ['other.example'] };
        const bound = createIntermediate(this.root, { name: 'Lab Bound CA', nameConstraints });
        return issue(bound, { names });
      }
      case 'common-name-only':
        return issue(this.intermediate, { commonName: names[0] });
      case 'expired-intermediate': {
        const notAfter = now - DAY;
        const old = createIntermediate(this.root, { name: 'Lab Old CA', notAfter });
        return issue(old, { names });
      }
      case 'known-ca':
        return issue(this.#knownCa, { names });
      case 'known-ca-wildcard':
        return issue(this.#knownCa, { names: [serverName.replace(/^[^.]*/, '*')] });
    }
  }

  /** An intermediate whose organization is a public CA that the CAA check recognises. */
  get #knownCa(): Authority {
    const subject = distinguishedName(
      ['2.5.4.10', der.utf8("Let's Encrypt")],
      ['2.5.4.3', der.utf8('Lab E7')],
    );
    this.#known ??= createIntermediate(this.root, { name: 'Lab E7', subject });
    return this.#known;
  }

  /**
   * Returns the certificate of an attacker: it has the correct name, but is not from a
   * trusted CA.
   */
  forgedCertificate(serverName: string): Issued {
    return selfSigned({ names: [serverName] });
  }
}

type OneCertificate = Exclude<CertificateTraits, 'rsa-and-ecdsa'>;

/** A certificate that is issued when one of its fields is first read. */
class LateCertificate implements Issued {
  #issued: Issued | undefined;

  constructor(private readonly issueNow: () => Issued) {}

  get der(): Uint8Array {
    return this.#now.der;
  }
  get certPem(): string {
    return this.#now.certPem;
  }
  get keyPem(): string {
    return this.#now.keyPem;
  }
  get key(): KeyPair {
    return this.#now.key;
  }
  get chain(): readonly Uint8Array[] {
    return this.#now.chain;
  }
  get chainPem(): string {
    return this.#now.chainPem;
  }

  get #now(): Issued {
    return (this.#issued ??= this.issueNow());
  }
}

const rsaKeys = new Map<KeyAlgorithm, KeyPair>();

/**
 * Returns an RSA key. RSA keys are expensive: all labs of the process share one key of
 * each size.
 */
function rsaKey(algorithm: KeyAlgorithm): KeyPair {
  const key = rsaKeys.get(algorithm) ?? generateKey(algorithm);
  rsaKeys.set(algorithm, key);
  return key;
}

/** Adds the root to the chain, so that a report can name the unknown CA. */
function withRoot(server: Issued, root: Authority): Issued {
  return {
    ...server,
    chain: [...server.chain, root.der],
    chainPem: server.chainPem + root.certPem,
  };
}
