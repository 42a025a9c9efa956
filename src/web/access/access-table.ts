import type { Role, Scope } from './roles.js';

/** The condition under which a route answers. */
export interface AccessRule {
  /** The least role; `anyone` needs no sign-in. */
  readonly role: Role | 'anyone';
  /**
   * `own`: an account that is confined to customers gets the data of its domains.
   * `whole`: the data concern all domains, so a confined account is refused.
   */
  readonly reach: 'own' | 'whole';
  /** The scope that a token needs. Without one the route accepts no token. */
  readonly scope?: Scope;
}

const anyone: AccessRule = { role: 'anyone', reach: 'own' };
const ownPages: AccessRule = { role: 'viewer', reach: 'own' };
const wholePages: AccessRule = { role: 'viewer', reach: 'whole' };
const operatorPages: AccessRule = { role: 'operator', reach: 'whole' };
const adminPages: AccessRule = { role: 'admin', reach: 'whole' };

/**
 * The condition of every route, by method and path. The application refuses to start with
 * a route that is missing here, so no new route is open by mistake.
 *
 * Raw reports are for accounts without confinement: one report may name domains of
 * several customers.
 */
export const accessTable: Readonly<Record<string, AccessRule>> = {
  'GET /': anyone,
  'POST /check': anyone,
  'GET /check/:id': anyone,
  'GET /check/:id/events': anyone,
  'POST /check/:id/again': anyone,
  'GET /check/:id/evidence.json': anyone,
  'GET /check/:id/result.json': anyone,
  'GET /check/:id/badge.svg': anyone,
  'GET /about': anyone,
  'GET /opt-out': anyone,
  'GET /privacy': anyone,
  'GET /favicon.ico': anyone,
  'GET /robots.txt': anyone,
  'GET /assets/:file': anyone,
  'GET /api': anyone,
  'GET /sign-in': anyone,
  'POST /sign-in': anyone,

  'GET /api/v1/openapi.json': anyone,
  'POST /api/v1/checks': anyone,
  'GET /api/v1/checks/:id': anyone,
  'GET /api/v1/checks/:id/events': anyone,
  'GET /api/v1/checks/:id/evidence': anyone,

  'GET /o': ownPages,
  'GET /o/domains/:domain': ownPages,
  'GET /o/domains/:domain/checks': ownPages,
  'GET /o/domains/:domain/published': ownPages,
  'GET /o/alerts': ownPages,
  'GET /o/reporters': wholePages,
  'GET /o/reports': wholePages,
  'GET /o/reports/:id{[0-9]{1,15}}': wholePages,
  'GET /o/sending': wholePages,
  'GET /o/settings': operatorPages,
  'GET /o/sessions': ownPages,
  'POST /o/sessions/:id/end': ownPages,
  'POST /o/sign-out': ownPages,
  'GET /o/users': adminPages,
  'POST /o/users': adminPages,
  'POST /o/users/:name/remove': adminPages,
  'GET /o/audit': adminPages,
};

/** Returns the routes that have no rule. */
export function routesWithoutRule(routes: readonly string[]): readonly string[] {
  return routes.filter((route) => !route.startsWith('ALL ') && !Object.hasOwn(accessTable, route));
}
