import type { DKIMResult } from 'mailauth';
import type { DkimVerifier, SignatureHeader } from 'mailauth/lib/dkim/dkim-verifier.js';
import type { Headers, parseHeaders } from 'mailauth/lib/tools.js';
import { Name, neutralise } from '../../base/index.js';
import { lookupTexts, type Resolver } from '../../dns/index.js';
import { exceedsAnyReport, occursMoreThan } from '../mail-bounds.js';
import type { DkimVerdict } from '../types.js';

const MAX_SIGNATURES = 5;
const MAX_HEADER = 128 * 1024;
const MAX_HEADER_LINES = 2000;
/** Octets of one signature, whose blanks take time by their square; the longest keys make one of two thousand. */
const MAX_SIGNATURE = 8192;

/**
 * Verifies the DKIM signatures of a mail (RFC 6376) by mailauth, with keys from our own resolver; those after the fifth, and those beyond 8 KiB, are not
 * looked at. A signature with `l=` does not count, since text can be added under it (RFC 8460 §3) [8460-3-17], nor one by SHA-1 (RFC 8301 §3.1), nor one
 * that leaves out From. `at` is the date by which expiry is judged.
 */
export async function verifyDkim(
  mail: Uint8Array,
  resolver: Resolver,
  at: number,
): Promise<DkimVerdict> {
  if (exceedsAnyReport(mail)) return tooLong('the mail');
  const whole = withCrlf(mail);
  const end = whole.indexOf('\r\n\r\n') + 4;
  const header = end < 4 ? whole : whole.subarray(0, end);
  // mailauth takes time by the square of the lines.
  if (header.length > MAX_HEADER || occursMoreThan(header, '\n', MAX_HEADER_LINES))
    return tooLong('the header');
  const { Verifier, parse } = await (mailauth ??= loadMailauth());
  const keys = async (name: string): Promise<string[][]> => {
    const parsed = Name.parse(name);
    if (!parsed.ok) throw Object.assign(new Error('no name'), { code: 'ENOTFOUND' });
    const { lookup, texts, failure } = await lookupTexts(resolver, parsed.value);
    if (lookup === 'found') return texts.map((text) => [text]);
    throw Object.assign(new Error(failure?.code ?? 'no key'), {
      code: lookup === 'absent' ? 'ENODATA' : (failure?.code ?? 'EFAIL'),
    });
  };
  // Not by its `dkimVerify`, which makes an array for each octet of the header (a seventh of all the work on a report), hashes the body once for each `l=`,
  // and prints.
  const verifier = new Verifier({ resolver: keys, curTime: new Date(at) });
  await verifier.messageHeaders((verifier.headers = withFewSignatures(parse(header))));
  const refused = refuseSome(verifier);
  if (header !== whole) await verifier.nextChunk(whole.subarray(end));
  await verifier.finalChunk();
  return best([
    ...(verifier.results as unknown as readonly MailauthResult[]).map(judge),
    ...refused,
  ]);
}

interface Mailauth {
  readonly Verifier: typeof DkimVerifier;
  readonly parse: typeof parseHeaders;
}

/** Loaded when first needed: it takes a quarter of a second. */
let mailauth: Promise<Mailauth> | undefined;

async function loadMailauth(): Promise<Mailauth> {
  const [verifier, tools] = await Promise.all([
    import('mailauth/lib/dkim/dkim-verifier.js'),
    import('mailauth/lib/tools.js'),
  ]);
  return { Verifier: verifier.DkimVerifier, parse: tools.parseHeaders };
}

/** Line ends as they were on the wire: files often have them without CR. */
function withCrlf(mail: Uint8Array): Buffer {
  const octets = Buffer.from(mail.buffer, mail.byteOffset, mail.length);
  const text = octets.toString('latin1');
  return /(^|[^\r])\n/.test(text) ? Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1') : octets;
}

function tooLong(what: string): DkimVerdict {
  return { result: 'fail', detail: `${what} is too long to be judged` };
}

function withFewSignatures(headers: Headers): Headers {
  let signatures = 0;
  const parsed = headers.parsed.filter(({ key = '', line }) => {
    if (/^(dkim|arc)-/.test(key) && line.length > MAX_SIGNATURE) return false;
    return key !== 'dkim-signature' || ++signatures <= MAX_SIGNATURES;
  });
  return { ...headers, parsed };
}

/** Takes out, before the body is hashed for them, the signatures that cannot count: those of ARC among them, which speak of somebody on the way. */
function refuseSome({ signatureHeaders, bodyHashes }: DkimVerifier): readonly DkimVerdict[] {
  const refused = signatureHeaders.flatMap((signature) => {
    const why = whyRefused(signature);
    if (why === undefined && signature.type === 'DKIM') return [];
    signature.skip = true;
    return why !== undefined && signature.type === 'DKIM'
      ? [fails(signature.signingDomain, why)]
      : [];
  });
  const wanted = new Set(
    signatureHeaders.flatMap(({ skip, bodyHashKey }) => (skip ? [] : [bodyHashKey])),
  );
  for (const key of bodyHashes.keys()) if (!wanted.has(key)) bodyHashes.delete(key);
  return refused;
}

function whyRefused({ maxBodyLength = '', hashAlgo }: SignatureHeader): string | undefined {
  if (maxBodyLength !== '') return 'the signature covers only a part of the body (l=)';
  return hashAlgo === 'sha1' ? 'a signature by SHA-1 proves nothing (RFC 8301)' : undefined;
}

/** What mailauth gives beyond its own types. */
type MailauthResult = DKIMResult & {
  readonly rr?: string;
  readonly signingHeaders?: { readonly keys: string };
};

function judge({ status, signingDomain, rr, signingHeaders }: MailauthResult): DkimVerdict {
  const detail = neutralise(status.comment ?? '', 200);
  if (status.result === 'none' || !signingDomain)
    return { result: 'none', detail: detail || 'no signature' };
  if (status.result === 'temperror' || status.result === 'temperr')
    return { result: 'temperror', signer: signerOf(signingDomain), detail };
  if (status.result !== 'pass')
    return fails(signingDomain, detail || 'the signature does not hold');
  if (!/(^|[:\s])from([:\s]|$)/i.test(signingHeaders?.keys ?? ''))
    return fails(signingDomain, 'the signature does not cover From');
  if (!mayReport(rr ?? '')) return fails(signingDomain, 'the key is for another service (s=)');
  return { result: 'pass', signer: signerOf(signingDomain), detail };
}

function fails(signingDomain: string, detail: string): DkimVerdict {
  return { result: 'fail', signer: signerOf(signingDomain), detail };
}

function signerOf(signingDomain: string): string {
  return signingDomain.toLowerCase().replace(/\.$/, '');
}

/** RFC 8460 §3: keys may be kept for `s=tlsrpt`; no large reporter does so, and those for all services or for mail are taken too [8460-3-18]. */
function mayReport(record: string): boolean {
  const services = /(?:^|;)\s*s\s*=\s*([^;]*)/i.exec(record)?.[1];
  return (
    services === undefined ||
    services.split(':').some((s) => ['*', 'tlsrpt', 'email'].includes(s.trim().toLowerCase()))
  );
}

function best(verdicts: readonly DkimVerdict[]): DkimVerdict {
  const order = ['pass', 'temperror', 'fail', 'none'] as const;
  const found = order.flatMap((result) => verdicts.find((v) => v.result === result) ?? []);
  return found[0] ?? { result: 'none', detail: 'no signature' };
}
