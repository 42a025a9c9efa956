import type { Scenario } from '../../src/lab/index.js';
import { senders } from '../../src/tls-policy/index.js';

/**
 * Returns a domain of the lab whose check is not compared. The test that sends mail to
 * the domain judges the domain.
 */
export function unjudged(
  domain: string,
  says = domain,
): Pick<Scenario, 'domain' | 'says' | 'expect'> {
  const row = ['unknown', 'unknown', 'unknown', 'unknown', 'unknown'] as const;
  const exposure = Object.fromEntries(
    senders.map((sender) => [sender, row]),
  ) as unknown as Scenario['expect']['exposure'];
  return { domain, says, expect: { verdict: 'pass', exposure } };
}
