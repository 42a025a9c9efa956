import type { Role, Scope } from '../roles.js';

/** The condition under which a route answers. */
export interface AccessRule {
  /** The minimum role; `anyone` needs no sign-in. */
  readonly role: Role | 'anyone';
  /**
   * `own`: an account that is confined to customers gets the data of its domains.
   * `whole`: the data concern all domains, so a confined account is refused.
   */
  readonly reach: 'own' | 'whole';
  /** The scope that a token needs. If absent, the route accepts no token. */
  readonly scope?: Scope;
}

const anyone: AccessRule = { role: 'anyone', reach: 'own' };
const ownPages: AccessRule = { role: 'viewer', reach: 'own' };
const wholePages: AccessRule = { role: 'viewer', reach: 'whole' };
const operatorPages: AccessRule = { role: 'operator', reach: 'whole' };
const adminPages: AccessRule = { role: 'admin', reach: 'whole' };
const reportsOfOwn: AccessRule = { role: 'viewer', reach: 'own', scope: 'report:read' };
const reportsOfAll: AccessRule = { role: 'viewer', reach: 'whole', scope: 'report:read' };
const publishedOfOwn: AccessRule = { role: 'viewer', reach: 'own', scope: 'publish:read' };
const administration: AccessRule = { role: 'admin', reach: 'whole', scope: 'admin' };
/** The rule for batches, of which each account can read only its own. */
const batches: AccessRule = { role: 'operator', reach: 'own', scope: 'check:run' };

/**
 * The access rule of every route, by method and path. The application does not start if a
 * route is missing here, so a new route cannot be open by mistake.
 *
 * Only unconfined accounts can read raw reports: one report may name domains of several
 * customers.
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
  'GET /sender': anyone,
  'POST /sender': anyone,
  'GET /sender/:id': anyone,
  'GET /sender/:id/events': anyone,
  'GET /sender/:id/result.json': anyone,
  'POST /sender/:id/sent': anyone,
  'POST /sender/:id/withdraw': anyone,
  'GET /statistics': anyone,
  'GET /statistics/:scan{[0-9]{1,9}}/:page': anyone,
  'GET /about': anyone,
  'GET /opt-out': anyone,
  'GET /privacy': anyone,
  'GET /favicon.ico': anyone,
  'GET /robots.txt': anyone,
  'GET /assets/:file': anyone,
  'GET /api': anyone,
  'GET /sign-in': anyone,
  'POST /sign-in': anyone,
  'GET /sign-in/oidc': anyone,
  'GET /sign-in/oidc/callback': anyone,
  'POST /sign-in/oidc/logout': anyone,

  'GET /api/v1/openapi.json': anyone,
  'POST /api/v1/checks': anyone,
  'GET /api/v1/checks/:id': anyone,
  'GET /api/v1/checks/:id/events': anyone,
  'GET /api/v1/checks/:id/evidence': anyone,
  'POST /api/v1/sender-tests': anyone,
  'GET /api/v1/sender-tests/:id': anyone,
  'GET /api/v1/statistics': anyone,
  'GET /api/v1/statistics/:scan': anyone,

  'GET /o': ownPages,
  'GET /o/domains/:domain': ownPages,
  'GET /o/domains/:domain/checks': ownPages,
  'GET /o/domains/:domain/published': ownPages,
  'GET /o/domains/:domain/plan': ownPages,
  'GET /o/alerts': ownPages,
  'GET /o/reporters': wholePages,
  'GET /o/reports': wholePages,
  'GET /o/reports/:id{[0-9]{1,15}}': wholePages,
  'GET /o/sending': wholePages,
  'GET /o/settings': operatorPages,
  'GET /o/sessions': ownPages,
  'POST /o/sessions/:id/end': ownPages,
  'POST /o/sessions/end-all': ownPages,
  'POST /o/sign-out': ownPages,
  'GET /o/users': adminPages,
  'POST /o/users': adminPages,
  'POST /o/users/:name/remove': adminPages,
  'GET /o/audit': adminPages,
  'POST /o/alerts/mute': { role: 'operator', reach: 'own' },
  'GET /o/customers': ownPages,
  'GET /o/customers/:customer': ownPages,
  'GET /o/tokens': ownPages,
  'POST /o/tokens': ownPages,
  'POST /o/tokens/:id/revoke': ownPages,

  'GET /api/v1/domains': reportsOfOwn,
  'GET /api/v1/domains/:domain': reportsOfOwn,
  'GET /api/v1/domains/:domain/report': reportsOfOwn,
  'GET /api/v1/domains/:domain/checks': { role: 'viewer', reach: 'own', scope: 'check:read' },
  'GET /api/v1/domains/:domain/published': publishedOfOwn,
  'GET /api/v1/domains/:domain/plan': publishedOfOwn,
  'PUT /api/v1/domains/:domain/mute': { role: 'operator', reach: 'own', scope: 'alert:write' },
  'DELETE /api/v1/domains/:domain/mute': { role: 'operator', reach: 'own', scope: 'alert:write' },
  'GET /api/v1/alerts': reportsOfOwn,
  'GET /api/v1/customers': reportsOfOwn,
  'GET /api/v1/reporters': reportsOfAll,
  'GET /api/v1/reports': reportsOfAll,
  'POST /api/v1/reports': { role: 'operator', reach: 'whole', scope: 'report:write' },
  'GET /api/v1/reports/:id': reportsOfAll,
  'GET /api/v1/sending': { role: 'viewer', reach: 'whole', scope: 'publish:read' },
  'GET /api/v1/users': administration,
  'POST /api/v1/users': administration,
  'DELETE /api/v1/users/:name': administration,
  'GET /api/v1/tokens': { role: 'viewer', reach: 'own', scope: 'admin' },
  'POST /api/v1/tokens': { role: 'viewer', reach: 'own', scope: 'admin' },
  'DELETE /api/v1/tokens/:id': { role: 'viewer', reach: 'own', scope: 'admin' },
  'GET /api/v1/audit': administration,
  'POST /api/v1/batches': batches,
  'GET /api/v1/batches/:id': batches,
  'GET /api/v1/batches/:id/results': batches,
  'GET /api/v1/batches/:id/events': batches,
  'DELETE /api/v1/batches/:id': batches,
};

/** Returns the routes that have no rule. */
export function routesWithoutRule(routes: readonly string[]): readonly string[] {
  return routes.filter((route) => !route.startsWith('ALL ') && !Object.hasOwn(accessTable, route));
}
