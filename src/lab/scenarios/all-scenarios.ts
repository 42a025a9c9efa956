import { parseDomain } from '../../base/index.js';
import { attackedDomains } from './attacked.js';
import { policyDomains } from './policies.js';
import { protectedDomains } from './protected.js';
import type { Scenario } from './scenario.js';
import { unclearDomains } from './unclear.js';
import { unprotectedDomains } from './unprotected.js';

/** All domains of the lab, each with the expected result of its check. */
export const allScenarios: readonly Scenario[] = [
  ...protectedDomains,
  ...unprotectedDomains,
  ...policyDomains,
  ...attackedDomains,
  ...unclearDomains,
];

/**
 * Returns the scenarios that answer for these domains and the names below them, with the
 * scenarios of the mail hosts they share. Empty if a name belongs to no scenario.
 */
export function scenariosFor(names: readonly string[]): readonly Scenario[] {
  const chosen = new Set<Scenario>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const scenario = allScenarios.find(({ domain }) => isAtOrBelow(name, domain));
    if (!scenario) return [];
    if (chosen.has(scenario)) continue;
    chosen.add(scenario);
    for (const { name: hostName = '' } of scenario.hosts ?? [])
      if (hostName.endsWith('.')) pending.push(hostName);
  }
  return [...chosen];
}

function isAtOrBelow(name: string, domainName: string): boolean {
  const [child, parent] = [parseDomain(name), parseDomain(domainName)];
  return child.ok && parent.ok && child.value.isAtOrBelow(parent.value);
}
