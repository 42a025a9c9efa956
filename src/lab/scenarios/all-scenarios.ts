import { attackedDomains } from './attacked.js';
import { policyDomains } from './policies.js';
import { protectedDomains } from './protected.js';
import type { Scenario } from './scenario.js';
import { unclearDomains } from './unclear.js';
import { unprotectedDomains } from './unprotected.js';

/** Every domain of the lab, each with what a check of it must say. */
export const allScenarios: readonly Scenario[] = [
  ...protectedDomains,
  ...unprotectedDomains,
  ...policyDomains,
  ...attackedDomains,
  ...unclearDomains,
];
