import { stringify } from 'yaml';
import type { Config } from './config.js';

/**
 * Configuration keys whose values may hold a secret. Values that are paths are shown,
 * because a path does not reveal the secret in the file.
 */
const secretKeys = /pass|secret|token|hmac|credential|auth|webhook|key/i;

const HIDDEN = '(hidden)';

/**
 * Returns the configuration in force as YAML, with every default, for the operator. Hides
 * the values of keys that may hold a secret. Shows only the scheme and the host of every
 * URL.
 */
export function showConfig({ jobs, ...common }: Config): string {
  return stringify(shown({ ...common, ...jobs }), { lineWidth: 0, aliasDuplicateObjects: false });
}

function shown(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => shown(one, key));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shown(one, name)]));
  if (typeof value !== 'string') return value;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return hiddenUrl(value);
  return secretKeys.test(key) && !value.startsWith('/') ? HIDDEN : value;
}

/**
 * Returns a URL with only its scheme and host; user, path and query may contain a
 * password.
 */
function hiddenUrl(text: string): string {
  if (!URL.canParse(text)) return HIDDEN;
  const { protocol, host, pathname, search, username } = new URL(text);
  const rest = pathname.length > 1 || search !== '' || username !== '' ? `/${HIDDEN}` : '';
  return `${protocol}//${host}${rest}`;
}
