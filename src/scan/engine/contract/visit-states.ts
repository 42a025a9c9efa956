import type { VisitState } from './scan-work.js';

/** Values of `visit.state`. */
export const visitCodes = {
  waiting: 0,
  visited: 1,
  inferred: 2,
  'opted-out': 3,
  unreached: 4,
} as const;

/** Returns the state of a settled visit. A waiting visit has no result yet. */
export function visitStateOf(code: number): VisitState | undefined {
  const [, visited, inferred, optedOut, unreached] = Object.keys(visitCodes) as [
    string,
    ...VisitState[],
  ];
  return [undefined, visited, inferred, optedOut, unreached][code];
}
