import type { Failure, Name } from '../../base/index.js';
import type { AnswerStatus, AskOptions, Dnssec, Resolver } from '../types.js';
import { txtText } from '../wire/rdata.js';
import { RRType } from '../wire/types-registry.js';

/** TXT records of a name. */
export interface Texts {
  readonly lookup: 'found' | 'absent' | 'failed';
  /**
   * One text per record: its character strings joined without spaces (RFC 7208 §3.3, RFC
   * 8461 §3.1 [8461-3.1-11, 8460-3-11]); octets that are not UTF-8 are U+FFFD.
   */
  readonly texts: readonly string[];
  readonly dnssec: Dnssec;
  readonly failure?: Failure;
  /** Seconds for which the result may be cached. */
  readonly ttl: number;
}

/**
 * Looks up the TXT records of a name. All records are returned, since the relevant record
 * may be the last one. The size of a DNS message limits their number.
 */
export async function lookupTexts(
  resolver: Resolver,
  domainName: Name,
  options: AskOptions = {},
): Promise<Texts> {
  const asked: AskOptions = { ...options, acceptUnvalidated: true };
  const dnsAnswer = await resolver.ask(domainName, RRType.TXT, asked);
  const texts = dnsAnswer.records.flatMap((resourceRecord) => txtText(resourceRecord) ?? []);
  return {
    lookup: lookupState(dnsAnswer.status),
    texts,
    dnssec: dnsAnswer.dnssec,
    ttl: dnsAnswer.ttl,
    failure: dnsAnswer.failure,
  };
}

function lookupState(answerStatus: AnswerStatus): Texts['lookup'] {
  return answerStatus === 'failed' || answerStatus === 'found' ? answerStatus : 'absent';
}
