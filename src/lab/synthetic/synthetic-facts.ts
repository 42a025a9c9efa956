/** Shares, 0 to 1, of the domains, or of the providers, that have a property. */
export interface SyntheticShares {
  /** Domains whose mail host has a name in the domain, at an address of a hosting provider. */
  readonly ownHosts: number;
  /** Customers of a `named` provider with a separate host name. */
  readonly customerHosts: number;
  readonly nullMx: number;
  readonly noMail: number;
  /** Domains in a signed zone. */
  readonly signed: number;
  /** Domains with an MTA-STS record. */
  readonly sts: number;
  /** Of the domains with a record, those with a faulty policy or policy host. */
  readonly stsFaulty: number;
  readonly tlsRpt: number;
  /** Providers in a signed zone with TLSA records. */
  readonly tlsa: number;
  /** Of the providers with TLSA records, those whose records match no certificate. */
  readonly tlsaMismatch: number;
  /** Hosting addresses without STARTTLS. */
  readonly withoutStarttls: number;
  /** Hosting addresses that answer every connection with 421. */
  readonly busy: number;
}

/** Shares that are close to published measurements. */
export const defaultShares: SyntheticShares = {
  ownHosts: 0.15,
  customerHosts: 1,
  nullMx: 0.03,
  noMail: 0.02,
  signed: 0.08,
  sts: 0.02,
  stsFaulty: 0.3,
  tlsRpt: 0.015,
  tlsa: 0.3,
  tlsaMismatch: 0.1,
  withoutStarttls: 0.04,
  busy: 0.005,
};

/** The size of a synthetic internet. The same options give the same facts. */
export interface SyntheticOptions {
  readonly domains: number;
  /** By default one for every 200 domains, at least three. */
  readonly providers?: number;
  /**
   * Addresses of hosting providers for own host names. By default one for every 25
   * domains.
   */
  readonly hostingAddresses?: number;
  /** Addresses of policy hosts. Default 8. */
  readonly policyAddresses?: number;
  readonly shares?: Partial<SyntheticShares>;
  /** Default 1. */
  readonly seed?: number;
  /** Share of the domains whose TLS-RPT record changes with each generation. Default 0.01. */
  readonly changing?: number;
}

/** A provider of mail: `named` providers give each customer a separate host name. */
export interface SyntheticProvider {
  readonly index: number;
  readonly zone: string;
  readonly kind: 'shared' | 'named';
  readonly signed: boolean;
  readonly tlsa: 'none' | 'match' | 'mismatch';
  /** Mail host addresses, each with one server. */
  readonly addresses: readonly string[];
}

/** The facts of one domain. */
export interface SyntheticDomain {
  readonly index: number;
  readonly name: string;
  readonly route: 'mx' | 'null-mx' | 'none';
  /** Absent without mail and for own hosts. */
  readonly provider?: SyntheticProvider | undefined;
  readonly hosts: readonly SyntheticHost[];
  readonly signed: boolean;
  readonly sts: 'none' | 'enforce' | 'testing' | 'no-address' | 'wrong-mx' | 'bad-certificate';
  readonly tlsRpt: boolean;
}

/** A mail host name with its addresses. */
export interface SyntheticHost {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** The mail server at an address. */
export interface SyntheticServer {
  /** Number of the certificate: see {@link SyntheticFacts.certificates}. */
  readonly certificate: number;
  readonly habit: 'good' | 'no-starttls' | 'busy';
}

const TOP_LEVELS = 5;
const PROVIDER_ZONE = 'synp';
const HOSTING_CERTIFICATES = 16;
const POLICY_ADDRESSES = 8;
/**
 * Addresses of mail servers start at 127.16.0.0, and addresses of policy hosts at
 * 127.200.0.0.
 */
const MAIL_BASE = 16 << 16;
const POLICY_BASE = 200 << 16;

/**
 * The facts of an internet that is computed and never stored: the facts of domain n are a
 * function of n and the seed. Providers are assigned by Zipf's law: the k-th provider has
 * a share near 1/k.
 */
export class SyntheticFacts {
  readonly domains: number;
  readonly providers: readonly SyntheticProvider[];
  readonly topLevels: readonly string[];
  readonly #shares: SyntheticShares;
  readonly #seed: number;
  readonly #hosting: number;
  readonly #policyAddresses: number;
  readonly #changing: number;
  readonly #servers = new Map<string, SyntheticServer>();
  /** The generation: a larger number is a later state of the same internet. */
  generation = 0;

  constructor(options: SyntheticOptions) {
    const { domains, seed = 1, changing = 0.01 } = options;
    this.domains = domains;
    this.#seed = seed;
    this.#changing = changing;
    this.#shares = { ...defaultShares, ...options.shares };
    this.#policyAddresses = options.policyAddresses ?? POLICY_ADDRESSES;
    this.#hosting = options.hostingAddresses ?? Math.max(1, Math.ceil(domains / 25));
    this.topLevels = Array.from({ length: TOP_LEVELS }, (_, index) => `syn${index}`);
    let next = 0;
    const take = (count: number): readonly string[] =>
      Array.from({ length: count }, () => mailAddress(next++));
    this.providers = Array.from(
      { length: options.providers ?? Math.max(3, Math.ceil(domains / 200)) },
      (_, index) => this.#providerOf(index, take(addressCount(index))),
    );
    for (const { index, addresses } of this.providers)
      for (const address of addresses)
        this.#servers.set(address, { certificate: index, habit: 'good' });
    for (let index = 0; index < this.#hosting; index++)
      this.#servers.set(mailAddress(next + index), this.#hostingServer(index));
    this.#firstHosting = next;
  }

  readonly #firstHosting: number;

  /** The number of addresses with a mail server. */
  get addresses(): number {
    return this.#servers.size;
  }

  serverAt(address: string): SyntheticServer | undefined {
    return this.#servers.get(address);
  }

  /**
   * Returns the names of certificate `index`: first the certificates of providers, then
   * the certificates of hosting.
   */
  certificateNames(index: number): readonly string[] {
    const provider = this.providers[index];
    if (provider) return [`*.${provider.zone}`, `*.mail.${provider.zone}`];
    return [`server${index - this.providers.length}.hosting.${PROVIDER_ZONE}`];
  }

  domainAt(index: number): SyntheticDomain {
    const shares = this.#shares;
    const name = `d${index}.syn${index % TOP_LEVELS}`;
    const route = this.#routeOf(index);
    const isOwn = this.fraction(index, 'own') < shares.ownHosts;
    const provider = route === 'mx' && !isOwn ? this.providers[this.#rankOf(index)] : undefined;
    const facts = {
      index,
      name,
      route,
      provider,
      hosts: route === 'mx' ? this.#hostsOf(index, name, provider) : [],
      signed: this.fraction(index, 'signed') < shares.signed,
    };
    if (route !== 'mx') return { ...facts, sts: 'none', tlsRpt: false };
    return { ...facts, sts: this.#stsOf(index), tlsRpt: this.#hasTlsRpt(index) };
  }

  /** Returns the domain of a name such as `d12.syn2`; undefined for another name. */
  domainNamed(label: string, topLevel: string): SyntheticDomain | undefined {
    const index = /^d\d{1,9}$/.test(label) ? Number(label.slice(1)) : -1;
    if (index < 0 || index >= this.domains || topLevel !== `syn${index % TOP_LEVELS}`)
      return undefined;
    return this.domainAt(index);
  }

  /** Returns the provider of a zone such as `prov3.synp`. */
  providerNamed(label: string): SyntheticProvider | undefined {
    return /^prov\d{1,6}$/.test(label) ? this.providers[Number(label.slice(4))] : undefined;
  }

  /** Returns the names of the domains, in order. */
  *names(): Generator<string> {
    for (let index = 0; index < this.domains; index++) yield `d${index}.syn${index % TOP_LEVELS}`;
  }

  /** Returns whether a domain changed between the previous generation and this one. */
  changed(index: number): boolean {
    return (
      this.generation > 0 &&
      this.fraction(index, `changed ${this.generation}`) < this.#changing &&
      this.#routeOf(index) === 'mx'
    );
  }

  /** Returns the address of the policy host of a domain. */
  policyAddress(index: number): string {
    return addressOf(POLICY_BASE + (index % this.#policyAddresses));
  }

  /** Returns a number from 0 up to 1 that depends only on seed, index and purpose. */
  fraction(index: number, purpose: string): number {
    let mixed = (this.#seed * 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
    for (let at = 0; at < purpose.length; at++)
      mixed = Math.imul(mixed ^ purpose.charCodeAt(at), 0x01000193);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000;
  }

  #routeOf(index: number): SyntheticDomain['route'] {
    const { nullMx, noMail } = this.#shares;
    const drawn = this.fraction(index, 'route');
    if (drawn < nullMx) return 'null-mx';
    return drawn < nullMx + noMail ? 'none' : 'mx';
  }

  /**
   * Returns a rank by Zipf's law with exponent 1: the logarithm of the rank is
   * distributed evenly.
   */
  #rankOf(index: number): number {
    const rank = Math.floor(
      Math.exp(this.fraction(index, 'provider') * Math.log(this.providers.length + 1)),
    );
    return Math.min(rank, this.providers.length) - 1;
  }

  #providerOf(index: number, addresses: readonly string[]): SyntheticProvider {
    const signed = this.fraction(index, 'provider signed') < this.#shares.tlsa;
    const isWrong = this.fraction(index, 'mismatch') < this.#shares.tlsaMismatch;
    const kind = index % 3 === 1 ? 'named' : 'shared';
    let tlsa: SyntheticProvider['tlsa'] = 'none';
    if (signed && kind === 'shared') tlsa = isWrong ? 'mismatch' : 'match';
    return { index, zone: `prov${index}.${PROVIDER_ZONE}`, kind, signed, tlsa, addresses };
  }

  #hostsOf(
    index: number,
    name: string,
    provider: SyntheticProvider | undefined,
  ): readonly SyntheticHost[] {
    if (!provider) {
      const own = Math.floor(this.fraction(index, 'hosting') * this.#hosting);
      return [{ name: `mail.${name}`, addresses: [mailAddress(this.#firstHosting + own)] }];
    }
    const { kind, zone, addresses } = provider;
    if (kind === 'named' && this.fraction(index, 'customer host') < this.#shares.customerHosts) {
      const chosen = Math.floor(this.fraction(index, 'address') * addresses.length);
      const host = `${name.replace('.', '-')}.mail.${zone}`;
      return [{ name: host, addresses: addresses.slice(chosen, chosen + 1) }];
    }
    return sharedHosts(provider);
  }

  #stsOf(index: number): SyntheticDomain['sts'] {
    const { sts, stsFaulty } = this.#shares;
    if (this.fraction(index, 'sts') >= sts) return 'none';
    const drawn = this.fraction(index, 'sts fault');
    if (drawn >= stsFaulty) return this.fraction(index, 'mode') < 0.6 ? 'enforce' : 'testing';
    const faults = ['no-address', 'wrong-mx', 'bad-certificate'] as const;
    return faults[Math.floor((drawn / stsFaulty) * faults.length)] ?? 'no-address';
  }

  #hasTlsRpt(index: number): boolean {
    let has = this.fraction(index, 'tlsrpt') < this.#shares.tlsRpt;
    for (let past = 1; past <= this.generation; past++)
      if (this.fraction(index, `changed ${past}`) < this.#changing) has = !has;
    return has;
  }

  #hostingServer(index: number): SyntheticServer {
    const drawn = this.fraction(index, 'habit');
    const { busy, withoutStarttls } = this.#shares;
    const certificate = this.providers.length + (index % HOSTING_CERTIFICATES);
    if (drawn < busy) return { certificate, habit: 'busy' };
    return { certificate, habit: drawn < busy + withoutStarttls ? 'no-starttls' : 'good' };
  }
}

/**
 * Returns the two MX hosts of a provider, each with half of its addresses, at most four.
 */
export function sharedHosts({ zone, addresses }: SyntheticProvider): readonly SyntheticHost[] {
  const half = Math.ceil(addresses.length / 2);
  return [
    { name: `mx1.${zone}`, addresses: addresses.slice(0, Math.min(half, 4)) },
    { name: `mx2.${zone}`, addresses: addresses.slice(half, half + 4) },
  ];
}

/** Returns the number of addresses of a provider. Large providers have more addresses. */
function addressCount(rank: number): number {
  if (rank < 2) return 32;
  return rank < 20 ? 8 : 2;
}

/**
 * Returns the address of a mail server. Four servers share a network (/24): mail servers
 * are spread over many networks, and a scan contacts few addresses of one network at a
 * time.
 */
function mailAddress(index: number): string {
  return addressOf(MAIL_BASE + ((index >> 2) << 8) + (index & 3) + 1);
}

/** Returns a loopback address by its number in 127.0.0.0/8. */
function addressOf(number: number): string {
  return `127.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}
