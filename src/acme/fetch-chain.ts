import { equalBytes, ok, type Result } from '../base/index.js';
import { parsePem } from '../x509/index.js';
import type { AcmeFailure, AcmeSession } from './session.js';
import type { AcmeSigner } from './jws.js';

/**
 * The chain of a certificate, PEM; of several that the CA offers, the first that ends
 * below the root that is preferred, by its common name. Where none does, and where an
 * alternate cannot be had, it is the CA's own choice: a chain that works is better than
 * none. [8555-7.4.2-2]
 */
export async function fetchChain(
  session: AcmeSession,
  signer: AcmeSigner,
  url: string,
  preferred: string | undefined,
): Promise<Result<string, AcmeFailure>> {
  const first = await session.post(url, signer);
  if (!first.ok || preferred === undefined || endsBelow(first.value.body, preferred))
    return first.ok ? ok(first.value.body) : first;
  for (const alternate of first.value.alternates) {
    const other = await session.post(alternate, signer);
    if (
      other.ok &&
      endsBelow(other.value.body, preferred) &&
      sameLeaf(other.value.body, first.value.body)
    )
      return ok(other.value.body);
  }
  return ok(first.value.body);
}

function endsBelow(chain: string, root: string): boolean {
  const parsed = parsePem(chain);
  const issuer = parsed.ok ? parsed.value.at(-1)?.issuerText : undefined;
  return issuer === `CN=${root}` || issuer?.startsWith(`CN=${root},`) === true;
}

function sameLeaf(a: string, b: string): boolean {
  const [one, two] = [parsePem(a), parsePem(b)];
  return (
    one.ok &&
    two.ok &&
    one.value[0] !== undefined &&
    two.value[0] !== undefined &&
    equalBytes(one.value[0].der, two.value[0].der)
  );
}
