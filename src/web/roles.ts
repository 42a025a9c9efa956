/** The roles of accounts. Each role includes the rights of the roles before it. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The rights that a token may have. A token never has more rights than its role. */
export const scopes = [
  'check:run',
  'check:read',
  'report:read',
  'report:write',
  'publish:read',
  'alert:write',
  'admin',
] as const;
export type Scope = (typeof scopes)[number];

/** The description of each scope, for the form that creates a token. */
export const scopeTexts: Readonly<Record<Scope, string>> = {
  'check:run': 'start batches of checks and read them',
  'check:read': 'read the checks of your domains',
  'report:read': 'read domains, reports, reporters and alarms',
  'report:write': 'hand in reports',
  'publish:read': 'read published state, plans and cached policies',
  'alert:write': 'mute domains',
  admin: 'manage users and tokens, read the audit log',
};

/**
 * The way in which the account of a request was proved. `local`: the request arrived on
 * the loopback port.
 */
export type SignInWay = 'local' | 'password' | 'oidc' | 'proxy' | 'token';

/** Customers by name, each with its domains. */
export type Customers = Readonly<Record<string, readonly string[]>>;

/** Returns whether one role includes another. */
export function includesRole(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** The domains that an account may see: all domains, or the domains of its customers. */
export class DomainReach {
  readonly #domains: ReadonlySet<string> | undefined;

  private constructor(domains: ReadonlySet<string> | undefined) {
    this.#domains = domains;
  }

  static readonly whole = new DomainReach(undefined);

  /**
   * Returns the domains that an account may see. `names`: the customers of the account;
   * undefined for all domains.
   */
  static of(names: readonly string[] | undefined, customers: Customers): DomainReach {
    if (names === undefined) return DomainReach.whole;
    const own = names.filter((name) => Object.hasOwn(customers, name));
    return new DomainReach(new Set(own.flatMap((name) => customers[name] ?? [])));
  }

  /** Whether the account may see all domains. */
  get isWhole(): boolean {
    return this.#domains === undefined;
  }

  /**
   * Returns whether the account may see a domain. Names must be equal, because a name
   * below the domain of one customer may belong to another customer.
   */
  readonly covers = (domain: string): boolean => this.#domains?.has(domain) ?? true;
}

/** The account behind a request, with its rights. */
export interface Actor {
  readonly name: string;
  readonly way: SignInWay;
  readonly role: Role;
  /** The customers to which the account is confined; undefined for all domains. */
  readonly customers: readonly string[] | undefined;
  readonly reach: DomainReach;
  /** The scopes of a token; undefined without a token. */
  readonly scopes?: readonly Scope[] | undefined;
  /** The public id of the token of the request. */
  readonly token?: string | undefined;
  /** The way in which the owner of the token had signed in. */
  readonly tokenWay?: SignInWay | undefined;
  /** The public id of the session of the request. */
  readonly session?: string | undefined;
  /** The secret from which the form tokens of this account are derived. */
  readonly formKey?: string | undefined;
}
