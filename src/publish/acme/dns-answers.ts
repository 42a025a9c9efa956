import { createHash } from 'node:crypto';
import type { SetRrset } from '../actions.js';
import type { Outcome } from '../apply/hands.js';
import { txtRdata } from '../records/txt-rdata.js';
import type { Challenge, ChallengeAnswers } from './challenge.js';

/**
 * Answers to dns-01 (RFC 8555 §8.4) as TXT record of `_acme-challenge.HOST`. `read` gives what stands there now, in presentation form: what a crash left behind
 * is replaced, since nothing but a challenge belongs there. [8555-8.4-1]
 */
export function dnsAnswers(
  write: (action: SetRrset, host: string) => Promise<Outcome>,
  read: (name: string, host: string) => Promise<readonly string[]>,
): ChallengeAnswers {
  const set = async (host: string, to: readonly string[]): Promise<Outcome> => {
    const name = `_acme-challenge.${host}`;
    const from = await read(name, host);
    return write({ kind: 'set-rrset', name, type: 'TXT', from, to, ttl: 60 }, host);
  };
  return {
    type: 'dns-01',
    show: ({ host, keyAuthorization }) => set(host, [txtRdata(createHash('sha256').update(keyAuthorization).digest('base64url'))]),
    async hide({ host }: Challenge) {
      await set(host, []);
    },
  };
}
