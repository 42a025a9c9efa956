import { parseDomain } from '../../base/index.js';
import { lookupMailRoute } from '../../dns/index.js';
import { knownHosts } from '../../tls-rpt-receive/index.js';
import type { JobContext } from '../service.js';

/**
 * The MX hosts of the domains for which the daemon accepts reports. With DANE the policy
 * domain of a report is the MX host (RFC 8460 §4.4), which need not lie below the domain.
 * The names come from stored checks or from DNS, never from a report. A host stays in the
 * list until the process ends, because reports about it may arrive days after it was
 * replaced.
 */
export class MxHosts {
  readonly names = new Set<string>();

  /**
   * Looks up the hosts of each domain, one domain per turn of the event loop. Never
   * rejects.
   */
  async refresh(
    domains: readonly string[],
    { store, resolver }: Pick<JobContext, 'store' | 'resolver'>,
    abortSignal: AbortSignal,
  ): Promise<void> {
    for (const domainName of domains) {
      if (abortSignal.aborted) return;
      const hosts = await this.#learn(domainName, { store, resolver }, abortSignal).catch(() => []);
      for (const hostName of hosts) this.names.add(hostName);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #learn(
    domainName: string,
    { store, resolver }: Pick<JobContext, 'store' | 'resolver'>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const checked = [...knownHosts(store, [domainName])];
    const parsed = parseDomain(domainName);
    if (checked.length > 0 || !parsed.ok) return checked;
    const { hosts } = await lookupMailRoute(resolver, parsed.value, { signal });
    return hosts.map(({ name }) => name.toLower());
  }
}
