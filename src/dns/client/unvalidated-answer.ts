import type { Name } from '../../base/index.js';
import type { AliasStep, DnsAnswer, Dnssec } from '../types.js';
import type { Message } from '../wire/message.js';
import { readTarget } from '../wire/rdata.js';
import { Rcode, RRType } from '../wire/types-registry.js';

const MAX_ALIASES = 11;

/**
 * Returns whether a response denies the name: NXDOMAIN, or YXDOMAIN because the
 * substitution for a DNAME is too long (RFC 6672 §2.2).
 */
export function isNameError({ rcode }: Message): boolean {
  return rcode === Rcode.NXDOMAIN || rcode === Rcode.YXDOMAIN;
}

/** Returns whether a response answers its query, with data or with a denial. */
export function isAnswer(message: Message): boolean {
  return message.rcode === Rcode.NOERROR || isNameError(message);
}

/**
 * Converts an answer (NOERROR, NXDOMAIN or YXDOMAIN) without validating it, and follows
 * the aliases that the answer contains. `dnssec` is the status that the caller assigns to
 * the whole answer.
 */
export function unvalidatedAnswer(
  domainName: Name,
  recordType: number,
  message: Message,
  dnssec: Dnssec,
): DnsAnswer {
  const aliases: AliasStep[] = [];
  let ownerName = domainName;
  const isAny = recordType === RRType.ANY;
  while (recordType !== RRType.CNAME && !isAny && aliases.length < MAX_ALIASES) {
    const aliasRecord = message.answers.find(
      (resourceRecord) =>
        resourceRecord.type === RRType.CNAME && resourceRecord.name.equals(ownerName),
    );
    const target = aliasRecord && readTarget(aliasRecord);
    if (!target?.ok) break;
    aliases.push({ from: ownerName, to: target.value, dnssec });
    ownerName = target.value;
  }
  const records = message.answers.filter(
    ({ type, name }) =>
      (type === recordType || (isAny && type !== RRType.RRSIG)) && name.equals(ownerName),
  );
  const absent = isNameError(message) ? 'nxdomain' : 'nodata';
  const status = records.length > 0 ? 'found' : absent;
  return {
    question: { name: domainName, type: recordType },
    status,
    dnssec,
    records,
    canonicalName: ownerName,
    aliases,
    ttl: Math.min(3600, ...records.map((resourceRecord) => resourceRecord.ttl)),
  };
}
