import { createHash } from 'node:crypto';
import { fail, ok, parseDomain, type Failure, type Result } from '../base/index.js';
import { acmeFailures } from './failures.js';
import type { Challenge } from './challenge.js';

type Given = Pick<Challenge, 'host' | 'account' | 'thumbprint' | 'issuers' | 'hashPrefix'>;

/** Octets of a value in `tag=value` (RFC 8659 §4.2). */
const value = /^[\x21-\x3a\x3c-\x7e]{1,2048}$/;
const MAX_ISSUERS = 10;

/**
 * The text that lets one account of one CA have this name validated, for good
 * (draft-ietf-acme-dns-persist-02 §4.1): `ISSUER; accounturi=URI`. The URI is hashed
 * where the CA says how, and the URL of the account itself at CAs that go by the drafts
 * before. Fails for what the CA sends and no record can be made of.
 */
export function persistentRecord({
  host,
  account,
  thumbprint,
  issuers,
  hashPrefix,
}: Given): Result<string, Failure> {
  const [issuer] = issuers;
  const uri =
    hashPrefix === undefined
      ? account
      : `${hashPrefix}sha-256/${accountHash(host, thumbprint, account)}`;
  if (issuer === undefined || issuers.length > MAX_ISSUERS || !issuers.every(isNormal))
    return fail(
      acmeFailures.make(
        'acme-challenge-unknown',
        'dns-persist-01 without names of the CA that can be used',
      ),
    );
  if (!value.test(uri))
    return fail(
      acmeFailures.make(
        'acme-challenge-unknown',
        'dns-persist-01 with an account URI that fits no record',
      ),
    );
  return ok(`${issuer}; accounturi=${uri}`);
}

/**
 * base64url of the SHA-256 of the name after its length, the thumbprint of the account
 * key, and the account's URL.
 */
export function accountHash(host: string, thumbprint: string, account: string): string {
  return createHash('sha256')
    .update(Uint8Array.of(host.length))
    .update(`${host}${thumbprint}${account}`, 'latin1')
    .digest('base64url');
}

/** A-labels in lower case, without final dot. */
function isNormal(name: string): boolean {
  const parsed = parseDomain(name);
  return parsed.ok && parsed.value.toLower() === name;
}
