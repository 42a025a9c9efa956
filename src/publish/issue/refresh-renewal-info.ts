import type { Certificate } from '../../x509/index.js';
import type { AcmeStore, RenewalState } from './acme-store.js';
import {
  type AcmeServer,
  type AcmeSession,
  isQueryDue,
  nextQueryAt,
  certificateId,
  fetchRenewalInfo,
  retryAt,
} from '../../acme/index.js';

/** A key of a host with its current certificate. */
export interface CertifiedKey {
  readonly host: string;
  readonly key: string;
  readonly leaf: Certificate;
}

/**
 * Returns the renewal state of a certificate, after a request for its renewal information
 * when the last answer is too old (RFC 9773 §4.3). Without an answer, the last state
 * still applies, and the next request is postponed. Returns undefined if the CA did not
 * issue the certificate.
 */
export async function refreshRenewalInfo(
  session: AcmeSession,
  acmeStore: AcmeStore,
  { directory, clock }: AcmeServer,
  { host, key, leaf }: CertifiedKey,
): Promise<RenewalState | undefined> {
  const now = clock.now();
  const known = acmeStore.renewal(host, key);
  const id = certificateId(leaf);
  if (known?.directory !== directory || known.certificateId !== id) return undefined;
  // [9773-4.3-2]
  const isExpired = leaf.notAfter <= now;
  if (
    id === undefined ||
    isExpired ||
    !isQueryDue(known.askAgain, now) ||
    now < acmeStore.pausedUntil(directory, '*', now)
  )
    return known;
  const resources = await session.directory();
  const base = resources.ok ? resources.value.renewalInfo : undefined;
  const response = base === undefined ? resources : await fetchRenewalInfo(session, base, id, now);
  const { tries = 0, ...rest } = known;
  const isTransient = !response.ok && response.failure.transient === true;
  const renewal: RenewalState = {
    ...rest,
    askAgain: isTransient ? retryAt(tries, now) : nextQueryAt(undefined, now),
    tries: isTransient ? tries + 1 : undefined,
  };
  // Without the resource `renewalInfo` the response is the directory, which has no
  // window.
  const updated =
    response.ok && 'window' in response.value ? { ...renewal, ...response.value } : renewal;
  await acmeStore.saveRenewal(host, key, updated);
  return updated;
}
