import { check } from 'hermetic';

const domain = process.argv[2] ?? 'example.com';
const result = await check(domain);

console.log(`${result.domain}: ${result.verdict}`);
for (const finding of result.findings) {
  console.log(`${finding.severity.padEnd(5)} ${finding.subject}: ${finding.title}`);
}
