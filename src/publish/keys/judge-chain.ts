import { createHash } from 'node:crypto';
import { equalBytes, formatTime } from '../../base/index.js';
import { matchesDnsName, parsePem, type Certificate } from '../../x509/index.js';

/** The certificate of a chain that fits its key and its host. */
export interface RingCertificate {
  /** Distinguished name of its issuer, with control characters neutralised. */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 of the chain file, lower-case hex. */
  readonly sha256: string;
}

/** The key, the name and the date that a chain has to fit. */
export interface ChainRequirements {
  readonly host: string;
  /** SubjectPublicKeyInfo of the key, DER. */
  readonly spki: Uint8Array;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A fitting certificate, or the flaw of the chain. */
export type ChainJudgement = { readonly certificate: RingCertificate } | { readonly flaw: string };

/**
 * Judges whether a host may present a chain (PEM): the chain has to fit the key, the name
 * and the date. A flaw is a predicate that follows "its chain", such as "has expired".
 * The path to a root is not verified here. [8461-4.2-1]
 */
export function judgeHostChain(pem: string, { host, spki, at }: ChainRequirements): ChainJudgement {
  const parsed = parsePem(pem);
  const leafCertificate = parsed.ok ? parsed.value[0] : undefined;
  if (!leafCertificate) return { flaw: 'is not PEM with a certificate' };
  const flaw = flawOf(leafCertificate, { host, spki, at });
  if (flaw !== undefined) return { flaw };
  const { issuerText: issuer, notBefore, notAfter } = leafCertificate;
  return {
    certificate: {
      issuer,
      notBefore,
      notAfter,
      sha256: createHash('sha256').update(pem).digest('hex'),
    },
  };
}

function flawOf(
  leafCertificate: Certificate,
  { host, spki, at }: ChainRequirements,
): string | undefined {
  if (!equalBytes(leafCertificate.spki, spki)) return 'is for another key';
  if (!matchesDnsName(leafCertificate, host))
    return `is for ${leafCertificate.dnsNames.slice(0, 3).join(', ') || 'no name'} and not for ${host}`;
  if (leafCertificate.notAfter <= at) return `has expired, ${formatTime(leafCertificate.notAfter)}`;
  return leafCertificate.notBefore > at
    ? `is not valid before ${formatTime(leafCertificate.notBefore)}`
    : undefined;
}
