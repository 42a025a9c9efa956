import { equalBytes, formatTime } from '../base/index.js';
import type { PresentedChain, TrustPath } from '../evidence/index.js';
import { verifyChain, type Certificate, type TrustStore } from '../x509/index.js';

/**
 * Judges a chain, as the server sent it, against a trust store. Returns the judgement in
 * the form of the evidence. It includes the root if the server did not send it, so that
 * DANE can be explained offline.
 *
 * @param validationTime milliseconds since 1970
 */
export function judgeChain(
  sent: readonly Certificate[],
  trustStore: TrustStore,
  validationTime: number,
): PresentedChain['pkix'] {
  const verdict = verifyChain({ sent, anchors: trustStore, validationTime });
  const { chain, validity, problems, path } = verdict;
  const top = path.at(-1);
  const isSent = sent.some((certificate) => top && equalBytes(certificate.der, top.der));
  return {
    chain,
    validity,
    problems,
    anchor: top && !isSent ? Buffer.from(top.der).toString('base64') : undefined,
    path: trustPath(path),
  };
}

/** Returns the root of a path, and the expiry dates of the root and the intermediates. */
function trustPath(path: readonly Certificate[]): TrustPath | undefined {
  const root = path.at(-1);
  if (!root) return undefined;
  const issuers = path.slice(1, -1).map(({ notAfter }) => notAfter);
  return {
    root: root.subjectText,
    rootNotAfter: formatTime(root.notAfter),
    issuersNotAfter: issuers.length === 0 ? undefined : formatTime(Math.min(...issuers)),
  };
}
