import type { ConnectionEvidence, MailAddress, SenderResult } from '../../evidence/index.js';
import {
  evaluate,
  groupName,
  groupTable,
  isPostQuantum,
  ProtocolVersion,
  senderHellos,
  suiteName,
  type Inference,
} from '../../tls/index.js';

const postQuantumGroups = groupTable
  .filter(({ name }) => isPostQuantum(name))
  .map(({ codePoint }) => codePoint);

/**
 * Returns whether a recording of today's sessions can be decrypted once quantum computers
 * break the classical key exchange. `prevented` applies to senders that also offer a
 * post-quantum group; `unknown` if the check offered no post-quantum group.
 */
export function decryptedLater(inference: Inference): MailAddress['decryptedLater'] {
  const { settled } = evaluate(inference, {
    kind: 'groups',
    id: 'post-quantum',
    groups: postQuantumGroups,
    version: 'TLSv1.3',
  });
  if (settled === 'accepted') return 'prevented';
  return settled === 'refused' ? 'possible' : 'unknown';
}

/** Names of versions by wire number. */
const versionNames = new Map<number, string>(
  Object.entries(ProtocolVersion).map(([name, wire]) => [wire, name]),
);

/**
 * Returns the session of each sender whose recorded hello the check sent; undefined if it
 * sent none.
 */
export function senderResults(
  connections: readonly ConnectionEvidence[],
): readonly SenderResult[] | undefined {
  const results = connections.flatMap(({ probe, purpose, failure }): SenderResult[] => {
    const asked = senderHellos().find(({ id }) => purpose === `sender:${id}`);
    if (!asked) return [];
    const { id: sender, name } = asked;
    return [{ sender, name, ...resultOf(probe?.answer), reason: failure?.code }];
  });
  return results.length > 0 ? results : undefined;
}

function resultOf(
  answer: NonNullable<ConnectionEvidence['probe']>['answer'] | undefined,
): Pick<SenderResult, 'result' | 'version' | 'suite' | 'group' | 'postQuantum' | 'alert'> {
  if (answer?.kind === 'refused') return { result: 'refused', alert: answer.alert };
  if (answer?.kind !== 'hello') return { result: 'unknown' };
  const { hello, keyExchange } = answer;
  const curve = keyExchange?.kind === 'ecdhe' ? keyExchange.group : undefined;
  const codePoint = hello.group ?? (typeof curve === 'number' ? curve : undefined);
  const group = codePoint === undefined ? undefined : groupName(codePoint);
  return {
    result: 'session',
    version: versionNames.get(hello.version),
    suite: suiteName(hello.suite),
    group,
    postQuantum: group !== undefined && isPostQuantum(group),
  };
}
