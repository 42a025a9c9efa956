import { HermeticError, Name } from '../../base/index.js';
import type { TsigAlgorithm, TsigKey } from '../../dns/index.js';

const algorithms: readonly TsigAlgorithm[] = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'];
const keyStatement = /^\s*key\s+"?([^\s"{;]+)"?\s*\{([^}]*)\}\s*;?\s*$/;
/**
 * Minimum octets of a secret. RFC 8945 §6 recommends the length of the digest. An
 * attacker can guess a shorter secret.
 */
const MIN_OCTETS = 16;

/**
 * Parses a key file in the format of `tsig-keygen`: `key "NAME" { algorithm hmac-sha256;
 * secret "BASE64"; };`. Comments are allowed. Throws HermeticError, which never contains
 * the secret.
 */
export function parseTsigKey(text: string, filePath: string): TsigKey {
  const [, recordName = '', bodyText = ''] =
    keyStatement.exec(text.replace(/(^|\s)(#|\/\/).*$/gm, '$1')) ?? [];
  const named = /\balgorithm\s+"?([\w-]+)"?\s*;/.exec(bodyText)?.[1]?.toLowerCase();
  const algorithm = algorithms.find((known) => known === named);
  const secret = /\bsecret\s+"?([A-Za-z0-9+/]+={0,2})"?\s*;/.exec(bodyText)?.[1];
  if (recordName === '' || algorithm === undefined || secret === undefined)
    throw unusable(`${filePath}: no TSIG key with HMAC-SHA-256 or longer`);
  const octets = new Uint8Array(Buffer.from(secret, 'base64'));
  if (octets.length < MIN_OCTETS)
    throw unusable(`${filePath}: a secret of ${octets.length} octets is too short`);
  return { name: Name.of(recordName.replace(/\.$/, '')), algorithm, secret: octets };
}

function unusable(message: string): HermeticError {
  const fix = 'Make one with: tsig-keygen -a hmac-sha256 hermetic';
  return new HermeticError('publish-tsig-unreadable', message, { fix });
}
