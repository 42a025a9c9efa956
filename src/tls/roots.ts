import { readFileSync } from 'node:fs';
import {
  joinTrustStores,
  namedTrustStore,
  readRoots,
  trustStore,
  type Certificate,
  type RootRow,
  type StoreIdentity,
  type TrustStore,
} from '../x509/index.js';

/** The generated list of the package (`npm run root-store`). */
const ROOT_LIST = new URL('../../../data/mozilla-roots.json', import.meta.url);

interface RootListFile {
  readonly identity: StoreIdentity;
  readonly roots: readonly RootRow[];
}

let builtin: TrustStore | undefined;

/**
 * Returns the given certificates and Mozilla's roots for TLS servers. The roots come from
 * this package, so they do not depend on the version of Node. The list is read and parsed
 * once, on first use. A root that Mozilla distrusts after a date is trusted for leaves
 * issued until then.
 */
export function builtinTrustStore(extra: readonly Certificate[] = []): TrustStore {
  builtin ??= mozillaTrustStore();
  if (extra.length === 0) return builtin;
  return joinTrustStores([builtin, namedTrustStore('file', extra)]);
}

function mozillaTrustStore(): TrustStore {
  const { identity, roots } = JSON.parse(readFileSync(ROOT_LIST, 'utf8')) as RootListFile;
  const { certificates, distrustAfter } = readRoots(roots);
  return trustStore(certificates, [], { sources: [identity], distrustAfter });
}
