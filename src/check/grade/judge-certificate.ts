import { fromBase64, fromHex } from '../../base/index.js';
import { verifyDane } from '../../dane/index.js';
import type { Evidence, HostEvidence, MailCertificate, PresentedChain } from '../../evidence/index.js';
import { matchesDnsName, parseCertificate, spkiSha256, type Certificate } from '../../x509/index.js';

/** A certificate with everything the rules ask of it. */
export interface JudgedCertificate {
  readonly certificate: Certificate;
  readonly shown: MailCertificate;
  /** Accepted by an MTA-STS sender: trusted, in date, for the MX host name (RFC 8461 §4.2 [8461-4.2-1]). */
  readonly pkix: 'yes' | 'no' | 'unknown';
  /** Which usage vouches for it. */
  readonly vouchedBy: 'daneTa' | 'daneEe' | undefined;
  /** What alone keeps a DANE-TA record from matching. */
  readonly daneCause: 'date' | 'name' | undefined;
}

/** Judges the chain of one handshake with a host at the date of the evidence; undefined when no certificate in it can be read. */
export function judgeCertificate(evidence: Evidence, host: HostEvidence, handshake: PresentedChain): JudgedCertificate | undefined {
  const chain = handshake.chain.flatMap((text) => {
    const der = fromBase64(text);
    const parsed = der && parseCertificate(der);
    return parsed?.ok ? [parsed.value] : [];
  });
  const leaf = chain[0];
  if (!leaf) return undefined;
  const at = Date.parse(evidence.collectedAt);
  const dane = judgeDane(evidence.domain, host, chain, leaf, at);
  const { chain: trust, validity: pathValidity } = handshake.pkix;
  const validity = at > leaf.notAfter ? 'expired' : at < leaf.notBefore ? 'not-yet-valid' : 'valid';
  const nameMatch = matchesDnsName(leaf, host.name) ? 'match' : 'mismatch';
  const sound = trust === 'trusted' && pathValidity === 'valid' && handshake.pkix.problems.length === 0;
  const pkix = trust === 'unknown' ? 'unknown' : sound && nameMatch === 'match' ? 'yes' : 'no';
  return {
    certificate: leaf,
    pkix,
    vouchedBy: dane.by,
    daneCause: dane.cause,
    shown: {
      keyAlgorithm: leaf.keyAlgorithm,
      keyBits: leaf.keyBits,
      signature: leaf.signatureAlgorithm,
      names: leaf.dnsNames,
      notBefore: iso(leaf.notBefore),
      notAfter: iso(leaf.notAfter),
      sni: handshake.sni,
      chainAsSent: chain.map((c) => c.subjectText),
      chain: trust,
      validity,
      nameMatch,
      dane: dane.verdict,
      spkiSha256: spkiSha256(leaf),
    },
  };
}

interface DaneJudgement {
  readonly verdict: MailCertificate['dane'];
  readonly by?: 'daneTa' | 'daneEe';
  readonly cause?: 'date' | 'name';
}

function judgeDane(domain: string, host: HostEvidence, chain: readonly Certificate[], leaf: Certificate, at: number): DaneJudgement {
  if (host.tlsa.status !== 'usable') return { verdict: 'not-applicable' };
  const records = host.tlsa.records.flatMap(readTlsaText);
  // RFC 7672 §3.2.2: the TLSA base domain and the names it was reached by.
  const names = [...new Set([host.tlsa.base, host.name, domain])];
  const ask = (over: Partial<Parameters<typeof verifyDane>[0]>) => verifyDane({ records, chain, names, at, ...over }).verdict;
  const verdict = ask({});
  if (verdict === 'match') return { verdict, by: ask({ records: records.filter((r) => r.usage === 3) }) === 'match' ? 'daneEe' : 'daneTa' };
  if (verdict === 'mismatch') {
    if (ask({ at: (leaf.notBefore + leaf.notAfter) / 2 }) === 'match') return { verdict, cause: 'date' };
    if (ask({ names: leaf.dnsNames }) === 'match') return { verdict, cause: 'name' };
  }
  return { verdict };
}

function readTlsaText(text: string) {
  const [usage, selector, matchingType, hex = ''] = text.split(' ');
  const data = fromHex(hex);
  return data ? [{ usage: Number(usage), selector: Number(selector), matchingType: Number(matchingType), data }] : [];
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
