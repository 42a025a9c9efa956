import {
  createCa,
  createIntermediate,
  generateKey,
  issue,
  purpose,
  selfSigned,
  type Authority,
  type Issued,
  type KeyPair,
} from '../pki/index.js';
import type { CertificateTraits } from './scenarios/scenario.js';

const DAY = 86_400_000;

/** Where the lab's services stand. */
export const places = {
  resolver: '192.0.2.53',
  attacker: '192.0.2.66',
  policyHost: '203.0.113.10',
} as const;

/** The lab's certificate authorities. Keys are made anew for every lab. */
export class LabPki {
  readonly root: Authority = createCa({ name: 'Hermetic Lab Root' });
  readonly intermediate: Authority = createIntermediate(this.root, { name: 'Hermetic Lab CA' });
  readonly #unknown = createCa({ name: 'Nobody Knows This Root' });
  readonly #shown = new Map<string, readonly Issued[]>();
  #mailHosts = 0;
  #rsa: KeyPair | undefined;
  #weakRsa: KeyPair | undefined;

  constructor(readonly now: number) {}

  /** A fresh documentation address for a mail host. */
  nextAddress(): string {
    this.#mailHosts++;
    if (this.#mailHosts > 254) throw new RangeError('the lab has 254 addresses for mail hosts');
    return `198.51.100.${this.#mailHosts}`;
  }

  /** The certificates a server with these traits shows. */
  certificatesFor(name: string, traits: CertificateTraits): readonly Issued[] {
    const issued = this.#issue(name, traits);
    this.#shown.set(name, issued);
    return issued;
  }

  /** What was last issued for a server. */
  shownBy(name: string): readonly Issued[] {
    return this.#shown.get(name) ?? [];
  }

  #issue(name: string, traits: CertificateTraits): readonly Issued[] {
    const { now } = this;
    const names = [name];
    switch (traits) {
      case 'trusted':
        return [issue(this.intermediate, { names })];
      case 'self-signed':
        return [selfSigned({ names })];
      case 'unknown-ca':
        return [withRoot(issue(this.#unknown, { names }), this.#unknown)];
      case 'expired':
        return [
          issue(this.intermediate, { names, notBefore: now - 100 * DAY, notAfter: now - 10 * DAY }),
        ];
      case 'near-expiry':
        return [
          issue(this.intermediate, { names, notBefore: now - 85 * DAY, notAfter: now + 5 * DAY }),
        ];
      case 'wrong-name':
        return [issue(this.intermediate, { names: ['www.elsewhere.example'] })];
      case 'no-intermediate': {
        const whole = issue(this.intermediate, { names });
        return [{ ...whole, chain: [whole.der], chainPem: whole.certPem }];
      }
      case 'rsa':
        this.#rsa ??= generateKey('rsa-2048');
        return [issue(this.intermediate, { names, key: this.#rsa })];
      case 'rsa-1024':
        this.#weakRsa ??= generateKey('rsa-1024');
        return [issue(this.intermediate, { names, key: this.#weakRsa })];
      case 'sha1-chain':
        return [issue(this.intermediate, { names, hash: 'sha1' })];
      case 'client-purpose':
        return [issue(this.intermediate, { names, extendedKeyUsage: [purpose.clientAuth] })];
      case 'name-constraints': {
        const nameConstraints = { permitted: ['other.example'] };
        const bound = createIntermediate(this.root, { name: 'Lab Bound CA', nameConstraints });
        return [issue(bound, { names })];
      }
      case 'common-name-only':
        return [issue(this.intermediate, { commonName: names[0] })];
      case 'expired-intermediate': {
        const notAfter = now - DAY;
        const old = createIntermediate(this.root, { name: 'Lab Old CA', notAfter });
        return [issue(old, { names })];
      }
      case 'rsa-and-ecdsa':
        this.#rsa ??= generateKey('rsa-2048');
        return [
          issue(this.intermediate, { names, key: this.#rsa }),
          issue(this.intermediate, { names }),
        ];
    }
  }

  /** What an attacker shows: the right name, vouched for by nobody. */
  forgedCertificate(name: string): Issued {
    return selfSigned({ names: [name] });
  }
}

/** A chain sent whole, root and all: so one sees whose it is. */
function withRoot(server: Issued, root: Authority): Issued {
  return {
    ...server,
    chain: [...server.chain, root.der],
    chainPem: server.chainPem + root.certPem,
  };
}
