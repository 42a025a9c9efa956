import { fromBase64 } from '../../base/index.js';
import { explainMismatch, parseTlsa, verifyDane, type RecordFault } from '../../dane/index.js';
import {
  certificateFacts,
  type Evidence,
  type HostEvidence,
  type MailCertificate,
  type PresentedChain,
} from '../../evidence/index.js';
import { matchMx } from '../../mta-sts/index.js';
import { referenceNames } from '../../tls-policy/index.js';
import { matchesDnsName, parseChain, type Certificate } from '../../x509/index.js';

/** A certificate with every verdict that the rules need. */
export interface JudgedCertificate {
  readonly certificate: Certificate;
  /** As sent, the certificate itself first. */
  readonly chain: readonly Certificate[];
  readonly summary: MailCertificate;
  /**
   * Accepted by an MTA-STS sender: trusted, in date, for the MX host name (RFC 8461 §4.2
   * [8461-4.2-1]).
   */
  readonly pkix: 'yes' | 'no' | 'unknown';
  /** Which usage vouches for it. */
  readonly vouchedBy: 'daneTa' | 'daneEe' | undefined;
  /** The single reason why a DANE-TA record does not match. */
  readonly daneCause: 'date' | 'name' | undefined;
  /** Why no TLSA record matches; empty where one does. */
  readonly daneFaults: readonly RecordFault[];
  /** Against public CAs: what stands against the path, and its dates. */
  readonly path: { readonly validity: string; readonly problems: readonly string[] };
}

/**
 * Judges the chain of one handshake with a host at the date of the evidence; undefined
 * when the server's own certificate cannot be read.
 */
export function judgeCertificate(
  evidence: Evidence,
  host: HostEvidence,
  handshake: PresentedChain,
): JudgedCertificate | undefined {
  const chain = parseChain(handshake.chain.map((text) => fromBase64(text) ?? new Uint8Array()));
  const leaf = chain[0];
  if (!leaf) return undefined;
  const validationTime = Date.parse(evidence.collectedAt);
  const dane = judgeDane({
    evidence,
    host,
    chain,
    leaf,
    validationTime,
    anchor: handshake.pkix.anchor,
  });
  const { chain: trust, validity: pathValidity } = handshake.pkix;
  const validity = validityAt(leaf, validationTime);
  const nameMatch = matchesDnsName(leaf, host.name) ? 'match' : 'mismatch';
  const sound =
    trust === 'trusted' && pathValidity === 'valid' && handshake.pkix.problems.length === 0;
  const isAccepted = sound && nameMatch === 'match' ? 'yes' : 'no';
  const pkix = trust === 'unknown' ? 'unknown' : isAccepted;
  return {
    certificate: leaf,
    chain,
    pkix,
    vouchedBy: dane.by,
    daneCause: dane.cause,
    daneFaults: dane.faults ?? [],
    path: handshake.pkix,
    summary: {
      ...certificateFacts(leaf, chain),
      sni: handshake.sni,
      chain: trust,
      validity,
      nameMatch,
      dane: dane.verdict,
      daneRecord: dane.record,
      mtaSts: judgeMtaSts(evidence, host, pkix),
    },
  };
}

function judgeMtaSts(
  evidence: Evidence,
  host: HostEvidence,
  pkix: JudgedCertificate['pkix'],
): MailCertificate['mtaSts'] {
  const listed = listedInPolicy(evidence, host.name);
  if (listed === 'not-applicable') return listed;
  if (listed === 'mismatch') return 'mismatch';
  return ({ yes: 'match', no: 'mismatch', unknown: 'unknown' } as const)[pkix];
}

/** Whether the policy in force, enforced or tested, names the host. */
export function listedInPolicy(
  { mtaSts: { status, policy } }: Evidence,
  host: string,
): 'match' | 'mismatch' | 'not-applicable' {
  if (status !== 'found' || !policy || policy.mode === 'none') return 'not-applicable';
  if (policy.mx.some((pattern) => matchMx(pattern, host))) return 'match';
  return 'mismatch';
}

interface DaneJudgement {
  readonly verdict: MailCertificate['dane'];
  readonly by?: 'daneTa' | 'daneEe';
  readonly record?: string | undefined;
  readonly cause?: 'date' | 'name' | undefined;
  readonly faults?: readonly RecordFault[];
}

interface DaneInput {
  readonly evidence: Evidence;
  readonly host: HostEvidence;
  readonly chain: readonly Certificate[];
  readonly leaf: Certificate;
  readonly validationTime: number;
  /** Base64, where the server did not send it. */
  readonly anchor: string | undefined;
}

function judgeDane({
  evidence,
  host,
  chain,
  leaf,
  validationTime,
  anchor,
}: DaneInput): DaneJudgement {
  if (host.tlsa.status !== 'usable') return { verdict: 'not-applicable' };
  const records = host.tlsa.records.flatMap((text) => parseTlsa(text) ?? []);
  const names = referenceNames(host.tlsa.base, evidence);
  const question = (over: Partial<Parameters<typeof verifyDane>[0]>) =>
    verifyDane({ records, chain, names, validationTime, ...over });
  const { verdict, matched: record } = question({});
  if (verdict === 'match') {
    const byKey =
      question({ records: records.filter((record) => record.usage === 3) }).verdict === 'match';
    return { verdict, by: byKey ? 'daneEe' : 'daneTa', record };
  }
  if (verdict !== 'mismatch') return { verdict };
  const unsent = parseChain(anchor === undefined ? [] : [fromBase64(anchor) ?? new Uint8Array()]);
  const faults = explainMismatch({ records, chain, names, validationTime, anchor: unsent[0] });
  const inDate =
    question({ validationTime: (leaf.notBefore + leaf.notAfter) / 2 }).verdict === 'match';
  if (inDate) return { verdict, faults, cause: 'date' };
  const named = question({ names: leaf.dnsNames }).verdict === 'match';
  return { verdict, faults, cause: named ? 'name' : undefined };
}

function validityAt(
  { notBefore, notAfter }: Certificate,
  time: number,
): MailCertificate['validity'] {
  if (time > notAfter) return 'expired';
  return time < notBefore ? 'not-yet-valid' : 'valid';
}
