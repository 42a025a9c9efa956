import { randomInt } from 'node:crypto';
import { concat, fail, ok, type Result } from '../../base/index.js';
import type { Network } from '../../net/index.js';
import { readFramed } from '../client/transport.js';
import type { Upstream } from '../client/upstream.js';
import { decodeMessage, encodeMessage } from '../wire/codec.js';
import { Rcode } from '../wire/types-registry.js';
import { updateFailures } from './failures.js';
import { signTsig, verifyTsig, type TsigKey } from './tsig.js';
import { updateMessage, type RrsetChange } from './update-message.js';

/** The server, key and time limits of an update. */
export interface UpdateOptions {
  readonly network: Network;
  /** The primary server of the zone. */
  readonly server: Upstream;
  readonly key: TsigKey;
  /** Returns the milliseconds since 1970. */
  now(): number;
  /** Milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
  /** Aborts the exchange. The state of the zone is then unknown. */
  readonly signal?: AbortSignal;
}

/** Names of the response codes for error messages. */
const codes = new Map<number, string>(
  Object.entries(Rcode).map(([name, code]) => [Number(code), name]),
);
/**
 * Response codes of a failed prerequisite: NXRRSET and YXRRSET, and NXDOMAIN and YXDOMAIN
 * for a name (RFC 2136 §2.2).
 */
const conflicts = new Set([3, 6, 7, 8]);

/**
 * Replaces an RRset atomically (RFC 2136 over TCP, signed by RFC 8945): the RRset becomes
 * `to` if it is exactly `from`. Returns `same` if it was `to` already. Without a signed
 * reply from the server, the outcome is unknown. Rejects only with `signal.reason`.
 * [2136-7.8-1]
 *
 * Fails with `dns-update-conflict` when the RRset is neither `from` nor `to`: another
 * program changed it, and the update wrote nothing.
 */
export async function sendUpdate(
  rrsetChange: RrsetChange,
  options: UpdateOptions,
): Promise<Result<'changed' | 'same'>> {
  const rcode = await exchange(rrsetChange, options);
  if (!rcode.ok) return rcode;
  if (rcode.value === 0) return ok('changed');
  if (!conflicts.has(rcode.value)) return refused(rcode.value);
  // A repeated update after a lost reply looks like a conflict. A query for `to`
  // distinguishes the two cases.
  const asked = await exchange({ ...rrsetChange, from: rrsetChange.to }, options);
  if (!asked.ok) return asked;
  if (asked.value === 0) return ok('same');
  return fail(
    updateFailures.make('dns-update-conflict', codes.get(rcode.value) ?? String(rcode.value)),
  );
}

/** Returns the failure for a response code that is not a conflict. */
function refused(rcode: number): Result<never> {
  return fail(updateFailures.make('dns-update-refused', codes.get(rcode) ?? `RCODE ${rcode}`));
}

/**
 * Sends one signed update over its own TCP connection and returns the response code of
 * the signed reply.
 */
async function exchange(rrsetChange: RrsetChange, options: UpdateOptions): Promise<Result<number>> {
  const { network, server, key, now, timeoutMs = 10_000, signal } = options;
  const messageId = randomInt(65536);
  const message = updateMessage(rrsetChange, messageId);
  if (!message.ok) return message;
  const { bytes, mac } = signTsig(encodeMessage(message.value), key, now());
  const dialled = await network.dial({
    address: server.address,
    port: server.port,
    timeoutMs,
    signal,
  });
  if (!dialled.ok)
    return fail(
      updateFailures.make('dns-update-unreachable', `${server.label}: ${dialled.failure.code}`),
    );
  const { connection } = dialled;
  try {
    connection.stream.write(concat(Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes));
    const reply = await readFramed(connection, timeoutMs, signal);
    if (!reply)
      return fail(updateFailures.make('dns-update-unreachable', `${server.label}: no reply`));
    // The signature is verified over the received octets before they are parsed.
    const verified = verifyTsig(reply, key, mac, now());
    if (!verified.ok) return verified;
    const decoded = decodeMessage(reply);
    if (
      !decoded.ok ||
      !decoded.value.response ||
      decoded.value.id !== messageId ||
      decoded.value.opcode !== 5
    )
      return fail(updateFailures.make('dns-update-unsigned', 'a reply to another message'));
    return ok(decoded.value.rcode);
  } finally {
    connection.close();
  }
}
