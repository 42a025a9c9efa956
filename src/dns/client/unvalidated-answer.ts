import type { Name } from '../../base/index.js';
import type { AliasStep, DnsAnswer, Dnssec } from '../types.js';
import type { Message } from '../wire/message.js';
import { readTarget } from '../wire/rdata.js';
import { Rcode, RRType } from '../wire/types-registry.js';

const MAX_ALIASES = 11;

/**
 * Whether a response says that a name does not exist: NXDOMAIN, or a DNAME that makes it
 * too long (YXDOMAIN, RFC 6672 §2.2).
 */
export function isNameError({ rcode }: Message): boolean {
  return rcode === Rcode.NXDOMAIN || rcode === Rcode.YXDOMAIN;
}

/**
 * Whether a response answers its question: with data, or by saying that there is none.
 */
export function isAnswer(message: Message): boolean {
  return message.rcode === Rcode.NOERROR || isNameError(message);
}

/**
 * Reads an answer (NOERROR, NXDOMAIN or YXDOMAIN) as it stands, aliases followed inside
 * it; `dnssec` is what the caller makes of the whole.
 */
export function unvalidatedAnswer(
  name: Name,
  type: number,
  message: Message,
  dnssec: Dnssec,
): DnsAnswer {
  const aliases: AliasStep[] = [];
  let at = name;
  while (type !== RRType.CNAME && aliases.length < MAX_ALIASES) {
    const alias = message.answers.find(
      (record) => record.type === RRType.CNAME && record.name.equals(at),
    );
    const target = alias && readTarget(alias);
    if (!target?.ok) break;
    aliases.push({ from: at, to: target.value, dnssec });
    at = target.value;
  }
  const records = message.answers.filter(
    (record) => record.type === type && record.name.equals(at),
  );
  const absent = isNameError(message) ? 'nxdomain' : 'nodata';
  const status = records.length > 0 ? 'found' : absent;
  return {
    question: { name, type },
    status,
    dnssec,
    records,
    canonicalName: at,
    aliases,
    ttl: Math.min(3600, ...records.map((record) => record.ttl)),
  };
}
