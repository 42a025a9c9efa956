import { Name } from '../../base/index.js';
import { lookupCaa } from '../../dns/index.js';
import type { CaaEvidence, Evidence, HostEvidence } from '../../evidence/index.js';
import { parseCertificate } from '../../x509/index.js';
import { failureEvidence, type ProbeContext } from './context.js';

/**
 * Looks up the CAA records for the certificate of each mail host and of the policy host.
 * If the certificate covers the host by a wildcard, a CA starts its lookup at the name
 * after the `*.` label (RFC 8659 §3).
 */
export function probeCaa(
  context: ProbeContext,
  hosts: readonly HostEvidence[],
  mtaSts: Evidence['mtaSts'],
): Promise<readonly CaaEvidence[]> {
  const wanted = hosts
    .filter(({ addressLookup }) => addressLookup.status === 'found')
    .map(({ name, addresses }) => ({
      host: name,
      certificateName: certificateNameOf(name, leafOf(addresses)),
    }));
  const policyHost = `mta-sts.${context.domain.toLower()}`;
  if (mtaSts.txt.lookup === 'found' && mtaSts.status !== 'absent') {
    const leaf = mtaSts.policyHost?.chain[0];
    wanted.push({ host: policyHost, certificateName: certificateNameOf(policyHost, leaf) });
  }
  return Promise.all(
    wanted.map(async ({ host, certificateName }): Promise<CaaEvidence> => {
      const name = Name.of(certificateName.replace(/^\*\./, ''));
      const found = await lookupCaa(context.resolver, name, { signal: context.signal });
      const { status, at, canonicalName, properties, dnssec, failure } = found;
      return {
        host,
        certificateName,
        status,
        at: at.toLower(),
        alias: canonicalName.equals(at) ? undefined : canonicalName.toLower(),
        records: properties,
        dnssec,
        failure: failure && failureEvidence(failure),
      };
    }),
  );
}

/** Returns the leaf that the first address with a completed handshake presented. */
function leafOf(addresses: HostEvidence['addresses']): string | undefined {
  return addresses
    .flatMap(({ connections }) => connections)
    .flatMap(({ handshake }) => handshake?.chain[0] ?? [])[0];
}

/**
 * Returns the name by which the certificate covers the host; the host itself if it is not
 * covered.
 */
function certificateNameOf(host: string, leaf: string | undefined): string {
  const parsed = leaf === undefined ? undefined : parseCertificate(Buffer.from(leaf, 'base64'));
  const names = parsed?.ok ? parsed.value.dnsNames : [];
  const wildcard = `*.${host.slice(host.indexOf('.') + 1)}`;
  return !names.includes(host) && names.includes(wildcard) ? wildcard : host;
}
