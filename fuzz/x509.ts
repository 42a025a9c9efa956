import { createCa, issue } from '../src/pki/index.js';
import { parseCertificate, trustStore, verifyChain } from '../src/x509/index.js';
import type { Random } from './random.js';

/**
 * Passes damaged certificates to the parser and path building: neither throws, and path
 * building never trusts a changed certificate.
 */
export function fuzz(count: number, random: Random): string {
  const at = Date.now();
  const root = createCa({ name: 'Root', nameConstraints: { permitted: ['example'] } });
  const { der } = issue(root, { names: ['mx.example', '*.b.example'] });
  const parsed = parseCertificate(root.der);
  if (!parsed.ok) throw new Error('the seed is not readable');
  const anchors = trustStore([parsed.value]);
  let read = 0;
  for (let i = 0; i < count; i++) {
    const leaf = i % 2 === 0;
    const bytes = random.damage(leaf ? der : root.der);
    const damaged = parseCertificate(bytes);
    if (!damaged.ok) continue;
    read++;
    const { chain } = verifyChain({
      sent: [damaged.value, parsed.value],
      anchors,
      validationTime: at,
    });
    if (leaf && chain === 'trusted' && Buffer.compare(bytes, der) !== 0)
      throw new Error(`a damaged certificate is trusted: ${Buffer.from(bytes).toString('hex')}`);
  }
  return `${read} of them readable, none trusted`;
}
