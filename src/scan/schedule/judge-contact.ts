import type { AddressEvidence } from '../../evidence/index.js';
import { decideRest, rested, type RestState } from './rest.js';

/** The consequence of a check for the address of a mail server. */
export interface ContactEnd {
  readonly standing: Readonly<Record<string, unknown>>;
  /** Milliseconds until the next contact. */
  readonly pauseMs: number;
  readonly reason?: string | undefined;
}

/**
 * Decides how long an address is not contacted after a check: the same rests as after the
 * visits of a scan. Missing evidence means that the check was aborted. Pure.
 */
export function judgeContact(
  before: Readonly<Record<string, unknown>> | undefined,
  evidence: AddressEvidence | undefined,
  { spacingMs }: { readonly spacingMs: number },
): ContactEnd {
  const standing = (before ?? rested) as unknown as RestState;
  if (!evidence) return { standing: { ...standing }, pauseMs: spacingMs };
  const { state, restMs, reason } = decideRest(standing, evidence);
  return { standing: { ...state }, pauseMs: restMs + spacingMs * (state.slow ? 2 : 1), reason };
}
