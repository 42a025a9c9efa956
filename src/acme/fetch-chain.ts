import { equalBytes, ok, type Result } from '../base/index.js';
import { parsePem } from '../x509/index.js';
import type { AcmeFailure, AcmeSession } from './session.js';
import type { AcmeSigner } from './jws.js';

/**
 * Downloads the chain of a certificate, PEM. Returns the first of the offered chains that
 * ends at the root with the preferred common name. Returns the default chain if no
 * offered chain ends at that root, or if an alternate chain cannot be downloaded: the
 * default chain is valid, and a failed renewal is worse. [8555-7.4.2-2]
 */
export async function fetchChain(
  session: AcmeSession,
  acmeSigner: AcmeSigner,
  url: string,
  preferred: string | undefined,
): Promise<Result<string, AcmeFailure>> {
  const standard = await session.post(url, acmeSigner);
  if (!standard.ok || preferred === undefined || endsBelow(standard.value.body, preferred))
    return standard.ok ? ok(standard.value.body) : standard;
  for (const alternate of standard.value.alternates) {
    const other = await session.post(alternate, acmeSigner);
    if (
      other.ok &&
      endsBelow(other.value.body, preferred) &&
      sameLeaf(other.value.body, standard.value.body)
    )
      return ok(other.value.body);
  }
  return ok(standard.value.body);
}

function endsBelow(chain: string, root: string): boolean {
  const parsed = parsePem(chain);
  const issuer = parsed.ok ? parsed.value.at(-1)?.issuerText : undefined;
  return issuer === `CN=${root}` || issuer?.startsWith(`CN=${root},`) === true;
}

function sameLeaf(left: string, right: string): boolean {
  const [leftLeaf, rightLeaf] = [leafOf(left), leafOf(right)];
  return leftLeaf !== undefined && rightLeaf !== undefined && equalBytes(leftLeaf, rightLeaf);
}

function leafOf(chain: string): Uint8Array | undefined {
  const parsed = parsePem(chain);
  return parsed.ok ? parsed.value[0]?.der : undefined;
}
