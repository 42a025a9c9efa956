import { neutralise } from '../../base/index.js';
import type { Message } from './message.js';
import { Rcode } from './types-registry.js';

/** The EDNS option of RFC 8914 §2: an info code of two octets, then text in UTF-8. */
const EXTENDED_ERROR = 15;

/** Info codes of RFC 8914 §4 and the IANA registry. */
const extendedErrors: Readonly<Record<number, string>> = {
  1: 'unsupported DNSKEY algorithm',
  2: 'unsupported DS digest type',
  3: 'stale answer',
  4: 'forged answer',
  5: 'DNSSEC indeterminate',
  6: 'DNSSEC bogus',
  7: 'signature expired',
  8: 'signature not yet valid',
  9: 'DNSKEY missing',
  10: 'RRSIGs missing',
  11: 'no zone key bit set',
  12: 'NSEC missing',
  13: 'cached error',
  14: 'not ready',
  15: 'blocked',
  16: 'censored',
  17: 'filtered',
  18: 'prohibited',
  19: 'stale NXDOMAIN answer',
  20: 'not authoritative',
  21: 'not supported',
  22: 'no reachable authority',
  23: 'network error',
  24: 'invalid data',
  27: 'unsupported NSEC3 iterations',
};

/** Names of the rcodes of the header. The rcodes from 16 on have several meanings. */
const rcodeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(Rcode).flatMap(([name, code]) => (code < 16 ? [[code, name] as const] : [])),
);

/**
 * Formats the rcode of a response and its extended errors (RFC 8914). Rcode and extended
 * errors are unsigned, so no decision depends on them.
 *
 * The result names at most three errors, each with at most 100 characters of neutralised
 * text.
 */
export function rcodeText({ rcode, edns }: Message): string {
  const errors = (edns?.options ?? [])
    .filter(({ code, data }) => code === EXTENDED_ERROR && data.length >= 2)
    .slice(0, 3)
    .map(({ data }) => {
      const code = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
      const sourceText = neutralise(Buffer.from(data.subarray(2)).toString('utf8').trim(), 100);
      return `${extendedErrors[code] ?? `extended error ${code}`}${sourceText === '' ? '' : ` "${sourceText}"`}`;
    });
  const name = rcodeNames.get(rcode) ?? `rcode ${rcode}`;
  return `${name}${errors.length === 0 ? '' : ` (${errors.join(', ')})`}`;
}
