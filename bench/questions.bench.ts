import { Name } from '../src/base/index.js';
import { CountedScan } from '../test/support/counted-scan.js';
import { writeResults } from './results-file.js';

const DOMAINS = 1_000;
const HOSTS = 200;

/** Questions at the lab's DNS server before the resolver cached zone cuts. */
const BEFORE = { unsigned: 12, scan: 11.2 };

/** Counts the questions for a domain at the DNS server, in a check and in a scan. */
export async function bench(): Promise<void> {
  const one = new CountedScan({ domains: 20, hosts: 20 });
  const count = async (domain: string): Promise<number> => {
    const before = one.asked.length;
    await one.lookUp(Name.of(domain));
    return one.asked.length - before;
  };
  const cold = await count('d3.example');
  const unsigned = await count('d2.example');
  await count('d1.co.example');
  const inside = await count('d5.co.example');
  const signed = await count('d10.example');
  const many = new CountedScan({ domains: DOMAINS, hosts: HOSTS });
  await many.lookUpAll();
  const mean = many.asked.length / DOMAINS;
  const lines = [
    row('an unsigned domain, nothing known', '', cold, 11),
    row('an unsigned domain, the keys above it known', BEFORE.unsigned, unsigned, 8),
    row('the same below a name without a zone cut', '', inside, 8),
    row('a signed domain, its host in an unsigned zone', '', signed, 9),
    row(`a scan of ${DOMAINS} domains with ${HOSTS} hosts, mean`, BEFORE.scan, mean, 6),
  ];
  const table = [
    '| Questions for | First measured | Now | At most |',
    '| --- | ---: | ---: | ---: |',
    ...lines,
  ];
  console.log(table.join('\n'));
  writeResults('questions: `npm run bench -- questions`', `${intro}\n\n${table.join('\n')}`);
}

const intro = [
  'The table counts the questions at the DNS server. A domain needs MX, the records of MTA-STS and TLS-RPT, and the',
  'addresses and TLSA records of its host. DS and DNSKEY records prove them. The host is in a zone of its own.',
].join('\n');

function row(what: string, before: number | string, now: number, most: number): string {
  if (now > most) process.exitCode = 1;
  return `| ${what} | ${before} | ${Number(now.toFixed(1))} | ${most}${now > most ? ' NOT REACHED' : ''} |`;
}
