import { writeFileSync } from 'node:fs';
import { startSyntheticInternet } from '../src/lab/index.js';
import { StackSampler } from './stack-sampler.js';

/**
 * The synthetic internet in a separate process, so that its CPU time does not count as
 * CPU time of the scan. It writes its names to a file, sends its ports to the parent, and
 * answers every message with its counts.
 */
const [domains = '1000', changing = '0', list = '', half = ''] = process.argv.slice(2);
const internet = await startSyntheticInternet({
  domains: Number(domains),
  changing: Number(changing),
  // One host for every five domains, because most domains are at a shared provider.
  shares: { ownHosts: 0.08, customerHosts: 0.4 },
});
writeFileSync(list, [...internet.facts.names()].join('\n'));
const { resolver, smtpPort, httpsPort, anchorLine, rootPem } = internet;
writeFileSync(half, halfAtAllHosts().join('\n'));
const sampler = new StackSampler();
await sampler.start();
process.send?.({ resolver, smtpPort, httpsPort, anchorLine, rootPem });
process.on('message', (message) => {
  if (message === 'change') {
    const changed = internet.change();
    internet.resetCounts();
    process.send?.({ changed: changed.length });
  } else if (message === 'share')
    void sampler.stop(/\/dns\/|synthetic-dns/).then((share) => process.send?.({ share }));
  else process.send?.({ ...internet.counts(), cpuMs: cpuMs() });
});

/** Returns half of the domains, which together name all mail hosts. */
function halfAtAllHosts(): readonly string[] {
  const all = Array.from({ length: internet.facts.domains }, (_, n) => internet.facts.domainAt(n));
  const named = new Set<string>();
  const isFirst = ({ hosts }: (typeof all)[number]): boolean => {
    const { size } = named;
    for (const { name } of hosts) named.add(name);
    return named.size > size;
  };
  const first = new Set(all.filter(isFirst));
  const others = all.filter((domain) => !first.has(domain));
  return [...first, ...others].slice(0, all.length / 2).map(({ name }) => name);
}

/** Returns the CPU time of this process so far, in milliseconds. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

process.on('disconnect', () => process.exit());
