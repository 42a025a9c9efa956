import { canonicalAddress } from '../clients/client-address.js';
import type { PagesSettings } from '../settings.js';
import { grantOf } from './grants.js';
import { equalSecrets } from './random-secret.js';
import { DomainReach, type Actor } from '../roles.js';

/** The peer and the headers of a request, by which a proxy can name an account. */
export interface ProxiedRequest {
  /** The address of the peer of the connection. */
  readonly peer: string;
  readonly headers: Headers;
}

const MAX_NAME = 200;
const MAX_GROUPS = 100;

/**
 * Returns the account that a reverse proxy has identified. The peer must be a configured
 * proxy and send the shared secret. The address alone proves nothing, because a proxy
 * also forwards header fields that a client sent. A proxy cannot grant the role of admin.
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
