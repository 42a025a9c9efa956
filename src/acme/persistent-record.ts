import { createHash } from 'node:crypto';
import { fail, ok, parseDomain, type Failure, type Result } from '../base/index.js';
import { acmeFailures } from './failures.js';
import type { Challenge } from './challenge.js';

type AccountFacts = Pick<Challenge, 'host' | 'account' | 'thumbprint' | 'issuers' | 'hashPrefix'>;

/** A value in `tag=value` (RFC 8659 §4.2). */
const tagValue = /^[\x21-\x3a\x3c-\x7e]{1,2048}$/;
const MAX_ISSUERS = 10;

/**
 * Returns the text of the TXT record that permits one account of one CA to validate this
 * name permanently: `ISSUER; accounturi=URI` (draft-ietf-acme-dns-persist-02 §4.1). If
 * the CA announces a prefix, the URI contains a hash of the account. For CAs that follow
 * earlier drafts, the URI is the URL of the account. Fails if the CA names no issuer, or
 * if the URI does not fit into a record.
 */
export function persistentRecord({
  host,
  account,
  thumbprint,
  issuers,
  hashPrefix,
}: AccountFacts): Result<string, Failure> {
  const [issuer] = issuers;
  const hashed = `sha-256/${accountHash(host, thumbprint, account)}`;
  const accountUri = hashPrefix === undefined ? account : `${hashPrefix}${hashed}`;
  if (issuer === undefined || issuers.length > MAX_ISSUERS || !issuers.every(isNormal))
    return fail(
      acmeFailures.make(
        'acme-challenge-unknown',
        'the challenge dns-persist-01 contains no usable name of the CA',
      ),
    );
  if (!tagValue.test(accountUri))
    return fail(
      acmeFailures.make(
        'acme-challenge-unknown',
        'the account URI is too long for a record of dns-persist-01',
      ),
    );
  return ok(`${issuer}; accounturi=${accountUri}`);
}

/**
 * Returns the hash of an account for one name, base64url: SHA-256 over the length of the
 * name, the name, the thumbprint of the account key, and the URL of the account.
 */
export function accountHash(hostName: string, thumbprint: string, account: string): string {
  return createHash('sha256')
    .update(Uint8Array.of(hostName.length))
    .update(`${hostName}${thumbprint}${account}`, 'latin1')
    .digest('base64url');
}

/** Returns whether a name is written in A-labels, lower case, without a final dot. */
function isNormal(domainName: string): boolean {
  const parsed = parseDomain(domainName);
  return parsed.ok && parsed.value.toLower() === domainName;
}
