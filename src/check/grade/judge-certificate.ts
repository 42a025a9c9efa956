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
import {
  matchesDnsName,
  parseCertificate,
  parseChain,
  type Certificate,
} from '../../x509/index.js';

/** A certificate with the judgements that the rules need. */
export interface JudgedCertificate {
  readonly certificate: Certificate;
  /** The chain as the server sent it, beginning with its own certificate. */
  readonly chain: readonly Certificate[];
  readonly summary: MailCertificate;
  /**
   * Accepted by an MTA-STS sender: trusted, in date, for the MX host name (RFC 8461 §4.2
   * [8461-4.2-1]).
   */
  readonly pkix: 'yes' | 'no' | 'unknown';
  /**
   * The certificate usage of the TLSA record that matches: usage 3 is preferred over 2,
   * since usage 3 requires neither names nor dates (RFC 7672 §3.1.1).
   */
  readonly vouchedBy: 'daneTa' | 'daneEe' | undefined;
  /**
   * The fault that prevents a DANE-TA record from matching although its anchor is right.
   */
  readonly daneCause: 'date' | 'name' | undefined;
  /** The faults of the TLSA records if none of them matches; otherwise empty. */
  readonly daneFaults: readonly RecordFault[];
  /**
   * The path to a public CA: the validity of all its certificates, and the rules that it
   * breaks.
   */
  readonly path: { readonly validity: string; readonly problems: readonly string[] };
  /** Certificates of the chain that cannot be parsed, each with its fault. */
  readonly unreadable: readonly string[];
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
  const sent = handshake.chain.map((base64Text) => fromBase64(base64Text) ?? new Uint8Array());
  const chain = parseChain(sent);
  const leafCertificate = chain[0];
  if (!leafCertificate) return undefined;
  const validationTime = Date.parse(evidence.collectedAt);
  const dane = judgeDane({
    evidence,
    host,
    chain,
    validationTime,
    anchor: handshake.pkix.anchor,
  });
  const { chain: trust, validity: pathValidity } = handshake.pkix;
  const validity = validityAt(leafCertificate, validationTime);
  const nameMatch = matchesDnsName(leafCertificate, host.name) ? 'match' : 'mismatch';
  const sound =
    trust === 'trusted' &&
    pathValidity === 'valid' &&
    validity === 'valid' &&
    handshake.pkix.problems.length === 0;
  const accepted = sound && nameMatch === 'match' ? 'yes' : 'no';
  const pkix = trust === 'unknown' ? 'unknown' : accepted;
  return {
    certificate: leafCertificate,
    chain,
    pkix,
    vouchedBy: dane.by,
    daneCause: dane.cause,
    daneFaults: dane.faults ?? [],
    path: handshake.pkix,
    unreadable: chain.length < sent.length ? sent.flatMap(explainUnreadable) : [],
    summary: {
      ...certificateFacts(leafCertificate, chain),
      sni: handshake.sni,
      chain: trust,
      validity,
      nameMatch,
      dane: dane.verdict,
      daneRecord: dane.record,
      mtaSts: judgeMtaSts(evidence, host, pkix),
      trustPath: handshake.pkix.path,
    },
  };
}

/**
 * Explains why a certificate of a chain cannot be parsed; returns an empty list for a
 * valid one.
 */
export function explainUnreadable(derBytes: Uint8Array, index: number): string[] {
  const parsed = parseCertificate(derBytes);
  if (parsed.ok) return [];
  return [`certificate ${index + 1} of the chain cannot be read: ${parsed.failure.detail}`];
}

/**
 * Returns whether a certificate is valid, expired or not yet valid at a time in
 * milliseconds since 1970.
 */
function validityAt(
  { notBefore, notAfter }: Certificate,
  milliseconds: number,
): MailCertificate['validity'] {
  if (milliseconds > notAfter) return 'expired';
  return milliseconds < notBefore ? 'not-yet-valid' : 'valid';
}

/**
 * Returns the judgement of a sender with this policy. A host that the policy does not
 * list is a mismatch even if its certificate is valid (RFC 8461 §4.1).
 */
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

/**
 * Returns whether the policy names the host. Not applicable without a valid policy, and
 * in mode none, in which senders compare no names.
 */
export function listedInPolicy(
  { mtaSts: { status, policy } }: Evidence,
  hostName: string,
): 'match' | 'mismatch' | 'not-applicable' {
  if (status !== 'found' || !policy || policy.mode === 'none') return 'not-applicable';
  if (policy.mx.some((pattern) => matchMx(pattern, hostName))) return 'match';
  return 'mismatch';
}

/** The result of DANE verification, with its cause if it fails. */
interface DaneJudgement {
  readonly verdict: MailCertificate['dane'];
  readonly by?: 'daneTa' | 'daneEe';
  readonly record?: string | undefined;
  readonly cause?: 'date' | 'name' | undefined;
  readonly faults?: readonly RecordFault[];
}

/** The inputs of DANE verification for one handshake. */
interface DaneInput {
  readonly evidence: Evidence;
  readonly host: HostEvidence;
  readonly chain: readonly Certificate[];
  readonly validationTime: number;
  /** The anchor in Base64, if the server did not send it. */
  readonly anchor: string | undefined;
}

/**
 * Verifies the chain against the TLSA records as a sender would (RFC 7672 §3.2). If the
 * anchor of a record is right, dates or names are the cause that the operator has to fix.
 */
function judgeDane({ evidence, host, chain, validationTime, anchor }: DaneInput): DaneJudgement {
  if (host.tlsa.status !== 'usable') return { verdict: 'not-applicable' };
  const records = host.tlsa.records.flatMap((recordText) => parseTlsa(recordText) ?? []);
  const names = referenceNames(host.tlsa.base, evidence);
  const question = (over: Partial<Parameters<typeof verifyDane>[0]>) =>
    verifyDane({ records, chain, names, validationTime, ...over });
  const { verdict, matched: record, records: judged } = question({});
  if (verdict === 'match') {
    const byKey =
      question({ records: records.filter((record) => record.usage === 3) }).verdict === 'match';
    return { verdict, by: byKey ? 'daneEe' : 'daneTa', record };
  }
  if (verdict !== 'mismatch') return { verdict };
  const unsent = parseChain(anchor === undefined ? [] : [fromBase64(anchor) ?? new Uint8Array()]);
  const faults = explainMismatch({ records, chain, names, validationTime, anchor: unsent[0] });
  const reasons = judged.map(({ reason }) => reason);
  const cause = (['date', 'name'] as const).find((one) => reasons.includes(one));
  return { verdict, faults, cause };
}
