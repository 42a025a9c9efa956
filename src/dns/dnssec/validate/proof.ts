import { Name } from '../../../base/index.js';
import type { DnsAnswer, ResourceRecord } from '../../types.js';
import { responseTo, type Message } from '../../wire/message.js';
import { parseRecord } from '../../wire/presentation.js';
import { dnssecFailures } from '../failures.js';
import type { AlgorithmRegistry } from '../algorithms.js';
import type { Fetch, ProofRecords, ValidationLimits, Proof, TrustAnchor } from './types.js';
import { validate } from './validate.js';

/**
 * Validates a proof from its own records, at the time of the proof or at another time
 * (milliseconds since 1970). Fails if the proof does not answer the question.
 */
export async function verifyProof(
  proof: Proof,
  anchors: readonly TrustAnchor[],
  now = Date.parse(proof.at),
  terms: {
    readonly algorithms?: AlgorithmRegistry;
    readonly limits?: Partial<ValidationLimits>;
  } = {},
): Promise<DnsAnswer> {
  const messages = new Map(
    proof.grounds.map((ground) => [
      `${ground.type} ${Name.of(ground.name).key}`,
      messageOf(ground),
    ]),
  );
  // The proof replaces the upstream, so validation opens no connection.
  const fetch: Fetch = (domainName, recordType) => {
    const message = messages.get(`${recordType} ${domainName.key}`);
    return Promise.resolve(
      message
        ? { ok: true, message }
        : {
            ok: false,
            failure: dnssecFailures.make(
              'dns-servfail',
              `the proof contains nothing about ${domainName.toString()}`,
            ),
          },
    );
  };
  return validate({ name: Name.of(proof.name), type: proof.type, fetch, anchors, now, ...terms });
}

/** Rebuilds a response from the records of a proof; unreadable lines are omitted. */
function messageOf(ground: ProofRecords): Message {
  const records = (lines: readonly string[]): ResourceRecord[] =>
    lines.flatMap((line) => {
      const parsed = parseRecord(line);
      if (parsed.ok) return [parsed.value];
      return [];
    });
  return responseTo(Name.of(ground.name), ground.type, {
    rcode: ground.rcode,
    answers: records(ground.answers),
    authorities: records(ground.authorities),
  });
}
