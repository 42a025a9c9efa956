import { purposes } from './algorithms-registry.js';
import { x509Failures, type X509FailureCode } from './failures.js';
import { explainRefusedName } from './name-constraints.js';
import { weaklySigned } from './signature-algorithm.js';
import type { Certificate } from './types.js';

/**
 * Explains a problem of a chain by the certificate at fault: its subject and the value
 * that is wrong. Falls back to the general sentence where none of `chain`, the
 * certificates as sent, has the fault.
 */
export function explainProblem(code: string, chain: readonly Certificate[]): string {
  const { says = code } = x509Failures.entries[code as X509FailureCode] ?? {};
  const find = finders[code as X509FailureCode];
  for (const [depth, certificate] of chain.entries()) {
    const value = find?.(certificate, depth, chain);
    if (value !== undefined) return `${certificate.subjectText || 'no subject'}: ${value}`;
  }
  return says.replace(/\.$/, '');
}

/**
 * The value at fault of one certificate, undefined where it has none; `depth` 0 is the
 * server's own.
 */
type Finder = (
  certificate: Certificate,
  depth: number,
  chain: readonly Certificate[],
) => string | undefined;

const finders: Partial<Record<X509FailureCode, Finder>> = {
  'x509-wrong-purpose': ({ extendedKeyUsage, keyUsage }, depth) => {
    if (extendedKeyUsage && !extendedKeyUsage.some((oid) => serverPurposes.includes(oid)))
      return `extendedKeyUsage is ${extendedKeyUsage.map((oid) => purposes[oid] ?? oid).join(', ')}, without serverAuth`;
    const signs = keyUsage?.some((usage) =>
      /digitalSignature|keyEncipherment|keyAgreement/.test(usage),
    );
    return depth === 0 && keyUsage && !signs ? `keyUsage is ${keyUsage.join(', ')}` : undefined;
  },
  'x509-critical-extension': ({ criticalUnknown }) =>
    criticalUnknown.length > 0
      ? `critical extension ${criticalUnknown.join(', ')} is not understood`
      : undefined,
  'x509-may-not-sign': ({ keyUsage }, depth) =>
    depth > 0 && keyUsage && !keyUsage.includes('keyCertSign')
      ? `keyUsage is ${keyUsage.join(', ')}, without keyCertSign`
      : undefined,
  'x509-not-a-ca': ({ ca }, depth) =>
    depth > 0 && !ca ? 'basicConstraints does not make it a CA' : undefined,
  'x509-path-too-long': ({ pathLength }, depth) =>
    depth > 0 && pathLength !== undefined && depth - 1 > pathLength
      ? `pathLenConstraint is ${pathLength}`
      : undefined,
  'x509-name-not-permitted': ({ nameConstraints }, depth, chain) =>
    nameConstraints &&
    chain
      .flatMap((other, i) => (i === depth ? [] : [explainRefusedName(other, nameConstraints)]))
      .find((text) => text !== undefined),
  'x509-weak-signature': (certificate) =>
    weaklySigned(certificate) ? `signed with ${certificate.signatureAlgorithm}` : undefined,
  'x509-weak-key': ({ keyAlgorithm, keyBits }) =>
    keyAlgorithm === 'RSA' && keyBits < 1024 ? `RSA key of ${keyBits} bits` : undefined,
  'x509-unnamed-curve': ({ unnamedCurve }) =>
    unnamedCurve ? 'the EC key writes out its curve' : undefined,
  'x509-malformed': ({ defects, issuerName }) => {
    if (defects.length > 0) return defects.join(', ');
    return issuerName.rdns.length === 0 ? 'the issuer has no name' : undefined;
  },
  'x509-policy': ({ policyLimits }) =>
    policyLimits.explicitPolicy === undefined ? undefined : 'policyConstraints requires a policy',
};

const serverPurposes: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];
