import { createHash } from 'node:crypto';
import { equalBytes, formatTime } from '../../base/index.js';
import { matchesDnsName, parsePem, type Certificate } from '../../x509/index.js';

/** A certificate chain that fits its key and its host. */
export interface HeldCertificate {
  /** Of its issuer, neutralised. */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Of the chain as it stands in its file, lower-case hex. */
  readonly sha256: string;
}

export interface ChainQuestion {
  readonly host: string;
  /** SubjectPublicKeyInfo of the key it is to go with, DER. */
  readonly spki: Uint8Array;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export type ChainJudgement = { readonly certificate: HeldCertificate } | { readonly flaw: string };

/**
 * Whether a chain in PEM may be shown by a host: for its key, its name and this date. A
 * flaw is a clause that follows "its chain". [8461-4.2-1]
 */
export function judgeChain(pem: string, { host, spki, at }: ChainQuestion): ChainJudgement {
  const parsed = parsePem(pem);
  const leaf = parsed.ok ? parsed.value[0] : undefined;
  if (!leaf) return { flaw: 'is no PEM with a certificate' };
  const flaw = flawOf(leaf, { host, spki, at });
  if (flaw !== undefined) return { flaw };
  const { issuerText: issuer, notBefore, notAfter } = leaf;
  return {
    certificate: {
      issuer,
      notBefore,
      notAfter,
      sha256: createHash('sha256').update(pem).digest('hex'),
    },
  };
}

function flawOf(leaf: Certificate, { host, spki, at }: ChainQuestion): string | undefined {
  if (!equalBytes(leaf.spki, spki)) return 'is for another key';
  if (!matchesDnsName(leaf, host))
    return `is for ${leaf.dnsNames.slice(0, 3).join(', ') || 'no name'} and not for ${host}`;
  if (leaf.notAfter <= at) return `has expired, ${formatTime(leaf.notAfter)}`;
  return leaf.notBefore > at ? `is not valid before ${formatTime(leaf.notBefore)}` : undefined;
}
