import type { Role } from '../roles.js';

/** The rights of accounts that another service has identified. */
export interface Grant {
  /**
   * The account has this group. Without `group` and `name`, the grant is for every
   * account.
   */
  readonly group?: string | undefined;
  /** The account has this name. */
  readonly name?: string | undefined;
  readonly role: Role;
  readonly customers?: readonly string[] | undefined;
}

/**
 * Returns the rights of the first matching grant; undefined without one, which means no
 * access.
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
