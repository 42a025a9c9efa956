import type { DKIMResult } from 'mailauth';
import type { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { HermeticError, Name, neutralise } from '../../base/index.js';
import { lookupTexts, type Resolver } from '../../dns/index.js';
import type { DkimVerdict } from '../types.js';

const MAX_SIGNATURES = 5;
/** Loaded when first needed: it takes a quarter of a second. */
let mailauth: Promise<{ readonly dkimVerify: typeof dkimVerify }> | undefined;

/**
 * Verifies the DKIM signatures of a mail (RFC 6376) by mailauth, with keys from our own resolver. A signature with `l=` does not count, since text can be
 * added under it (RFC 8460 §3) [8460-3-17], nor one that leaves out From. `at` is the date by which expiry is judged.
 */
export async function verifyDkim(mail: Uint8Array, resolver: Resolver, at: number): Promise<DkimVerdict> {
  const { dkimVerify: verify } = await (mailauth ??= import('mailauth/lib/dkim/verify.js'));
  let asked = 0;
  const keys = async (name: string): Promise<string[][]> => {
    if (++asked > MAX_SIGNATURES) throw new HermeticError('too-many-signatures', name);
    const parsed = Name.parse(name);
    if (!parsed.ok) throw Object.assign(new Error('no name'), { code: 'ENOTFOUND' });
    const { lookup, texts, failure } = await lookupTexts(resolver, parsed.value);
    if (lookup === 'found') return texts.map((text) => [text]);
    throw Object.assign(new Error(failure?.code ?? 'no key'), { code: lookup === 'absent' ? 'ENODATA' : (failure?.code ?? 'EFAIL') });
  };
  const { results } = await verify(Buffer.from(mail.buffer, mail.byteOffset, mail.length), { resolver: keys, curTime: new Date(at) });
  return best((results as unknown as readonly MailauthResult[]).map(judge));
}

/** What mailauth gives beyond its own types. */
type MailauthResult = DKIMResult & {
  readonly canonBodyLengthLimited?: boolean;
  readonly rr?: string;
  readonly signingHeaders?: { readonly keys: string };
};

function judge(result: MailauthResult): DkimVerdict {
  const { status, signingDomain, canonBodyLengthLimited, rr, signingHeaders } = result;
  const detail = neutralise(status.comment ?? '', 200);
  if (status.result === 'none' || !signingDomain) return { result: 'none', detail: detail || 'no signature' };
  const signer = signingDomain.toLowerCase().replace(/\.$/, '');
  if (status.result === 'temperror' || status.result === 'temperr') return { result: 'temperror', signer, detail };
  const fails = (why: string): DkimVerdict => ({ result: 'fail', signer, detail: why });
  if (status.result !== 'pass') return fails(detail || 'the signature does not hold');
  if (canonBodyLengthLimited) return fails('the signature covers only a part of the body (l=)');
  if (!/(^|[:\s])from([:\s]|$)/i.test(signingHeaders?.keys ?? '')) return fails('the signature does not cover From');
  return mayReport(rr ?? '') ? { result: 'pass', signer, detail } : fails('the key is for another service (s=)');
}

/** RFC 8460 §3: keys may be kept for `s=tlsrpt`; no large reporter does so, and those for all services or for mail are taken too [8460-3-18]. */
function mayReport(record: string): boolean {
  const services = /(?:^|;)\s*s\s*=\s*([^;]*)/i.exec(record)?.[1];
  return services === undefined || services.split(':').some((s) => ['*', 'tlsrpt', 'email'].includes(s.trim().toLowerCase()));
}

function best(verdicts: readonly DkimVerdict[]): DkimVerdict {
  const order = ['pass', 'temperror', 'fail', 'none'] as const;
  const found = order.flatMap((result) => verdicts.find((v) => v.result === result) ?? []);
  return found[0] ?? { result: 'none', detail: 'no signature' };
}
