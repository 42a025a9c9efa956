import { createHash, createPublicKey } from 'node:crypto';
import { equalBytes } from '../base/index.js';
import type { TlsaData } from '../dns/index.js';
import { explainProblem, findPathTo, parseCertificate, type Certificate } from '../x509/index.js';
import { formatTlsa } from './tlsa-text.js';
import { explainUnusable } from './usable-records.js';
import { verifyDane, type VerifyDaneRequest, type RecordVerdict } from './verify-dane.js';

/** The reason why one TLSA record does not authenticate the server. */
export interface RecordFault {
  readonly record: string;
  /**
   * `digest`: a record with a stronger digest has precedence (RFC 7671 §9); `wrong-form`:
   * data of the right certificate under other parameters; `wrong-usage`: data of another
   * certificate in the chain; `anchor-not-sent`: data of an issuer that the server does
   * not send; `name`, `date`, `path`: the anchor matches, but the chain is not valid
   * under it; `unknown`: data of no certificate that was observed.
   */
  readonly kind:
    | 'unusable'
    | 'digest'
    | 'wrong-form'
    | 'wrong-usage'
    | 'anchor-not-sent'
    | 'name'
    | 'date'
    | 'path'
    | 'unknown';
  readonly message: string;
  /** True for a record of kind `digest` that matches the server. */
  readonly matchesAlone?: boolean;
}

/** A request to {@link explainMismatch}. */
export interface MismatchQuestion extends VerifyDaneRequest {
  /**
   * The trust anchor at the end of the path to a public CA, if the server did not send
   * it.
   */
  readonly anchor?: Certificate | undefined;
}

/**
 * Maximum number of records and of certificates to examine. Each pair requires several
 * hashes.
 */
const MAX_EXPLAINED = 10;

type Fault = Omit<RecordFault, 'record'>;

/**
 * Explains records that do not match: names the certificate of their data and the wrong
 * parameter (RFC 7671 §5, §9 [7671-9-1]). Returns an empty list if one record
 * authenticates the server.
 */
export function explainMismatch(question: MismatchQuestion): readonly RecordFault[] {
  const { verdict, records } = verifyDane(question);
  if (verdict === 'match') return [];
  const shown = { ...question, chain: question.chain.slice(0, MAX_EXPLAINED) };
  return question.records.slice(0, MAX_EXPLAINED).map((tlsaData, index) => ({
    record: formatTlsa(tlsaData),
    ...faultOf(tlsaData, records[index] as RecordVerdict, shown),
  }));
}

function faultOf(record: TlsaData, judged: RecordVerdict, question: MismatchQuestion): Fault {
  if (judged.verdict === 'unusable')
    return { kind: 'unusable', message: explainUnusable(record) ?? '' };
  if (judged.verdict === 'weaker-digest') return weakerDigest(record, question);
  if (isDigestOfNothing(record))
    return { kind: 'wrong-form', message: 'its data is the digest of an empty input' };
  if (record.usage === 3) return endEntityFault(record, question);
  return anchorFault(record, judged, question);
}

/**
 * Returns whether a digest is that of no octets. A command that hashes the output of
 * another command hashes no octets if that command fails.
 */
function isDigestOfNothing({ matchingType, data }: TlsaData): boolean {
  const hash = (['sha256', 'sha512'] as const)[matchingType - 1];
  return hash !== undefined && equalBytes(data, digest(hash, ''));
}

function weakerDigest(record: TlsaData, question: MismatchQuestion): Fault {
  const alone = verifyDane({ ...question, records: [record] }).verdict === 'match';
  const stronger = `${record.usage} ${record.selector} 2`;
  return {
    kind: 'digest',
    matchesAlone: alone,
    message: `${alone ? 'it matches, but senders' : 'senders'} look only at the stronger digest, ${stronger}, which does not match`,
  };
}

function endEntityFault(record: TlsaData, { chain, anchor }: MismatchQuestion): Fault {
  for (const [depth, certificate] of chain.entries()) {
    const form = formOf(record, certificate);
    if (form === undefined) continue;
    if (depth === 0) return wrongForm(record, form, undefined);
    return ofCa(form, placeOf(certificate, depth));
  }
  const root = anchor && formOf(record, anchor);
  if (root) return ofCa(root, `${anchor.subjectText}, the root of the chain`);
  return unknown(record);
}

function ofCa(form: Form, holder: string): Fault {
  return {
    kind: 'wrong-usage',
    message: `its data is ${textOf(form, holder)}: that is a CA, which needs usage 2`,
  };
}

function anchorFault(
  record: TlsaData,
  { reason }: RecordVerdict,
  question: MismatchQuestion,
): Fault {
  const { chain, names, validationTime, anchor } = question;
  const [leafCertificate, ...above] = chain;
  if (!leafCertificate) return unknown(record);
  const own = formOf(record, leafCertificate);
  if (own)
    return {
      kind: 'wrong-usage',
      message: `its data is ${textOf(own, undefined)}, which needs usage 3`,
    };
  if (reason === 'name')
    return {
      kind: 'name',
      message: `usage 2 needs the name ${names[0] ?? ''} in the certificate, which has ${leafCertificate.dnsNames.slice(0, 3).join(', ') || 'no DNS name'}`,
    };
  if (reason === 'date') return outOfDate(chain, validationTime);
  for (const [index, certificate] of above.entries()) {
    const form = formOf(record, certificate);
    if (form === undefined) continue;
    if (form.right) return brokenPath(record, question);
    return wrongForm(record, form, placeOf(certificate, index + 1));
  }
  const missing = anchor && formOf(record, anchor);
  if (missing)
    return {
      kind: 'anchor-not-sent',
      message: `its data is ${textOf(missing, anchor.subjectText)}, which is not in the chain the server sends`,
    };
  return perhapsNotSent(record, chain, anchor);
}

function outOfDate(certificateChain: readonly Certificate[], validationTime: number): Fault {
  const old = certificateChain.find(
    (certificate) =>
      validationTime > certificate.notAfter || validationTime < certificate.notBefore,
  );
  const when =
    old && new Date(validationTime > old.notAfter ? old.notAfter : old.notBefore).toISOString();
  const side = old && validationTime > old.notAfter ? 'expired on' : 'is not valid before';
  return {
    kind: 'date',
    message: `usage 2 needs valid dates, and ${old?.subjectText ?? 'a certificate'} ${side} ${when?.slice(0, 10) ?? ''}`,
  };
}

/**
 * Explains an anchor without a valid path. The server sent the anchor, but no path ends
 * at it: path validation gives the reason.
 */
function brokenPath(record: TlsaData, { chain, validationTime }: MismatchQuestion): Fault {
  const { problems } = findPathTo({
    sent: chain,
    validationTime,
    isAnchor: (certificate, depth) => depth > 0 && formOf(record, certificate)?.right === true,
  });
  const reasons = problems
    .filter((code) => code !== 'x509-issuer-missing' && code !== 'x509-unknown-ca')
    .map((code) => explainProblem(code, chain));
  return {
    kind: 'path',
    message:
      reasons.length > 0
        ? `it matches a certificate of the chain, but ${reasons.join('; ')}`
        : 'it matches a sent certificate, but no signature links the server certificate to it',
  };
}

/**
 * Explains a record that matches no certificate of the chain. The record may name the
 * issuer of the last certificate, which the server did not send.
 */
function perhapsNotSent(
  record: TlsaData,
  certificateChain: readonly Certificate[],
  anchor: Certificate | undefined,
): Fault {
  const top = certificateChain.at(-1);
  if (record.matchingType === 0 || !top || top.selfIssued) return unknown(record);
  if (anchor)
    return {
      kind: 'unknown',
      message: `it matches neither a certificate of the chain nor its root ${anchor.subjectText}: the CA changed its certificate, or another server answers`,
    };
  return {
    kind: 'anchor-not-sent',
    message: `no certificate that the server sends matches; if the record is of ${top.issuerText}, the server must send that certificate too`,
  };
}

/** The part of a certificate that each selector selects. */
const parts = ['certificate', 'key'] as const;

/** Returns true for data of matching type 0: a complete certificate or public key. */
function isWholeOf(selector: number, data: Uint8Array): boolean {
  if (selector === 0) return parseCertificate(data).ok;
  try {
    createPublicKey({ key: Buffer.from(data), format: 'der', type: 'spki' });
    return true;
  } catch {
    return false;
  }
}

function unknown({ data, matchingType, selector }: TlsaData): Fault {
  const latin1Text = Buffer.from(data).toString('latin1');
  if (matchingType === 0 && (data.length === 32 || data.length === 64))
    return {
      kind: 'wrong-form',
      message: `its data has the size of a digest, which is matching type ${data.length === 32 ? 1 : 2}`,
    };
  if (/^[0-9a-f]+$/i.test(latin1Text))
    return { kind: 'wrong-form', message: 'its data is hexadecimal text of the record data' };
  if (matchingType === 0 && !isWholeOf(selector, data))
    return {
      kind: 'wrong-form',
      message: `its data is not a ${selector === 0 ? 'certificate' : 'public key'}`,
    };
  return {
    kind: 'unknown',
    message: `it matches no certificate of the chain: the ${parts[selector] ?? 'key'} was changed without the record, or another server answers`,
  };
}

function wrongForm(record: TlsaData, form: Form, holder: string | undefined): Fault {
  const data = `its data is ${textOf(form, holder)}`;
  if (form.ofPem)
    return { kind: 'wrong-form', message: `${data}, and senders compare its DER form` };
  const right = `${record.usage} ${form.selector} ${form.matchingType}`;
  return { kind: 'wrong-form', message: `${data}, which is written ${right}` };
}

/**
 * Returns the data of a form in words. Without `holder` it is the data of the server's
 * own certificate.
 */
function textOf({ selector, digestOf }: Form, holder: string | undefined): string {
  if (selector === 1) return `${digestOf}the key of ${holder ?? "the server's certificate"}`;
  if (holder === undefined) return `${digestOf}the server's certificate`;
  return `${digestOf}the certificate of ${holder}`;
}

function placeOf({ subjectText }: Certificate, depth: number): string {
  return `${subjectText || 'a certificate without subject'}, number ${depth + 1} of the chain`;
}

interface Form {
  readonly selector: number;
  readonly matchingType: number;
  /** The digest in words, with `of`; empty for the whole certificate or key. */
  readonly digestOf: string;
  readonly ofPem: boolean;
  /** True if the record has the same parameters. */
  readonly right: boolean;
}

/** Returns the parameters with which the certificate produces the data of the record. */
function formOf(record: TlsaData, certificate: Certificate): Form | undefined {
  const selected = [certificate.der, certificate.spki] as const;
  for (const [selector, bytes] of selected.entries()) {
    const candidates: readonly (readonly [number, string, Uint8Array])[] = [
      [0, '', bytes],
      [1, 'the SHA-256 of ', digest('sha256', bytes)],
      [2, 'the SHA-512 of ', digest('sha512', bytes)],
      [1, 'the SHA-256 of the PEM text of ', digest('sha256', pemOf(bytes, selector))],
      [2, 'the SHA-512 of the PEM text of ', digest('sha512', pemOf(bytes, selector))],
    ];
    const found = candidates.findIndex(([, , value]) => equalBytes(value, record.data));
    const [matchingType, digestOf] = candidates[found] ?? [];
    if (matchingType === undefined || digestOf === undefined) continue;
    const ofPem = found > 2;
    const right = !ofPem && selector === record.selector && matchingType === record.matchingType;
    return { selector, matchingType, digestOf, ofPem, right };
  }
  return undefined;
}

function digest(hash: 'sha256' | 'sha512', bytes: Uint8Array | string): Uint8Array {
  return createHash(hash).update(bytes).digest();
}

function pemOf(bytes: Uint8Array, selector: number): Uint8Array {
  const label = selector === 0 ? 'CERTIFICATE' : 'PUBLIC KEY';
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return Buffer.from(`-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`);
}
