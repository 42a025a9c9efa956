import type { Role } from '../roles.js';

/**
 * The rights of the accounts with a group or name, which a proxy or OpenID provider has
 * identified.
 */
export interface Grant {
  /**
   * The group that the account must have. Without `group` and `name`, the grant is for
   * every account.
   */
  readonly group?: string | undefined;
  /** The name that the account must have. */
  readonly name?: string | undefined;
  readonly role: Role;
  readonly customers?: readonly string[] | undefined;
}

/**
 * Returns the rights of the first matching grant; undefined if no grant matches, so that
 * the account has no access.
 */
export function grantOf(
  grants: readonly Grant[],
  name: string,
  groups: readonly string[],
): Pick<Grant, 'role' | 'customers'> | undefined {
  return grants.find(
    (grant) =>
      (grant.group === undefined || groups.includes(grant.group)) &&
      (grant.name === undefined || grant.name === name),
  );
}
