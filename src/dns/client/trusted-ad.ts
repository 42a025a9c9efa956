import type { Name } from '../../base/index.js';
import { dnssecFailures } from '../dnssec/failures.js';
import type { AliasStep, Answer } from '../types.js';
import type { Message } from '../wire/message.js';
import { readTarget } from '../wire/rdata.js';
import { Rcode, RRType } from '../wire/types-registry.js';

const MAX_ALIASES = 11;

/**
 * Reads an answer of a resolver whose AD bit is trusted (RFC 6840 §5.7): with AD secure, without it insecure, and that for data and denial alike.
 * `unchecked` is the answer to the same question with CD=1, asked after SERVFAIL: if that one has an answer, the resolver judged it bogus.
 */
export function answerByAd(name: Name, type: number, message: Message, unchecked?: Message): Answer {
  const question = { name, type };
  if (message.rcode !== Rcode.NOERROR && message.rcode !== Rcode.NXDOMAIN) {
    const bogus =
      message.rcode === Rcode.SERVFAIL &&
      unchecked !== undefined &&
      (unchecked.rcode === Rcode.NOERROR || unchecked.rcode === Rcode.NXDOMAIN);
    const failure = bogus
      ? dnssecFailures.make('dnssec-signature-invalid', 'the resolver refused it as bogus')
      : dnssecFailures.make(message.rcode === Rcode.SERVFAIL ? 'dns-servfail' : 'dns-rcode', `rcode ${message.rcode}`);
    return {
      question,
      status: 'failed',
      dnssec: bogus ? 'bogus' : 'indeterminate',
      records: [],
      canonicalName: name,
      aliases: [],
      ttl: 0,
      failure,
    };
  }
  const dnssec = message.authenticData ? 'secure' : 'insecure';
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
  const status = records.length > 0 ? 'found' : message.rcode === Rcode.NXDOMAIN ? 'nxdomain' : 'nodata';
  return { question, status, dnssec, records, canonicalName: at, aliases, ttl: Math.min(3600, ...records.map((rr) => rr.ttl)) };
}
