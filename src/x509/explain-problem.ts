import { purposes } from './algorithms-registry.js';
import { x509Failures, type X509FailureCode } from './failures.js';
import { explainRefusedName } from './name-constraints.js';
import { hasWeakKey } from './public-key.js';
import { isVerifiable, weaklySigned } from './signature-algorithm.js';
import type { Certificate } from './types.js';
import { verifySignedBy } from './verify-signed-by.js';

/**
 * Explains a problem of a chain: names the subject and the value of the faulty
 * certificate. Uses the general explanation if no certificate of the chain, which is in
 * the order sent, has the fault.
 */
export function explainProblem(code: string, certificateChain: readonly Certificate[]): string {
  const { message = code } = x509Failures.find(code) ?? {};
  const find = finders[code as X509FailureCode];
  for (const [nestingDepth, certificate] of certificateChain.entries()) {
    const value = find?.(certificate, nestingDepth, certificateChain);
    if (value !== undefined) return `${certificate.subjectText || 'no subject'}: ${value}`;
  }
  return message.replace(/\.$/, '');
}

/**
 * A function that returns the faulty value of one certificate; undefined if it has none.
 * `nestingDepth` 0 is the server's own certificate.
 */
type Finder = (
  certificate: Certificate,
  nestingDepth: number,
  certificateChain: readonly Certificate[],
) => string | undefined;

/**
 * The functions that find the faulty value, for each problem that one certificate causes.
 */
const finders: Partial<Record<X509FailureCode, Finder>> = {
  'x509-wrong-purpose': ({ extendedKeyUsage, keyUsage }, nestingDepth) => {
    if (extendedKeyUsage && !extendedKeyUsage.some((objectId) => serverPurposes.includes(objectId)))
      return `extendedKeyUsage is ${extendedKeyUsage.map((objectId) => purposes[objectId] ?? objectId).join(', ')}, without serverAuth`;
    const signs = keyUsage?.some((usage) =>
      /digitalSignature|keyEncipherment|keyAgreement/.test(usage),
    );
    if (nestingDepth === 0 && keyUsage && !signs) return `keyUsage is ${keyUsage.join(', ')}`;
    return undefined;
  },
  'x509-critical-extension': ({ criticalUnknown }) => {
    if (criticalUnknown.length > 0)
      return `Hermetic does not support the critical extension ${criticalUnknown.join(', ')}`;
    return undefined;
  },
  'x509-may-not-sign': ({ keyUsage }, nestingDepth) => {
    if (nestingDepth > 0 && keyUsage && !keyUsage.includes('keyCertSign'))
      return `keyUsage is ${keyUsage.join(', ')}, without keyCertSign`;
    return undefined;
  },
  'x509-not-a-ca': ({ ca }, nestingDepth) => {
    if (nestingDepth > 0 && !ca) return 'basicConstraints does not make it a CA';
    return undefined;
  },
  'x509-path-too-long': ({ pathLength }, nestingDepth) => {
    if (nestingDepth > 0 && pathLength !== undefined && nestingDepth - 1 > pathLength)
      return `pathLenConstraint is ${pathLength}`;
    return undefined;
  },
  'x509-name-not-permitted': ({ nameConstraints }, nestingDepth, certificateChain) =>
    nameConstraints &&
    certificateChain
      .flatMap((other, index) => {
        if (index === nestingDepth) return [];
        return [explainRefusedName(other, nameConstraints)];
      })
      .find((text) => text !== undefined),
  'x509-bad-signature': (certificate, nestingDepth, certificateChain) => {
    if (nestingDepth >= MAX_EXAMINED || !isVerifiable(certificate)) return undefined;
    const issuers = certificateChain
      .filter((other) => other.subjectName.key === certificate.issuerName.key)
      .slice(0, MAX_EXAMINED);
    const [issuer] = issuers;
    if (!issuer || issuers.some((other) => verifySignedBy(certificate, other))) return undefined;
    return `its signature does not match the key of ${issuer.subjectText} in the chain`;
  },
  'x509-issuer-missing': (certificate, nestingDepth, certificateChain) => {
    if (nestingDepth > 0) return undefined;
    const last = lastOf(certificateChain);
    if (!last) return undefined;
    return `${last === certificate ? 'it' : last.subjectText} was issued by ${last.issuerText || 'a CA without a name'}, which the server did not send and which is not a known CA`;
  },
  'x509-weak-signature': (certificate) => {
    if (weaklySigned(certificate)) return `signed with ${certificate.signatureAlgorithm}`;
    return undefined;
  },
  'x509-unknown-algorithm': (certificate) => {
    if (isVerifiable(certificate)) return undefined;
    if (certificate.defects.length > 0) return certificate.defects.join(', ');
    return `signed with ${certificate.signatureAlgorithm}, which is not supported`;
  },
  'x509-weak-key': (certificate) => {
    const { keyAlgorithm, keyBits } = certificate;
    if (!hasWeakKey(certificate)) return undefined;
    if (keyBits === 0) return 'the EC key is on a curve that is not supported';
    return `${keyAlgorithm === 'RSA' ? 'RSA' : 'EC'} key of ${keyBits} bits`;
  },
  'x509-unnamed-curve': ({ unnamedCurve }) => {
    if (unnamedCurve) return 'the EC key has explicit curve parameters';
    return undefined;
  },
  'x509-malformed': ({ defects, issuerName }) => {
    if (defects.length > 0) return defects.join(', ');
    if (issuerName.rdns.length === 0) return 'the issuer has no name';
    return undefined;
  },
  'x509-policy': ({ policyLimits }) => {
    if (policyLimits.explicitPolicy === undefined) return undefined;
    return 'policyConstraints requires a policy';
  },
};

/**
 * Maximum certificates, and issuers of each, whose signatures are verified to explain a
 * fault.
 */
const MAX_EXAMINED = 4;

/**
 * Returns the last certificate that the issuer names reach from the server's own
 * certificate. The other certificates may be in any order.
 */
function lastOf(certificateChain: readonly Certificate[]): Certificate | undefined {
  const passed = new Set<Certificate>();
  let last: Certificate | undefined;
  for (let next = certificateChain[0]; next;) {
    passed.add(next);
    last = next;
    const { key } = next.issuerName;
    next = certificateChain.find((other) => other.subjectName.key === key && !passed.has(other));
  }
  return last;
}

/** serverAuth and anyExtendedKeyUsage. */
const serverPurposes: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];
