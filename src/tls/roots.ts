import {
  joinTrustStores,
  mozillaIdentity,
  mozillaRoots,
  namedTrustStore,
  readRoots,
  trustStore,
  type Certificate,
  type TrustStore,
} from '../x509/index.js';

let builtin: TrustStore | undefined;

/**
 * Mozilla's roots for TLS servers as compiled into this program, the same on every version
 * of Node, and the given certificates in addition. The list is parsed once.
 */
export function builtinTrustStore(extra: readonly Certificate[] = []): TrustStore {
  builtin ??= mozillaTrustStore();
  if (extra.length === 0) return builtin;
  return joinTrustStores([builtin, namedTrustStore('file', extra)]);
}

function mozillaTrustStore(): TrustStore {
  const { certificates, distrustAfter } = readRoots(mozillaRoots);
  return trustStore(certificates, [], { sources: [mozillaIdentity], distrustAfter });
}
