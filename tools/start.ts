import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isHermeticError, version } from '../src/base/index.js';
import type { CheckOptions } from '../src/check/index.js';
import { labOptions } from '../src/cli/lab.js';
import { createResolver } from '../src/dns/index.js';
import { allScenarios, createLab, type Lab } from '../src/lab/index.js';
import { createLog, formatListenAddress, parseConfig, startDaemon } from '../src/server/index.js';
import { openStore } from '../src/store/index.js';
import { authoritativeNetwork } from '../test/support/publish/authoritative-network.js';
import { ownDomains, storeLooks, storeMonths } from './start-data.js';

/**
 * `npm start`: the daemon with its pages on loopback, inside the lab. The check field
 * accepts the domains of the lab and, with `--real`, those of the internet.
 */

/** Domains that the first page suggests, with a few words each. */
const examples = [
  ['good.example', 'DANE and MTA-STS, everything in order'],
  ['opportunistic.example', 'STARTTLS, and no policy that requires it'],
  ['stripped.example', 'an attacker removes STARTTLS right now'],
  ['spoofed-mx.example', 'an attacker forges its MX record'],
  ['dane-mismatch.example', 'a certificate was renewed without its TLSA record'],
  ['legacy.example', 'old TLS versions only'],
  ['bogus.example', 'a broken DNSSEC signature'],
] as const;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    real: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'hermetic-start-'));
const file = join(folder, 'hermetic.db');
const domains = ownDomains.map(([domain]) => domain).join(', ');
const config = parseConfig(`
store: {file: ${file}}
report: {domains: [${domains}], checkHours: 720}
watch: {domains: [${domains}], everyHours: 6}
publish:
  keys: ${join(folder, 'keys')}
  everyMinutes: 10
  hosts:
    mx.good.example: {dns: print}
  domains:
    good.example: {mx: [mx.good.example], mode: enforce, dns: print}
    testing-mode.example: {mx: [mx.testing-mode.example], dns: print}
    signed-only.example: {mx: [mx.signed-only.example], dns: print, policyHost: www.lab.example}
pages:
  operatorPort: 127.0.0.1:${values.port}
  customers:
    acme: [good.example, dane-mismatch.example]
    globex: [sts-only.example, testing-mode.example]
  limits: {againMinutes: 0, perServer: 100000, perDomain: 1000, reuseMinutes: 0}
`);
if (!config.ok)
  throw new Error(config.failure.map(({ path, says }) => `${path} ${says}`).join('; '));
const log = createLog({
  format: 'plain',
  write: (line) => {
    // The pages, not the log, show the warnings of the lab's broken domains.
    if (line.includes(' error ')) process.stderr.write(line);
  },
  now: Date.now,
});
const lab = await createLab();

try {
  const store = await openStore(file);
  storeMonths(store, Date.now());
  await storeLooks(store, lab, Date.now());
  store.close();
  const { network, trustStore } = lab;
  const resolver = createResolver(lab);
  const daemon = await startDaemon(config.value, log, {
    version,
    replaced: {
      network,
      localNetwork: authoritativeNetwork(network),
      resolver,
      trustStore,
      checkOptions: (domain) => optionsFor(lab, domain, values.real),
      examples: examples.map(([domain, says]) => ({ domain, says })),
    },
  });
  const opened = daemon.listening.find(({ what }) => what === 'operator-pages');
  const url = opened && `http://${formatListenAddress(opened.at)}/`;
  console.log(`Hermetic runs in its built-in lab: ${lab.scenarios.length} domains, no internet.`);
  console.log(`\n  ${url}\n\nCtrl-C ends it.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void daemon
        .stop()
        .then(() => lab.close())
        .then(() => rmSync(folder, { recursive: true }))
        .then(() => process.exit(0));
    });
} catch (error) {
  await lab.close();
  rmSync(folder, { recursive: true });
  if (!isHermeticError(error)) throw error;
  console.error(`${error.message}${error.fix === undefined ? '' : `\n${error.fix}`}`);
  console.error('Choose another port: npm start -- --port 8081');
  process.exitCode = 1;
}

/**
 * Returns the options of a check: the lab for its own domains, the internet for others if
 * `--real` is set.
 */
function optionsFor(lab: Lab, domain: string, real: boolean): CheckOptions | undefined {
  const isHere = (name: string): boolean => domain === name || domain.endsWith(`.${name}`);
  if (isHere('example') || allScenarios.some((scenario) => isHere(scenario.domain)))
    return labOptions(lab);
  return real ? {} : undefined;
}
