import { check } from 'hermetic';
import { createLab } from 'hermetic/lab';

const lab = await createLab(); // for a real domain: check('example.com'), and no lab
const result = await check('stripped.example', lab);
console.log(`${result.domain}: ${result.verdict}`);
for (const { severity, title } of result.findings) console.log(`${severity}: ${title}`);
console.log(`a sender that keeps the policy: ${result.exposure.mtaStsCached.none}`);
await lab.close();
