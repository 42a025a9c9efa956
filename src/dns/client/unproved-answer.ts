import type { Name } from '../../base/index.js';
import type { AliasStep, Answer, Dnssec } from '../types.js';
import type { Message } from '../wire/message.js';
import { readTarget } from '../wire/rdata.js';
import { Rcode, RRType } from '../wire/types-registry.js';

const MAX_ALIASES = 11;

/** Reads an answer (NOERROR or NXDOMAIN) as it stands, aliases followed inside it; `dnssec` is what the caller makes of the whole. */
export function unprovedAnswer(name: Name, type: number, message: Message, dnssec: Dnssec): Answer {
  const aliases: AliasStep[] = [];
  let at = name;
  while (type !== RRType.CNAME && aliases.length < MAX_ALIASES) {
    const alias = message.answers.find((rr) => rr.type === RRType.CNAME && rr.name.equals(at));
    const target = alias && readTarget(alias);
    if (!target?.ok) break;
    aliases.push({ from: at, to: target.value, dnssec });
    at = target.value;
  }
  const records = message.answers.filter((rr) => rr.type === type && rr.name.equals(at));
  const status =
    records.length > 0 ? 'found' : message.rcode === Rcode.NXDOMAIN ? 'nxdomain' : 'nodata';
  return {
    question: { name, type },
    status,
    dnssec,
    records,
    canonicalName: at,
    aliases,
    ttl: Math.min(3600, ...records.map((rr) => rr.ttl)),
  };
}
