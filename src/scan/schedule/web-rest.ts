import type { PolicyHostReply } from '../../mta-sts/index.js';
import { nextRest, type RestDecision, type RestState } from './rest.js';

/**
 * Decides on a rest after a fetch from a policy host. Status 429 and 503 request a rest:
 * for the time in Retry-After, or for the default time (RFC 6585 §4, RFC 9110 §15.6.4).
 * Any other status concerns only one of many policy domains at the address.
 */
export function decideWebRest(before: RestState, reply: PolicyHostReply): RestDecision {
  const { dial, status, retryAfterMs } = reply;
  const isBusy = status === 429 || status === 503;
  const isRefused = before.answered && (dial === 'net-refused' || dial === 'net-reset');
  const refused = isRefused ? ('refused' as const) : undefined;
  return nextRest(before, {
    isSilent: dial === 'net-timeout',
    isAnswered: status !== undefined && !isBusy,
    limits: status === 429,
    turnedAway: isBusy ? 'busy' : refused,
    retryAfterMs,
  });
}
