import { formatTime, type Failure } from '../base/index.js';
import type { DeliveryOutcome } from '../evidence/index.js';
import { parseMailbox, sendMail, type Reply } from '../smtp/index.js';
import { connectVia, type ConnectResult, type SmtpTranscript } from './connect.js';
import type { SendContext } from './context.js';

/** One message with its envelope. */
export interface Mail {
  /** Envelope sender; empty for mail that must not cause a bounce. */
  readonly from: string;
  readonly to: readonly string[];
  /**
   * The complete message, with header and body. A header field `TLS-Required: No` is
   * obeyed (RFC 8689 §4.2.2).
   */
  readonly message: Uint8Array;
  /**
   * True to request REQUIRETLS: the message bounces if no server supports the extension.
   * This option takes precedence over the header field (RFC 8689 §4.1).
   */
  readonly requireTls?: boolean;
  /**
   * Next hop for all recipients, instead of their domains, in the syntax of
   * `parseNextHop`.
   */
  readonly via?: string;
  readonly signal?: AbortSignal;
}

/** The delivery result for one recipient. */
export interface Recipient {
  readonly address: string;
  readonly status: 'delivered' | 'deferred' | 'rejected';
  /** The reason why the message was not delivered. */
  readonly failure?: Failure;
  /** The last reply of the server to the message. */
  readonly reply?: Reply;
}

/** The result of a delivery, for each recipient and for each next hop. */
export interface Delivery {
  /** The results of the recipients, in the order of `to`. */
  readonly recipients: readonly Recipient[];
  /**
   * One outcome for each next hop. The outcomes are the evidence of the delivery, and the
   * input of TLS-RPT.
   */
  readonly outcomes: readonly DeliveryOutcome[];
  readonly conversations: readonly SmtpTranscript[];
}

/**
 * Delivers a message to the servers of its recipients, one session for each domain. The
 * promise rejects only with `signal.reason` and for misuse. A refused recipient is part
 * of the result.
 */
export async function deliverVia(context: SendContext, mail: Mail): Promise<Delivery> {
  const groups = new Map<string, string[]>();
  const unsendable: Recipient[] = [];
  for (const address of new Set(mail.to)) {
    const mailbox = parseMailbox(address);
    if (!mailbox.ok) {
      unsendable.push({ address, status: 'rejected', failure: mailbox.failure });
      continue;
    }
    const nextHop = mail.via ?? mailbox.value.domain;
    groups.set(nextHop, [...(groups.get(nextHop) ?? []), address]);
  }
  const sessions = await Promise.all(
    [...groups].map(([nextHop, to]) => deliverTo(context, mail, nextHop, to)),
  );
  const all = [...unsendable, ...sessions.flatMap(({ recipients }) => recipients)];
  return {
    recipients: mail.to.flatMap(
      (address) => all.find((recipient) => recipient.address === address) ?? [],
    ),
    outcomes: sessions.map(({ outcome }) => outcome),
    conversations: sessions.flatMap(({ conversations }) => conversations),
  };
}

async function deliverTo(
  context: SendContext,
  mail: Mail,
  nextHop: string,
  to: readonly string[],
): Promise<{
  recipients: Recipient[];
  outcome: DeliveryOutcome;
  conversations: readonly SmtpTranscript[];
}> {
  const { from, message, requireTls = false, signal } = mail;
  const connected = await connectVia(context, nextHop, {
    requireTls,
    // RFC 8689 §4.1, §4.2.2 [8689-4.1-1, 8689-4.2.2-1]
    tlsRequiredNo: !requireTls && saysTlsRequiredNo(message),
    signal,
  });
  if (!connected.ok) return notConnected(connected, to);
  const { session } = connected;
  const sent = await sendMail(session, { from, to, requireTls }, message);
  await session.quit();
  const recipients = to.map((address): Recipient => {
    const failure = sent.refused.find((refusal) => refusal.address === address)?.failure;
    return { address, status: statusOf(failure), failure, reply: sent.reply };
  });
  const best =
    (['delivered', 'deferred', 'rejected'] as const).find((status) =>
      recipients.some((recipient) => recipient.status === status),
    ) ?? 'rejected';
  // The failure has to explain the best result, so a delivered message has no failure.
  const failure = recipients.find((recipient) => recipient.status === best)?.failure;
  const outcome: DeliveryOutcome = {
    ...connected.outcome,
    finishedAt: formatTime(context.clock.now()),
    result: best,
    failure: failure && { code: failure.code, detail: failure.detail },
  };
  return {
    recipients,
    outcome,
    conversations: connected.conversations,
  };
}

function statusOf(failure: Failure | undefined): Recipient['status'] {
  if (!failure) return 'delivered';
  return failure.temporary ? 'deferred' : 'rejected';
}

function notConnected(
  result: ConnectResult & { ok: false },
  to: readonly string[],
): { recipients: Recipient[]; outcome: DeliveryOutcome; conversations: readonly SmtpTranscript[] } {
  const { failure, outcome, conversations } = result;
  const status = statusOf(failure);
  const recipients = to.map((address): Recipient => ({ address, status, failure }));
  return { recipients, outcome, conversations };
}

/**
 * Returns whether a message has exactly one header field `TLS-Required` with the value
 * `No` (RFC 8689 §4.2.2, §5). Any other value, or a second field, is ignored: the policy
 * of the domain stays in force.
 */
export function saysTlsRequiredNo(message: Uint8Array): boolean {
  const text = Buffer.from(
    message.buffer,
    message.byteOffset,
    Math.min(message.length, MAX_HEADER),
  ).toString('latin1');
  const [header = ''] = text.split(/\r?\n\r?\n/, 1);
  const fields = header
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .filter((line) => /^TLS-Required[ \t]*:/i.test(line));
  return fields.length === 1 && /:[ \t]*no[ \t]*$/i.test(fields[0] ?? '');
}

/** Number of leading octets that are searched for the end of the header. */
const MAX_HEADER = 262_144;
