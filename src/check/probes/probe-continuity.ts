import type { ContinuityEvidence, Evidence, HostEvidence } from '../../evidence/index.js';
import type { ProbeContext } from './context.js';
import { probeCaa } from './probe-caa.js';
import { probeReferences } from './probe-references.js';
import { probeSignatures, type Registrable } from './probe-signatures.js';

/**
 * Collects facts about the future of mail TLS: expiry dates of signatures, CAA records,
 * and names that do not exist. The collection needs DNS queries, and one connection for
 * each HTTPS receiver of reports.
 */
export async function probeContinuity(
  context: ProbeContext,
  seen: Pick<Evidence, 'mtaSts' | 'tlsRpt'> & { readonly hosts: readonly HostEvidence[] },
): Promise<ContinuityEvidence> {
  context.progress('signatures, CAA and names');
  const registrable = await loadRegistrable();
  const [signed, caa, references] = await Promise.all([
    probeSignatures(context, seen.hosts, registrable),
    probeCaa(context, seen.hosts, seen.mtaSts),
    probeReferences(context, seen, registrable),
  ]);
  return { ...signed, caa, references };
}

/** Loads the public suffix list on demand, since it is large. */
async function loadRegistrable(): Promise<Registrable> {
  const { getDomain } = await import('tldts');
  return (name) => getDomain(name)?.toLowerCase();
}
