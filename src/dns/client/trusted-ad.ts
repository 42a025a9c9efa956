import type { Failure, Name } from '../../base/index.js';
import { dnssecFailures } from '../dnssec/failures.js';
import type { DnsAnswer } from '../types.js';
import type { Message } from '../wire/message.js';
import { rcodeText } from '../wire/rcode-text.js';
import { Rcode } from '../wire/types-registry.js';
import { isAnswer, unvalidatedAnswer } from './unvalidated-answer.js';

/**
 * Converts an answer from a resolver whose AD bit is trusted (RFC 6840 §5.7). Data and
 * denials with AD are secure; those without AD are insecure. `unchecked` is the answer to
 * the same query with CD set, sent after SERVFAIL. If that query succeeded, the resolver
 * refused the data as bogus.
 */
export function answerByAd(
  domainName: Name,
  recordType: number,
  message: Message,
  unchecked?: Message,
): DnsAnswer {
  const question = { name: domainName, type: recordType };
  if (!isAnswer(message)) {
    const bogus =
      message.rcode === Rcode.SERVFAIL && unchecked !== undefined && isAnswer(unchecked);
    return {
      question,
      status: 'failed',
      dnssec: bogus ? 'bogus' : 'indeterminate',
      records: [],
      canonicalName: domainName,
      aliases: [],
      ttl: 0,
      failure: failureOf(message, bogus),
    };
  }
  return unvalidatedAnswer(
    domainName,
    recordType,
    message,
    message.authenticData ? 'secure' : 'insecure',
  );
}

function failureOf(message: Message, bogus: boolean): Failure {
  const text = rcodeText(message);
  if (bogus)
    return dnssecFailures.make(
      'dnssec-signature-invalid',
      `the resolver refused it as bogus: ${text}`,
    );
  return dnssecFailures.make(message.rcode === Rcode.SERVFAIL ? 'dns-servfail' : 'dns-rcode', text);
}
