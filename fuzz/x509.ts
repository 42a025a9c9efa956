/** Feeds damaged certificates to the parser and to path building: neither may throw. `node fuzz/x509.js [count]` */
import { createCa, issue } from '../src/pki/index.js';
import { parseCertificate, trustStore, verifyChain } from '../src/x509/index.js';

const count = Number(process.argv[2] ?? 20_000);
const root = createCa({ name: 'Root', nameConstraints: { permitted: ['example'] } });
const { der } = issue(root, { names: ['mx.example', '*.b.example'] });
const parsed = parseCertificate(root.der);
if (!parsed.ok) throw new Error('the seed is not readable');
const anchors = trustStore([parsed.value]);
let read = 0;
for (let i = 0; i < count; i++) {
  const bytes = Uint8Array.from(i % 2 === 0 ? der : root.der);
  for (let n = 1 + (i % 5); n > 0; n--) bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
  const damaged = parseCertificate(bytes.subarray(0, i % 7 === 0 ? Math.floor(Math.random() * bytes.length) : bytes.length));
  if (!damaged.ok) continue;
  read++;
  const { chain } = verifyChain({ sent: [damaged.value, parsed.value], anchors, at: Date.now() });
  if (chain === 'trusted' && i % 2 === 0) {
    // Only damage to the signature algorithm's absent parts could go unnoticed: a changed certificate must not verify.
    if (Buffer.compare(bytes, der) !== 0) throw new Error(`a damaged certificate is trusted: ${Buffer.from(bytes).toString('hex')}`);
  }
}
console.log(`${count} damaged certificates, ${read} of them readable, none trusted`);
