import type { DkimVerifier, SignatureHeader } from 'mailauth/lib/dkim/dkim-verifier.js';
import type { Headers, parseHeaders } from 'mailauth/lib/tools.js';
import { Name } from '../../base/index.js';
import { lookupTexts, type Resolver } from '../../dns/index.js';
import { exceedsAnyReport, occursMoreThan } from '../mail-bounds.js';
import type { DkimSignature, DkimVerdict, TrustReason } from '../types.js';
import {
  checkSignatures,
  fails,
  signerOf,
  type KeyAnswer,
  type SignatureTools,
} from './check-signature.js';
import { parseTags, refuseSignature, type SignatureTags } from './dkim-tags.js';
import { domainOfAddress, sameOrganisation } from './organisation.js';

const MAX_SIGNATURES = 5;
/**
 * Maximum number of signatures by other domains than the domain in From. One is enough to
 * name the organisation that signed.
 */
const MAX_FOREIGN = 1;
const MAX_HEADER = 128 * 1024;
const MAX_HEADER_LINES = 2000;
/**
 * Maximum octets of one signature. Parsing spaces in a signature takes quadratic time,
 * and signatures by the longest keys have only two thousand octets.
 */
const MAX_SIGNATURE = 8192;

/**
 * Verifies the DKIM signatures of a message (RFC 6376) by mailauth, with keys from the
 * resolver of this program. At most five signatures of at most 8 KiB are verified: first
 * the signatures of the domain in From, then at most one of another domain. A signature
 * with `l=` does not count, since text can be added after the signed part (RFC 8460 §3)
 * [8460-3-17]. Signatures that use SHA-1 (RFC 8301 §3.1) or do not cover From do not
 * count either. If a field that identifies the report occurs twice, the mail counts as
 * unsigned, because the signature may cover only one of the two (RFC 6376 §8.15). `at`:
 * the time by which expiry is judged, in milliseconds.
 */
export async function verifyDkim(
  rawMessage: Uint8Array,
  resolver: Resolver,
  at: number,
): Promise<DkimVerdict> {
  return verifyByKeys(rawMessage, (domainName) => lookupKeys(resolver, domainName), at);
}

/**
 * A function that looks up the TXT records of a DKIM key (RFC 6376 §3.6.2.1). After a
 * failed lookup the mail is `unverifiable`; without a key it is `broken`.
 */
export type LookupKeys = (domainName: string) => Promise<KeyAnswer>;

/** Looks up the key records at `SELECTOR._domainkey.DOMAIN`. */
export async function lookupKeys(resolver: Resolver, domainName: string): Promise<KeyAnswer> {
  const parsed = Name.parse(domainName);
  if (!parsed.ok) return { lookup: 'absent' };
  const { lookup, texts, failure } = await lookupTexts(resolver, parsed.value);
  if (lookup === 'found') return { lookup, texts };
  return { lookup: lookup === 'absent' ? lookup : 'failed', code: failure?.code ?? 'EFAIL' };
}

/** Verifies a message in the same way as `verifyDkim`, with keys that `keys` looks up. */
export async function verifyByKeys(
  rawMessage: Uint8Array,
  keys: LookupKeys,
  at: number,
): Promise<DkimVerdict> {
  if (exceedsAnyReport(rawMessage)) return tooLong('the mail');
  const whole = withCrlf(rawMessage);
  const endOffset = whole.indexOf('\r\n\r\n') + 4;
  const header = endOffset < 4 ? whole : whole.subarray(0, endOffset);
  // The time that mailauth needs grows with the square of the number of lines.
  if (header.length > MAX_HEADER || occursMoreThan(header, '\n', MAX_HEADER_LINES))
    return tooLong('the header');
  const { Verifier, parse, tools } = await (mailauth ??= loadMailauth());
  // `dkimVerify` of mailauth is not called: it would create an array for each octet of
  // the header (a seventh of the work on a report), hash the body once for each `l=`, and
  // write to the console. `checkSignatures` replaces the last step of `dkimVerify`.
  const verifier = new Verifier({ curTime: new Date(at) });
  const headers = withFewSignatures(parse(header));
  const twice = fieldTwice(headers);
  if (twice !== undefined) return failure('header-ambiguous', `the mail has two ${twice} fields`);
  await verifier.messageHeaders((verifier.headers = headers));
  const { verified, refused } = refuseSome(verifier);
  if (header !== whole) await verifier.nextChunk(whole.subarray(endOffset));
  const check = { verifier, verified, tools, keys, at };
  const signatures = [...(await checkSignatures(check)), ...refused];
  return signatures.length > 1 ? { ...best(signatures), signatures } : best(signatures);
}

interface Mailauth {
  readonly Verifier: typeof DkimVerifier;
  readonly parse: typeof parseHeaders;
  readonly tools: SignatureTools;
}

/**
 * The library, which is loaded with the first mail: loading takes ten mebibytes and 0.2
 * seconds.
 */
let mailauth: Promise<Mailauth> | undefined;

async function loadMailauth(): Promise<Mailauth> {
  const [verifier, tools, header] = await Promise.all([
    import('mailauth/lib/dkim/dkim-verifier.js'),
    import('mailauth/lib/tools.js'),
    import('mailauth/lib/dkim/header/index.js'),
  ]);
  return {
    Verifier: verifier.DkimVerifier,
    parse: tools.parseHeaders,
    tools: { ...tools, generateCanonicalizedHeader: header.generateCanonicalizedHeader },
  };
}

/**
 * Returns a message with CRLF line ends, as in SMTP. In files the lines often end without
 * CR.
 */
function withCrlf(rawMessage: Uint8Array): Buffer {
  const octets = Buffer.from(rawMessage.buffer, rawMessage.byteOffset, rawMessage.length);
  const messageText = octets.toString('latin1');
  return /(^|[^\r])\n/.test(messageText)
    ? Buffer.from(messageText.replace(/\r?\n/g, '\r\n'), 'latin1')
    : octets;
}

function tooLong(what: string): DkimVerdict {
  return failure('mail-too-long', `${what} is too long`);
}

function failure(reason: TrustReason, detail: string): DkimVerdict {
  return { result: 'fail', detail, reason };
}

/**
 * The header fields that must occur only once, because they identify the report and its
 * reporter.
 */
const single = ['from', 'content-type', 'content-transfer-encoding', 'tls-report-submitter'];

function fieldTwice({ parsed }: Headers): string | undefined {
  return single.find((domainName) => parsed.filter(({ key }) => key === domainName).length > 1);
}

/**
 * Returns the header without surplus signatures, because each signature causes DNS
 * queries.
 */
function withFewSignatures(headers: Headers): Headers {
  const from = domainOfAddress(
    headers.parsed
      .find(({ key }) => key === 'from')
      ?.line.toString('latin1')
      .trim(),
  );
  const isLong = ({ key = '', line }: Field): boolean =>
    /^(dkim|arc)-/.test(key) && line.length > MAX_SIGNATURE;
  const all = headers.parsed.filter((field) => field.key === 'dkim-signature' && !isLong(field));
  const own = all.filter((field) => from !== undefined && isOf(field, from));
  const others = all.filter((field) => !own.includes(field));
  const kept = new Set([...own, ...others.slice(0, MAX_FOREIGN)].slice(0, MAX_SIGNATURES));
  const parsed = headers.parsed.filter(
    (field) => !isLong(field) && (field.key !== 'dkim-signature' || kept.has(field)),
  );
  return { ...headers, parsed };
}

type Field = Headers['parsed'][number];

function isOf({ line }: Field, from: string): boolean {
  const signer = /[;:\s]d\s*=\s*([^\s;]+)/.exec(line.toString('latin1'))?.[1];
  return signer !== undefined && sameOrganisation(signerOf(signer), from);
}

/**
 * Marks the signatures that cannot count, so that the body is not hashed for them. ARC
 * signatures are among them, because forwarders add them. Returns the remaining
 * signatures with their tags, and the refused ones.
 */
function refuseSome({ signatureHeaders, bodyHashes }: DkimVerifier): {
  readonly verified: ReadonlyMap<SignatureHeader, SignatureTags>;
  readonly refused: readonly DkimSignature[];
} {
  const verified = new Map<SignatureHeader, SignatureTags>();
  const refused: DkimSignature[] = [];
  for (const signature of signatureHeaders) {
    const isOwn = signature.type === 'DKIM';
    const tags = isOwn ? tagsOf(signature) : undefined;
    const why = isOwn ? refuseSignature(tags) : undefined;
    if (why) refused.push(fails(signature.signingDomain, ...why));
    if (why || !isOwn) signature.skip = true;
    // Signatures with an unknown algorithm are already marked by mailauth.
    else if (tags && signature.skip !== true) verified.set(signature, tags);
  }
  const wanted = new Set(
    signatureHeaders.flatMap(({ skip, bodyHashKey }) => (skip ? [] : [bodyHashKey])),
  );
  for (const key of bodyHashes.keys()) if (!wanted.has(key)) bodyHashes.delete(key);
  return { verified, refused };
}

function tagsOf({ original }: SignatureHeader): SignatureTags | undefined {
  const line = original.toString('latin1');
  return parseTags(line.slice(line.indexOf(':') + 1));
}

function best(verdicts: readonly DkimSignature[]): DkimSignature {
  const order = ['pass', 'temperror', 'fail', 'none'] as const;
  const found = order.flatMap((result) => verdicts.find((value) => value.result === result) ?? []);
  return found[0] ?? { result: 'none', detail: 'no signature', reason: 'no-signature' };
}
