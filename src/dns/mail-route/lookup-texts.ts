import type { Failure, Name } from '../../base/index.js';
import type { AnswerStatus, AskOptions, Dnssec, Resolver } from '../types.js';
import { txtText } from '../wire/rdata.js';
import { RRType } from '../wire/types-registry.js';

/** TXT records of a name. */
export interface Texts {
  readonly lookup: 'found' | 'absent' | 'failed';
  /**
   * One text a record, its character strings joined without blanks (RFC 7208 §3.3, RFC
   * 8461 §3.1 [8461-3.1-11, 8460-3-11]), one character an octet.
   */
  readonly texts: readonly string[];
  readonly dnssec: Dnssec;
  readonly failure?: Failure;
  /** Seconds this may be kept. */
  readonly ttl: number;
}

const MAX_TEXTS = 100;

/** Asks for the TXT records of a name. */
export async function lookupTexts(
  resolver: Resolver,
  name: Name,
  options: AskOptions = {},
): Promise<Texts> {
  const asked: AskOptions = { ...options, acceptUnvalidated: true };
  const answer = await resolver.ask(name, RRType.TXT, asked);
  const texts = answer.records.slice(0, MAX_TEXTS).flatMap((record) => txtText(record) ?? []);
  return {
    lookup: lookupState(answer.status),
    texts,
    dnssec: answer.dnssec,
    ttl: answer.ttl,
    failure: answer.failure,
  };
}

function lookupState(status: AnswerStatus): Texts['lookup'] {
  return status === 'failed' || status === 'found' ? status : 'absent';
}
