import type { Certificate } from '../../x509/index.js';
import type { AcmeStore, Renewal } from './acme-store.js';
import {
  type AcmeServer,
  type AcmeSession,
  askAgainAt,
  certificateId,
  fetchRenewalInfo,
  tryAgainAt,
} from '../../acme/index.js';

export interface Held {
  readonly host: string;
  readonly key: string;
  /** Its certificate. */
  readonly leaf: Certificate;
}

/**
 * What a CA said of a certificate of its own, asked again when it is time. Undefined for
 * one that it did not issue; what it does not answer changes nothing.
 */
export async function refreshRenewalInfo(
  session: AcmeSession,
  book: AcmeStore,
  { directory, clock }: AcmeServer,
  { host, key, leaf }: Held,
): Promise<Renewal | undefined> {
  const now = clock.now();
  const known = book.renewal(host, key);
  const id = certificateId(leaf);
  if (known?.directory !== directory || known.certificateId !== id) return undefined;
  // [9773-4.3-2]
  const over = leaf.notAfter <= now;
  if (id === undefined || over || now < known.askAgain || now < book.pausedUntil(directory, '*'))
    return known;
  const resources = await session.directory();
  const base = resources.ok ? resources.value.renewalInfo : undefined;
  const got = base === undefined ? resources : await fetchRenewalInfo(session, base, id, now);
  const { tries = 0, ...rest } = known;
  const passing = !got.ok && got.failure.passing === true;
  const learnt: Renewal = {
    ...rest,
    askAgain: passing ? tryAgainAt(tries, now) : askAgainAt(undefined, now),
    ...(passing ? { tries: tries + 1 } : {}),
    ...(got.ok && 'window' in got.value ? got.value : {}),
  };
  book.saveRenewal(host, key, learnt);
  return learnt;
}
