import { baseCases } from './base-cases.js';
import { daneCases } from './dane-cases.js';
import { moreCases } from './more-cases.js';
import type { SenderCase } from './sender-case.js';
import { stsCases } from './sts-cases.js';

/** Every case, in the order in which results are shown. */
export const senderCases: readonly SenderCase[] = [
  ...baseCases,
  ...stsCases,
  ...daneCases,
  ...moreCases,
];

const byId = new Map(senderCases.map((senderCase) => [senderCase.id, senderCase]));

/** Returns the case with this id. */
export function senderCase(id: string): SenderCase | undefined {
  return byId.get(id);
}
