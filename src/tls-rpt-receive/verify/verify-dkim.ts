import type { DKIMResult } from 'mailauth';
import type { DkimVerifier, SignatureHeader } from 'mailauth/lib/dkim/dkim-verifier.js';
import type { Headers, parseHeaders } from 'mailauth/lib/tools.js';
import { Name, neutralise } from '../../base/index.js';
import { lookupTexts, type Resolver } from '../../dns/index.js';
import { exceedsAnyReport, occursMoreThan } from '../mail-bounds.js';
import type { DkimSignature, DkimVerdict, TrustReason } from '../types.js';
import { parseTags, refuseKey, refuseSignature } from './dkim-tags.js';
import { domainOfAddress, sameOrganisation } from './organisation.js';

const MAX_SIGNATURES = 5;
/**
 * Signatures of domains other than that in From: one of them names the signing
 * organisation instead.
 */
const MAX_FOREIGN = 1;
const MAX_HEADER = 128 * 1024;
const MAX_HEADER_LINES = 2000;
/**
 * Octets of one signature: its spaces take quadratic time, and the longest keys make a
 * signature of two thousand octets.
 */
const MAX_SIGNATURE = 8192;

/**
 * Verifies the DKIM signatures of a message (RFC 6376) by mailauth, with keys from our
 * own resolver. At most five are verified, first those of the domain in From, and beside
 * them at most one of another domain; none beyond 8 KiB. A signature with `l=` does not
 * count, since text can be added under it (RFC 8460 §3) [8460-3-17], nor one by SHA-1
 * (RFC 8301 §3.1), nor one that leaves out From. Mail in which a field that a reader
 * relies on stands twice is not signed, because the signature covers one of them (RFC
 * 6376 §8.15).
 * `at` is the date by which expiry is judged.
 */
export async function verifyDkim(
  rawMessage: Uint8Array,
  resolver: Resolver,
  at: number,
): Promise<DkimVerdict> {
  return verifyByKeys(rawMessage, (domainName) => lookupKeys(resolver, domainName), at);
}

/**
 * The key records at a name, as plain data: a thread without a network asks another one.
 */
export type KeyAnswer =
  | { readonly lookup: 'found'; readonly texts: readonly string[] }
  | { readonly lookup: 'absent' | 'failed'; readonly code?: string };

/**
 * Looks up the TXT records of a DKIM key name (RFC 6376 §3.6.2.1). A failed lookup is a
 * separate answer: the mail is then `unverifiable`, and not `unsigned`.
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

/** The resolver interface of mailauth, with the codes of `node:dns`. */
async function keysOrThrow(keys: LookupKeys, domainName: string): Promise<string[][]> {
  const keyAnswer = await keys(domainName);
  if (keyAnswer.lookup === 'found') return keyAnswer.texts.map((messageText) => [messageText]);
  const { lookup, code = 'no key' } = keyAnswer;
  throw Object.assign(new Error(code), { code: lookup === 'absent' ? 'ENODATA' : code });
}

/** Verifies as `verifyDkim` does, with keys from `keys`. */
export async function verifyByKeys(
  rawMessage: Uint8Array,
  keys: LookupKeys,
  at: number,
): Promise<DkimVerdict> {
  if (exceedsAnyReport(rawMessage)) return tooLong('the mail');
  const whole = withCrlf(rawMessage);
  const endOffset = whole.indexOf('\r\n\r\n') + 4;
  const header = endOffset < 4 ? whole : whole.subarray(0, endOffset);
  // mailauth needs quadratic time in the number of lines.
  if (header.length > MAX_HEADER || occursMoreThan(header, '\n', MAX_HEADER_LINES))
    return tooLong('the header');
  const { Verifier, parse } = await (mailauth ??= loadMailauth());
  // Not by its `dkimVerify`, which makes an array for each octet of the header (a seventh
  // of the work on a report), hashes the body once for each `l=`, and prints.
  const verifier = new Verifier({
    resolver: (domainName) => keysOrThrow(keys, domainName),
    curTime: new Date(at),
  });
  const headers = withFewSignatures(parse(header));
  const twice = fieldTwice(headers);
  if (twice !== undefined) return failure('header-ambiguous', `the mail has two ${twice} fields`);
  await verifier.messageHeaders((verifier.headers = headers));
  const { verified, refused } = refuseSome(verifier);
  if (header !== whole) await verifier.nextChunk(whole.subarray(endOffset));
  await verifier.finalChunk();
  const signatures = [
    ...(verifier.results as unknown as readonly MailauthResult[]).map((result, index) =>
      judge(result, verified[index]),
    ),
    ...refused,
  ];
  return signatures.length > 1 ? { ...best(signatures), signatures } : best(signatures);
}

interface Mailauth {
  readonly Verifier: typeof DkimVerifier;
  readonly parse: typeof parseHeaders;
}

/** Loaded when first needed: it takes a quarter of a second. */
let mailauth: Promise<Mailauth> | undefined;

/**
 * Loads the code that verifies signatures, a tenth of a second of work: before a port
 * opens, so that the first message does not block the event loop.
 */
export async function loadDkimVerifier(): Promise<void> {
  await (mailauth ??= loadMailauth());
}

async function loadMailauth(): Promise<Mailauth> {
  const [verifier, tools] = await Promise.all([
    import('mailauth/lib/dkim/dkim-verifier.js'),
    import('mailauth/lib/tools.js'),
  ]);
  return { Verifier: verifier.DkimVerifier, parse: tools.parseHeaders };
}

/** Line ends as they were on the wire: files often have them without CR. */
function withCrlf(rawMessage: Uint8Array): Buffer {
  const octets = Buffer.from(rawMessage.buffer, rawMessage.byteOffset, rawMessage.length);
  const messageText = octets.toString('latin1');
  return /(^|[^\r])\n/.test(messageText)
    ? Buffer.from(messageText.replace(/\r?\n/g, '\r\n'), 'latin1')
    : octets;
}

function tooLong(what: string): DkimVerdict {
  return failure('mail-too-long', `${what} is too long to be judged`);
}

function failure(reason: TrustReason, detail: string): DkimVerdict {
  return { result: 'fail', detail, reason };
}

/**
 * Fields of which a message has one, and by which the report in it is found and
 * attributed.
 */
const single = ['from', 'content-type', 'content-transfer-encoding', 'tls-report-submitter'];

function fieldTwice({ parsed }: Headers): string | undefined {
  return single.find((domainName) => parsed.filter(({ key }) => key === domainName).length > 1);
}

/**
 * Without signatures that cannot make this a report of the sender: each costs DNS
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
 * Removes the signatures that cannot count before the body is hashed for them. Those of
 * ARC are among them: they come from a forwarder. `verified`: the tags of the others, in
 * the order of the results.
 */
function refuseSome({ signatureHeaders, bodyHashes }: DkimVerifier): {
  readonly verified: readonly Tags[];
  readonly refused: readonly DkimSignature[];
} {
  const verified: Tags[] = [];
  const refused: DkimSignature[] = [];
  for (const signature of signatureHeaders) {
    const isOwn = signature.type === 'DKIM';
    const tags = isOwn ? tagsOf(signature) : undefined;
    const why = isOwn ? refuseSignature(tags) : undefined;
    if (why) refused.push(fails(signature.signingDomain, ...why));
    if (why || !isOwn) signature.skip = true;
    // mailauth skips those with an algorithm that it does not know.
    else if (tags && signature.skip !== true) verified.push(tags);
  }
  const wanted = new Set(
    signatureHeaders.flatMap(({ skip, bodyHashKey }) => (skip ? [] : [bodyHashKey])),
  );
  for (const key of bodyHashes.keys()) if (!wanted.has(key)) bodyHashes.delete(key);
  return { verified, refused };
}

type Tags = ReadonlyMap<string, string>;

function tagsOf({ original }: SignatureHeader): Tags | undefined {
  const line = original.toString('latin1');
  return parseTags(line.slice(line.indexOf(':') + 1));
}

/** Fields of mailauth's result that its own types omit. */
type MailauthResult = DKIMResult & {
  readonly rr?: string;
  readonly signingHeaders?: { readonly keys: string };
};

/** The comments of mailauth, which has no codes. */
const reasons: Readonly<Record<string, TrustReason>> = {
  'body hash did not verify': 'body-changed',
  'bad signature': 'header-changed',
  'no key': 'key-absent',
  expired: 'signature-expired',
  'invalid expiration': 'signature-expired',
};

function judge(
  { status, signingDomain, rr, signingHeaders }: MailauthResult,
  tags: Tags | undefined,
): DkimSignature {
  const detail = neutralise(status.comment ?? '', 200);
  if (status.result === 'none' || !signingDomain)
    return { result: 'none', detail: detail || 'no signature', reason: 'no-signature' };
  if (status.result === 'temperror' || status.result === 'temperr')
    return {
      result: 'temperror',
      signer: signerOf(signingDomain),
      detail,
      reason: 'key-unavailable',
    };
  if (status.result !== 'pass')
    return fails(
      signingDomain,
      reasons[status.comment ?? ''] ?? 'key-unusable',
      detail || 'the signature does not hold',
    );
  const covered = signingHeaders?.keys ?? '';
  if (!covers(covered, 'from'))
    return fails(signingDomain, 'signature-partial', 'the signature does not cover From');
  const unfit = refuseKey(rr ?? '', tags ?? new Map<string, string>());
  // RFC 6376 §3.6.1: mail of a domain that tests is treated as unsigned.
  if (unfit?.[0] === 'key-testing')
    return { result: 'none', signer: signerOf(signingDomain), detail: unfit[1], reason: unfit[0] };
  if (unfit) return fails(signingDomain, ...unfit);
  const coversStructure = covers(covered, 'content-type');
  return { result: 'pass', signer: signerOf(signingDomain), detail, coversStructure };
}

function covers(names: string, domainName: string): boolean {
  return new RegExp(`(^|[:\\s])${domainName}([:\\s]|$)`, 'i').test(names);
}

function fails(signingDomain: string, reason: TrustReason, detail: string): DkimSignature {
  return { result: 'fail', signer: signerOf(signingDomain), detail, reason };
}

function signerOf(signingDomain: string): string {
  return signingDomain.toLowerCase().replace(/\.$/, '');
}

function best(verdicts: readonly DkimSignature[]): DkimSignature {
  const order = ['pass', 'temperror', 'fail', 'none'] as const;
  const found = order.flatMap((result) => verdicts.find((value) => value.result === result) ?? []);
  return found[0] ?? { result: 'none', detail: 'no signature', reason: 'no-signature' };
}
