import { createHash, type KeyObject } from 'node:crypto';
import type { AcmeCaHabits, AcmeOrder } from './acme-ca-types.js';
import { AcmeProblem, thumbprint } from './acme-signed.js';

/**
 * The JSON resources of the lab's certification authority (RFC 8555 §7.1), as functions
 * of its state. The resources deviate from the usual form if the RFC allows the
 * deviation. A client that relies on more than the RFC guarantees then fails in the lab,
 * not at a real CA.
 */

/** Returns the absolute URL of a path at the CA. */
export type UrlOf = (requestPath: string) => string;

/** Returns the directory (RFC 8555 §7.1.1, RFC 9773 §3). */
export function directoryResource(acmeCaHabits: AcmeCaHabits, urlOf: UrlOf): unknown {
  const { profiles, window, external, persist, keyChange, caaIdentities } = acmeCaHabits;
  const profileNames = Object.keys(profiles).filter((domainName) => domainName !== '');
  return {
    newNonce: urlOf('nonce'),
    newAccount: urlOf('new-account'),
    newOrder: urlOf('new-order'),
    keyChange: keyChange ? urlOf('key-change') : undefined,
    renewalInfo: window ? urlOf('renewal') : undefined,
    meta: {
      profiles:
        profileNames.length > 0
          ? Object.fromEntries(profileNames.map((domainName) => [domainName, domainName]))
          : undefined,
      externalAccountRequired: external ? true : undefined,
      caaIdentities,
      issuerDomainNames: persist.hashPrefix === undefined ? undefined : persist.issuers,
      accountHashPrefix: persist.hashPrefix,
    },
  };
}

/** Returns an order (RFC 8555 §7.1.3). */
export function orderResource(acmeOrder: AcmeOrder, urlOf: UrlOf): unknown {
  const { id, names, status, certificate, error } = acmeOrder;
  return {
    status,
    // Not in the order of the request: a client must not rely on the order (RFC 8555
    // §7.4).
    identifiers: [...names].reverse().map((value) => ({ type: 'dns', value })),
    authorizations: names.map((domainName) => urlOf(`authorization/${id}/${domainName}`)),
    finalize: urlOf(`finalize/${id}`),
    certificate: certificate === undefined ? undefined : urlOf(`certificate/${certificate}`),
    error: error === undefined ? undefined : { detail: error },
  };
}

/** Returns an authorization with its challenges (RFC 8555 §7.1.4). */
export function authorizationResource(
  acmeOrder: AcmeOrder,
  domainName: string,
  acmeCaHabits: AcmeCaHabits,
  urlOf: UrlOf,
): unknown {
  const { id, authorizations, token, error } = acmeOrder;
  const status = existing(authorizations.get(domainName));
  const { issuers, hashPrefix } = acmeCaHabits.persist;
  // Two drafts of dns-persist-01 name this member differently; `hashPrefix` selects one.
  const issuerMember = hashPrefix === undefined ? 'issuer-domain-names' : 'issuerDomainNames';
  const challenges = acmeCaHabits.challenges.map((type) => {
    const parameters = type === 'dns-persist-01' ? { [issuerMember]: issuers } : { token };
    return {
      type,
      url: urlOf(`${type}/${id}/${domainName}`),
      status,
      ...parameters,
      error: error === undefined ? undefined : { detail: error },
    };
  });
  return { identifier: { type: 'dns', value: domainName }, status, challenges };
}

/** The account that a persistent DNS record authorises. */
export interface PersistentAccount {
  readonly name: string;
  readonly key: KeyObject;
  /** Account URL. */
  readonly account: string;
}

/**
 * Returns the TXT value that dns-persist-01 expects (draft-ietf-acme-dns-persist-02
 * §4.1).
 */
export function persistentValue(
  { name, key, account }: PersistentAccount,
  { issuers, hashPrefix }: AcmeCaHabits['persist'],
): string {
  const input = Buffer.concat([
    Buffer.of(name.length),
    Buffer.from(name + thumbprint(key) + account),
  ]);
  const hash = createHash('sha256').update(input).digest('base64url');
  const accountUri = hashPrefix === undefined ? account : `${hashPrefix}sha-256/${hash}`;
  return `${issuers[0] ?? ''}; accounturi=${accountUri}`;
}

/**
 * Returns the resource; throws a problem with status 404 if the URL names no resource.
 */
export function existing<T>(resource: T | undefined): T {
  if (resource === undefined) throw new AcmeProblem(404, 'malformed', 'no such resource');
  return resource;
}
