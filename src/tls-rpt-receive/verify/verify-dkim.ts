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
 * relies on occurs twice is not signed, because the signature covers one of them (RFC
 * 6376 §8.15). `at` is the date by which expiry is judged.
 */
export async function verifyDkim(
  rawMessage: Uint8Array,
  resolver: Resolver,
  at: number,
): Promise<DkimVerdict> {
  return verifyByKeys(rawMessage, (domainName) => lookupKeys(resolver, domainName), at);
}

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
  const { Verifier, parse, tools } = await (mailauth ??= loadMailauth());
  // Not by its `dkimVerify`, which makes an array for each octet of the header (a seventh
  // of the work on a report), hashes the body once for each `l=`, and prints;
  // `checkSignatures` replaces its end.
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

/** Loaded with the first mail: it takes ten mebibytes, and a fifth of a second once. */
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

/** Line ends as they were on the wire: files often have them without CR. */
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
 * ARC are among them: they come from a forwarder. `verified`: the others with their tags.
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
    // mailauth skips those with an algorithm that it does not know.
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
