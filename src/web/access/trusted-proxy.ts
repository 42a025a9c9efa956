import { canonicalAddress } from '../clients/client-address.js';
import type { PagesSettings } from '../settings.js';
import { grantOf } from './grants.js';
import { equalSecrets } from './random-secret.js';
import { DomainReach, type Actor } from '../roles.js';

/** The parts of a request that can identify the account of a proxy. */
export interface ProxiedRequest {
  /** Address of the peer of the connection. */
  readonly peer: string;
  readonly headers: Headers;
}

const MAX_NAME = 200;
const MAX_GROUPS = 100;

/**
 * Returns the account that a reverse proxy has identified. The peer must be a listed
 * proxy and send the shared secret: a proxy also passes on headers that a client sent, so
 * the address alone proves nothing. A proxy cannot grant the role of admin.
 */
export function actorOfProxy(
  { peer, headers }: ProxiedRequest,
  { signIn, customers }: Pick<PagesSettings, 'signIn' | 'customers'>,
  { secret, formKey }: { readonly secret: string | undefined; readonly formKey: string },
): Actor | undefined {
  const proxy = signIn?.proxy;
  if (!proxy || secret === undefined || secret === '') return undefined;
  if (!proxy.addresses.map(canonicalAddress).includes(canonicalAddress(peer))) return undefined;
  if (!equalSecrets(headers.get(proxy.secretHeader) ?? '', secret)) return undefined;
  const name = headers.get(proxy.userHeader)?.trim() ?? '';
  if (name === '' || name.length > MAX_NAME) return undefined;
  const groups = (headers.get(proxy.groupsHeader) ?? '')
    .split(/[,;|]/)
    .slice(0, MAX_GROUPS)
    .map((group) => group.trim());
  const grant = grantOf(signIn.grants, name, groups);
  if (!grant) return undefined;
  const role = grant.role === 'admin' ? 'operator' : grant.role;
  return {
    name,
    way: 'proxy',
    role,
    customers: grant.customers,
    reach: DomainReach.of(grant.customers, customers),
    formKey: `${formKey} ${name}`,
  };
}
