import { HermeticError, Name } from '../../base/index.js';
import type { TsigAlgorithm, TsigKey } from '../../dns/index.js';

const algorithms: readonly TsigAlgorithm[] = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'];
const form = /^\s*key\s+"?([^\s"{;]+)"?\s*\{([^}]*)\}\s*;?\s*$/;
/** As long as the digest is what RFC 8945 §6 wants; less than this can be tried out. */
const MIN_OCTETS = 16;

/**
 * Reads a key as `tsig-keygen` prints it: `key "NAME" { algorithm hmac-sha256; secret
 * "BASE64"; };`. Throws HermeticError, which never holds the secret.
 */
export function parseTsigKey(text: string, file: string): TsigKey {
  const [, name = '', body = ''] = form.exec(text.replace(/(^|\s)(#|\/\/).*$/gm, '$1')) ?? [];
  const algorithm = algorithms.find(
    (one) => one === /\balgorithm\s+"?([\w-]+)"?\s*;/.exec(body)?.[1]?.toLowerCase(),
  );
  const secret = /\bsecret\s+"?([A-Za-z0-9+/]+={0,2})"?\s*;/.exec(body)?.[1];
  if (name === '' || algorithm === undefined || secret === undefined)
    throw new HermeticError(
      'publish-tsig-unreadable',
      `${file}: no TSIG key with HMAC-SHA-256 or longer`,
      {
        fix: 'Make one with: tsig-keygen -a hmac-sha256 hermetic',
      },
    );
  const octets = new Uint8Array(Buffer.from(secret, 'base64'));
  if (octets.length < MIN_OCTETS)
    throw new HermeticError(
      'publish-tsig-unreadable',
      `${file}: a secret of ${octets.length} octets is too short`,
      {
        fix: 'Make one with: tsig-keygen -a hmac-sha256 hermetic',
      },
    );
  return { name: Name.of(name.replace(/\.$/, '')), algorithm, secret: octets };
}
